import type { ConsumerRecord } from '../../../client/types.ts'

/**
 * The maximum number of leader changes to keep. Older ones matter only to a sink that has not
 * committed for a long time.
 */
const MAX_RUNS = 64

/**
 * The leader epochs of the consumed records of one partition. Stored as runs, because epochs rarely
 * change.
 */
export class ConsumedEpochs {
  /** In ascending order. The records from `from` up to the next run have this epoch. */
  #runs: { from: number; epoch: number }[] = []

  /** Adds consecutive records. */
  add(records: readonly ConsumerRecord[]): void {
    const first = records[0]
    if (first === undefined) return
    // The log was truncated, or the task has rewound: these records replace the earlier ones.
    while (this.#runs.length > 0 && this.#runs.at(-1)!.from >= first.offset) this.#runs.pop()
    if (first.leaderEpoch === records.at(-1)!.leaderEpoch) this.#append(first)
    else for (const r of records) this.#append(r)
  }

  /** Returns the epoch of the last record before an offset; -1 if unknown. */
  before(offset: number): number {
    return this.#runs.findLast(run => run.from < offset)?.epoch ?? -1
  }

  /** Removes the runs that are not needed for this and later offsets. */
  trim(offset: number): void {
    const first = this.#runs.findLastIndex(run => run.from < offset)
    if (first > 0) this.#runs.splice(0, first)
  }

  #append({ offset, leaderEpoch }: ConsumerRecord): void {
    if (this.#runs.at(-1)?.epoch === leaderEpoch) return
    this.#runs.push({ from: offset, epoch: leaderEpoch })
    if (this.#runs.length > MAX_RUNS) this.#runs.shift()
  }
}
