import { murmur2, toPositive } from '../../protocol/murmur2.ts'

/** The partition of a key, as Java's default partitioner has it. */
export function partitionOfKey(key: Buffer, partitions: number): number {
  return toPositive(murmur2(key)) % partitions
}

/**
 * Where records without a key go: to one partition until a batch is full, then to another at random, so that batches are large.
 * Partitions without a leader are passed over while others have one.
 */
export class StickyPartition {
  current = -1
  #bytes = 0
  readonly #batchSize: number
  readonly #random: () => number

  constructor(batchSize: number, random: () => number = Math.random) {
    this.#batchSize = batchSize
    this.#random = random
  }

  /** The partition for the next record. `hasLeader` is asked only when a new one is chosen. */
  pick(count: number, hasLeader: (partition: number) => boolean): number {
    if (this.current >= 0 && this.current < count) return this.current
    const available: number[] = []
    for (let p = 0; p < count; p++) if (hasLeader(p)) available.push(p)
    const choice = available.length > 0 ? available : null
    const n = Math.floor(this.#random() * (choice?.length ?? count))
    this.current = choice ? choice[n]! : n
    this.#bytes = 0
    return this.current
  }

  /** Tells what a record took, and whether its batch is full now. */
  took(bytes: number, batchFull: boolean): void {
    this.#bytes += bytes
    if (batchFull || this.#bytes >= this.#batchSize) this.current = -1
  }
}
