import { type Lsn, ZERO } from '../lsn.ts'
import type { FlushMode } from '../stream/position.ts'

/** The state between two transactions, when there is no record to emit. */
export interface Idle {
  /** The position up to which the stream was read; null inside a transaction. */
  readonly read: Lsn | null
  /** The latest position that may be confirmed for the last emitted offset. */
  readonly confirmable: Lsn
  /** The position up to which the slot was confirmed. */
  readonly flushed: Lsn
  /** The current time, in milliseconds since 1970. */
  readonly now: number
}

/**
 * The offset to emit: `advance` is past WAL without captured changes, `commit` is after the last
 * transaction. Null if no offset is due.
 */
export type IdleOffset = 'advance' | 'commit' | null

/**
 * Decides when to emit an offset without a record, so that the slot can advance. An offset is due
 * periodically while the WAL contains nothing to capture. An offset is due immediately if the
 * server requests a status update, because a server that is shutting down waits for the
 * confirmation.
 */
export class IdleOffsets {
  readonly #mode: FlushMode
  readonly #intervalMs: number
  #nextAt = 0
  /** The position whose commit was last requested. */
  #requested: Lsn = ZERO

  constructor(mode: FlushMode, intervalMs: number) {
    this.#mode = mode
    this.#intervalMs = intervalMs
  }

  decide(idle: Idle, isRequested: boolean): IdleOffset {
    const { read, confirmable, flushed, now } = idle
    if (read === null || (!isRequested && now < this.#nextAt)) return null
    const advances = this.#advances(read, confirmable)
    const isUnconfirmed = this.#mode !== 'manual' && confirmable > flushed && confirmable > this.#requested
    if (!advances && !(isRequested && isUnconfirmed)) return null
    this.#requested = confirmable
    this.#nextAt = now + this.#intervalMs
    return advances ? 'advance' : 'commit'
  }

  /**
   * Returns the time until the next offset is due, in milliseconds; Infinity if no offset
   * will be due before more WAL is read.
   */
  wait(idle: Idle): number {
    const { read, confirmable, now } = idle
    if (read === null || !this.#advances(read, confirmable)) return Number.POSITIVE_INFINITY
    return Math.max(0, this.#nextAt - now)
  }

  #advances(read: Lsn, confirmable: Lsn): boolean {
    return this.#mode === 'connector_and_driver' && read > confirmable
  }
}
