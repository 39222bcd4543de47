import { type BackoffOptions, backoffMs } from '../../common/async/backoff.ts'
import type { BatchMemory } from '../../protocol/records/batch-builder.ts'
import type { CompressionType } from '../types.ts'
import { ProducerBatch } from './batch.ts'
import { Sequences } from './sequences.ts'

/**
 * The extra bytes in the initial buffer of the next batch, so that the buffer rarely has to grow.
 */
const SIZE_SLACK = 64

/** The batches of one partition, in the order in which their records were appended. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly sequences = new Sequences()
  /** The batches whose listeners have not received the outcome, from the oldest to the newest. */
  readonly #batches: ProducerBatch[] = []
  /** The expected size of the next batch, in bytes. */
  #sizeHint = 1024
  #failedAttempts = 0
  /** After a failure, nothing is sent before this time (performance.now). */
  #notBefore = 0
  #isListed = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get batches(): readonly ProducerBatch[] {
    return this.#batches
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** The last batch, if it accepts more records, or null. */
  get open(): ProducerBatch | null {
    const last = this.#batches.at(-1)
    return last && !last.isClosed && !last.isDone ? last : null
  }

  /** The batch to send next: the first batch that is neither done nor in flight. */
  get next(): ProducerBatch | null {
    for (const b of this.#batches) if (!b.isDone && !b.isOnWire) return b
    return null
  }

  /** Whether the next batch is due. */
  get hasDue(): boolean {
    return this.next?.isDue ?? false
  }

  get isAnyOnWire(): boolean {
    return this.#batches.some(b => b.isOnWire)
  }

  /** Adds an empty batch to the end of the queue. */
  addBatch(compression: CompressionType, createdAt: number, memory: BatchMemory): ProducerBatch {
    const { topic, partition } = this
    const sizeHint = this.#sizeHint
    const batch = new ProducerBatch({ topic, partition, compression, createdAt, sizeHint, memory })
    this.#batches.push(batch)
    return batch
  }

  /** Closes a batch because the next record does not fit into it. */
  closeFull(batch: ProducerBatch): void {
    batch.close()
    this.#sizeHint = batch.rawSize + SIZE_SLACK
  }

  /** Replaces a batch with its parts, which share its sequences. */
  replace(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    this.#batches.splice(this.#batches.indexOf(batch), 1, ...parts)
    this.sequences.replace(batch, parts)
  }

  /** Completes a batch that the broker has acknowledged. Ends the back-off. */
  acknowledge(batch: ProducerBatch, baseOffset: number, logAppendTime: number): void {
    this.#failedAttempts = 0
    this.#notBefore = 0
    if (batch.hasSequence) this.sequences.acknowledged(batch)
    batch.acknowledge(baseOffset, logAppendTime)
  }

  /** Fails a batch that was certainly not written. */
  reject(batch: ProducerBatch, error: Error): void {
    this.sequences.rejected(batch)
    batch.fail(error)
  }

  /** Fails a batch that may have been written. */
  abandon(batch: ProducerBatch, error: Error): void {
    this.sequences.abandoned(batch)
    batch.fail(error)
  }

  /**
   * Removes and returns the batches at the head of the queue that are done. The caller must call
   * their listeners.
   */
  takeDone(): ProducerBatch[] {
    const { length } = this.#batches
    let n = 0
    while (n < length && this.#batches[n]!.isDone) n++
    return n === 0 ? [] : this.#batches.splice(0, n)
  }

  /**
   * Starts a back-off after a failed attempt, and returns its length in milliseconds. Returns null
   * during a back-off, because batches that were in flight together count as one failure.
   */
  startBackoff(options: BackoffOptions): number | null {
    if (this.isBackingOff) return null
    const ms = backoffMs(this.#failedAttempts++, options)
    this.#notBefore = performance.now() + ms
    return ms
  }

  endBackoff(): void {
    this.#notBefore = 0
  }

  get isBackingOff(): boolean {
    return this.#notBefore > performance.now()
  }

  /** Whether the partition is in a broker's list of partitions with a batch to send. */
  get isListed(): boolean {
    return this.#isListed
  }

  /** Called when the partition is added to a broker's list, or removed from it. */
  setListed(isListed: boolean): void {
    this.#isListed = isListed
  }
}
