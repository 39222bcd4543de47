import type { Operation } from '../../cdc/index.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/** The progress of a snapshot, for the metrics. */
export interface SnapshotView {
  readonly running: boolean
  readonly completed: boolean
  readonly tables: number
  readonly remaining: number
  readonly seconds: number
  /** The number of rows that were read, by table. */
  readonly rows: readonly (readonly [table: string, rows: number])[]
}

/**
 * Counts the events that a task has read since its start, over all connections. The code that reads
 * the stream updates the fields.
 */
export class Progress {
  readonly events: Record<Operation, number> = { c: 0, u: 0, d: 0, t: 0, r: 0, m: 0 }
  transactions = 0
  /** When the last event was read, in milliseconds since 1970; 0 before the first event. */
  lastEventAt = 0
  /** When the last event was committed, in milliseconds since 1970; 0 before the first event. */
  lastCommitAt = 0
  readonly #startedAt = Date.now()
  #snapshot: { readonly snapshot: Snapshot; readonly startedAt: number } | null = null
  #done: SnapshotView | null = null

  get startedAt(): number {
    return this.#startedAt
  }

  snapshotStarted(snapshot: Snapshot): void {
    this.#snapshot = { snapshot, startedAt: Date.now() }
    this.#done = null
  }

  snapshotEnded(completed: boolean): void {
    const view = this.snapshot
    this.#snapshot = null
    this.#done = view && { ...view, running: false, completed }
  }

  /** The progress of the current or last snapshot; null before the first snapshot. */
  get snapshot(): SnapshotView | null {
    if (this.#snapshot === null) return this.#done
    const { snapshot, startedAt } = this.#snapshot
    return { running: true, completed: false, seconds: (Date.now() - startedAt) / 1000, ...snapshot.counts }
  }
}
