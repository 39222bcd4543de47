import type { ConsumerRecord } from '../../../client/types.ts'

/**
 * The maximum number of runs that are stored. A run is a series of records with the same leader
 * epoch. Earlier runs are needed only if a sink has not committed for a long time.
 */
const MAX_RUNS = 64

/**
 * The leader epochs of the records that were consumed from a partition. Consecutive records with
 * the same epoch are stored as one run, because the epoch rarely changes.
 */
export class ConsumedEpochs {
  /**
   * The runs in ascending order. A run contains the records from `from` up to the start of the next
   * run.
   */
  #runs: { from: number; epoch: number }[] = []

  /** Adds consecutive records of the partition. */
  add(records: readonly ConsumerRecord[]): void {
    const first = records[0]
    if (first === undefined) return
    // After a truncation of the log, or after a seek of the task, these records replace earlier
    // ones.
    while (this.#runs.length > 0 && this.#runs.at(-1)!.from >= first.offset) this.#runs.pop()
    if (first.leaderEpoch === records.at(-1)!.leaderEpoch) this.#append(first)
    else for (const r of records) this.#append(r)
  }

  /** Returns the epoch of the last record before an offset; -1 if the epoch is unknown. */
  before(offset: number): number {
    return this.#runs.findLast(run => run.from < offset)?.epoch ?? -1
  }

  /** Removes the runs that `before` does not need for this offset or later offsets. */
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
