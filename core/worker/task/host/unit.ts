import type { HerderCall, ThreadEvent } from './messages-out.ts'

/** What runs in a thread under one name: a connector or a task. */
export interface Unit {
  readonly unit: string
  /** Resolves when nothing is read or written any more. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Resolves when all is committed and released; rejects when that failed. Safe to call twice. */
  stop(): Promise<void>
}

/** A unit's way to the herder. */
export interface Uplink {
  event(event: ThreadEvent): void
  call(unit: string, call: HerderCall): Promise<unknown>
}
