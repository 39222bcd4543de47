import type { Logger } from '../../../common/log.ts'
import type { HerderCall, ThreadEvent } from './messages-out.ts'
import type { TaskClients } from './task-clients.ts'

/** A connector or a task that runs in a thread. */
export interface Unit {
  readonly unit: string
  /** Pauses the unit. A batch that a task is already processing is completed. */
  pause(): Promise<void>
  resume(): Promise<void>
  /**
   * Resolves when the unit has committed its offsets and released its resources. Rejects if
   * stopping fails. May be called more than once.
   */
  stop(): Promise<void>
}

/** The dependencies of a unit. Tests replace them. */
export interface UnitTools {
  /** Default: clients that connect to Kafka brokers. */
  readonly clients?: TaskClients
  readonly logger?: Logger
}

/** Sends the events and calls of units to the herder. */
export interface Uplink {
  event(event: ThreadEvent): void
  call(unit: string, call: HerderCall): Promise<unknown>
}
