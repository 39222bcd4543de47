import { murmur2, toPositive } from '../../protocol/murmur2.ts'

/** Returns the partition of a key, which is the same as with Java's default partitioner. */
export function partitionOfKey(key: Buffer, partitions: number): number {
  return toPositive(murmur2(key)) % partitions
}

/**
 * Chooses the partition of records without a key. To fill batches, all records go to one partition
 * until a batch is full. Then another partition is chosen at random. Partitions without a leader
 * are skipped while another partition has a leader.
 */
export class StickyPartition {
  #current = -1
  #bytes = 0
  readonly #batchSize: number
  readonly #random: () => number

  constructor(batchSize: number, random: () => number = Math.random) {
    this.#batchSize = batchSize
    this.#random = random
  }

  /** The current partition; -1 if the next record must choose a new partition. */
  get current(): number {
    return this.#current
  }

  /**
   * Returns the partition for the next record. Calls `hasLeader` only to choose a new partition.
   */
  pick(count: number, hasLeader: (partition: number) => boolean): number {
    if (this.#current >= 0 && this.#current < count) return this.#current
    const available: number[] = []
    for (let p = 0; p < count; p++) if (hasLeader(p)) available.push(p)
    const choice = available.length > 0 ? available : null
    const n = Math.floor(this.#random() * (choice?.length ?? count))
    this.#current = choice ? choice[n]! : n
    this.#bytes = 0
    return this.#current
  }

  /**
   * Counts a record. The next record goes to a new partition after `batch.size` bytes, or if the
   * batch of this record is full.
   */
  added(bytes: number, isBatchFull: boolean): void {
    this.#bytes += bytes
    if (isBatchFull || this.#bytes >= this.#batchSize) this.#current = -1
  }

  /** Stops using a partition that the topic no longer has. */
  limit(count: number): void {
    if (this.#current >= count) this.#current = -1
  }
}
