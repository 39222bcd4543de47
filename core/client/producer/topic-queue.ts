import type { DeliveryListener, ProducerRecord } from '../types.ts'
import { PartitionQueue } from './partition-queue.ts'
import { StickyPartition } from './partitioner.ts'

/** A record that waits for the metadata of its topic. */
export interface PendingRecord {
  readonly record: ProducerRecord
  readonly timestamp: number
  readonly listener: DeliveryListener | undefined
  readonly token: number
  /** The number of bytes that the record takes from `buffer.memory`. */
  readonly bytes: number
  /** The time (performance.now) at which `max.block.ms` has passed. */
  readonly deadline: number
}

/** The steps of the estimated ratio, as in Java's CompressionRatioEstimator. */
const RATIO_RISE = 0.05
const RATIO_FALL = 0.005
/** The minimum of the estimated ratio. It limits the size of a batch before compression. */
const MIN_RATIO = 0.05

/**
 * The queues of one topic: a queue for each partition, and the records whose partition is not known
 * yet.
 */
export class TopicQueue {
  readonly name: string
  readonly sticky: StickyPartition
  readonly #partitions: PartitionQueue[] = []
  #pending: PendingRecord[] = []
  #count = 0
  #isResolving = false
  #isFollowed = false
  #lastUsed = 0
  #onResolved: (() => void)[] = []
  #ratio = 1

  constructor(name: string, batchSize: number) {
    this.name = name
    this.sticky = new StickyPartition(batchSize)
  }

  /**
   * The queues of the topic's partitions. If the topic was recreated with fewer partitions, there
   * are more queues than partitions.
   */
  get partitions(): readonly PartitionQueue[] {
    return this.#partitions
  }

  /** The number of partitions in the metadata; 0 if the number is not known. */
  get count(): number {
    return this.#count
  }

  /**
   * Sets the number of partitions in the metadata. Ignores 0, which means that the metadata does
   * not contain the topic.
   */
  resize(count: number): void {
    if (count === 0) return
    this.#count = count
    while (this.#partitions.length < count) {
      this.#partitions.push(new PartitionQueue(this.name, this.#partitions.length))
    }
    this.sticky.limit(count)
  }

  /**
   * The records whose partition is not known yet. While this list is not empty, all new records of
   * the topic are added to it, to keep their order.
   */
  get pending(): readonly PendingRecord[] {
    return this.#pending
  }

  addPending(record: PendingRecord): void {
    this.#pending.push(record)
  }

  /** Removes the first `count` pending records. */
  dropPending(count: number): void {
    this.#pending = this.#pending.slice(count)
  }

  /** Removes and returns the pending records that `which` selects. */
  takePending(which: (record: PendingRecord) => boolean): PendingRecord[] {
    const taken = this.#pending.filter(which)
    this.#pending = this.#pending.filter(p => !which(p))
    return taken
  }

  /** Whether pending records wait for metadata. */
  get isResolving(): boolean {
    return this.#isResolving
  }

  startResolving(): void {
    this.#isResolving = true
    this.#isFollowed = true
  }

  /**
   * Ends the wait for metadata, because no record needs the metadata any longer. Calls the
   * callbacks of `onResolved`.
   */
  endResolving(): void {
    this.#isResolving = false
    const waiting = this.#onResolved
    this.#onResolved = []
    for (const callback of waiting) callback()
  }

  /** Adds a callback that the next `endResolving` calls. */
  onResolved(callback: () => void): void {
    this.#onResolved.push(callback)
  }

  /** Whether the metadata of the topic is kept up to date. */
  get isFollowed(): boolean {
    return this.#isFollowed
  }

  unfollow(): void {
    this.#isFollowed = false
  }

  /**
   * The time (performance.now) at which the last batch was created or the last record became
   * pending.
   */
  get lastUsed(): number {
    return this.#lastUsed
  }

  use(now: number): void {
    this.#lastUsed = now
  }

  /** Whether the topic has records that are not delivered. */
  get isBusy(): boolean {
    return this.#isResolving || this.#pending.length > 0 || this.#partitions.some(q => !q.isEmpty)
  }

  /** The estimated ratio of compressed to uncompressed size. */
  get ratio(): number {
    return this.#ratio
  }

  observeRatio(observed: number): void {
    const known = this.#ratio
    const next = observed > known ? Math.max(known + RATIO_RISE, observed) : Math.max(known - RATIO_FALL, observed)
    this.#ratio = Math.min(1, Math.max(MIN_RATIO, next))
  }
}
