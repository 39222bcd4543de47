import type { Logger } from '../../../common/log.ts'
import type { Clients } from '../../clients.ts'
import type { HerderCall, ThreadEvent } from './messages-out.ts'

/** A connector or a task that runs in a thread. */
export interface Unit {
  readonly unit: string
  /** Resolves when the unit no longer reads and writes. */
  pause(): Promise<void>
  resume(): Promise<void>
  /**
   * Resolves when everything is committed and released. Rejects if that fails. Safe to call twice.
   */
  stop(): Promise<void>
}

/** The dependencies of a unit. Tests use clients in memory. */
export interface UnitTools {
  /** Default: Kafka clients. */
  readonly clients?: Clients
  readonly logger?: Logger
}

/** A unit's connection to the herder. */
export interface Uplink {
  event(event: ThreadEvent): void
  call(unit: string, call: HerderCall): Promise<unknown>
}
