import { type BackoffOptions, backoffMs } from '../../common/async/backoff.ts'
import type { BatchMemory } from '../../protocol/records/batch-builder.ts'
import type { CompressionType } from '../types.ts'
import { ProducerBatch } from './batch.ts'
import { Sequences } from './sequences.ts'

/**
 * The next batch is created a little larger than the last one, so that its buffer need not grow.
 */
const SIZE_SLACK = 64

/** The batches of one partition, in the order in which their records were appended. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly sequences = new Sequences()
  /** Batches whose listeners have not received the outcome, the oldest first. */
  readonly #batches: ProducerBatch[] = []
  /** The expected size of the next batch, in bytes. */
  #sizeHint = 1024
  #failedAttempts = 0
  /** Nothing is sent before this time (performance.now), after a failure. */
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

  /** The last batch, if it takes more records. */
  get open(): ProducerBatch | null {
    const last = this.#batches.at(-1)
    return last && !last.isClosed && !last.isDone ? last : null
  }

  /** The batch to send next: the first that is neither done nor on the wire. */
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

  /** Adds an empty batch to the end. */
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

  /** Puts the parts of a batch in its place. They share its sequences. */
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

  /** Removes the first batches up to one that is not done. Their listeners must be called now. */
  takeDone(): ProducerBatch[] {
    const { length } = this.#batches
    let n = 0
    while (n < length && this.#batches[n]!.isDone) n++
    return n === 0 ? [] : this.#batches.splice(0, n)
  }

  /**
   * Starts a back-off after a failed attempt. Returns its length in milliseconds. Returns null
   * during a back-off: batches that were on the wire together fail together, which is one failure.
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

  /** Whether the partition is in a broker's list of partitions with something to send. */
  get isListed(): boolean {
    return this.#isListed
  }

  /** Called by the broker's list when it adds or removes the partition. */
  setListed(isListed: boolean): void {
    this.#isListed = isListed
  }
}
