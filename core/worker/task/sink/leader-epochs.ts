import type { ConsumerRecord } from '../../../client/types.ts'

/**
 * The maximum number of leader changes to remember; older ones matter only to a sink that has long
 * not committed.
 */
const MAX_RUNS = 64

/**
 * The leader epochs of the consumed records of one partition. Stored as runs, because epochs rarely
 * change.
 */
export class ConsumedEpochs {
  /** In order: records from `from` on, up to the next run, have this epoch. */
  #runs: { from: number; epoch: number }[] = []

  /** Takes note of consecutive records. */
  add(records: readonly ConsumerRecord[]): void {
    const first = records[0]
    if (first === undefined) return
    // the log was truncated, or the task rewound: these records replace the earlier ones
    while (this.#runs.length > 0 && this.#runs.at(-1)!.from >= first.offset) this.#runs.pop()
    if (first.leaderEpoch === records.at(-1)!.leaderEpoch) this.#note(first)
    else for (const r of records) this.#note(r)
  }

  /** The epoch of the last record before an offset; -1 when unknown. */
  before(offset: number): number {
    return this.#runs.findLast(run => run.from < offset)?.epoch ?? -1
  }

  /** Forgets what is not needed for offsets from this one on. */
  trim(offset: number): void {
    const first = this.#runs.findLastIndex(run => run.from < offset)
    if (first > 0) this.#runs.splice(0, first)
  }

  #note({ offset, leaderEpoch }: ConsumerRecord): void {
    if (this.#runs.at(-1)?.epoch === leaderEpoch) return
    this.#runs.push({ from: offset, epoch: leaderEpoch })
    if (this.#runs.length > MAX_RUNS) this.#runs.shift()
  }
}
