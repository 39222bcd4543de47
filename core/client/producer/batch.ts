import { type BatchMemory, RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import {
  baseSequence,
  HEADER_SIZE,
  producerEpoch,
  producerId,
  setProducerState,
} from '../../protocol/records/batch-header.ts'
import type { CompressionType, DeliveredBatch, DeliveryListener, RecordHeader } from '../types.ts'
import { NO_SEQUENCE, type ProducerIdentity } from './sequence-numbers.ts'

/** The parts of a record that are written to a batch. */
export interface RecordData {
  readonly key: Buffer | null
  readonly value: Buffer | string | null
  readonly headers?: readonly RecordHeader[] | undefined
}

/** The partition, the compression and the memory of a new batch. */
export interface BatchOptions {
  readonly topic: string
  readonly partition: number
  readonly compression: CompressionType
  /** The time of creation (performance.now). `delivery.timeout.ms` starts at this time. */
  readonly createdAt: number
  /** The expected size of the records, in bytes. */
  readonly sizeHint?: number
  readonly memory?: BatchMemory
}

/** The producer id, epoch and base sequence in the header of a batch. */
interface ProducerState extends ProducerIdentity {
  readonly sequence: number
}

const NO_STATE: ProducerState = { producerId: -1, epoch: -1, sequence: NO_SEQUENCE }

const isSameState = (a: ProducerState, b: ProducerState): boolean =>
  a.sequence === b.sequence && a.epoch === b.epoch && a.producerId === b.producerId

/**
 * The records of one partition that are sent together, and the listeners that receive the outcome.
 * A batch accepts records until `close`. It is sent, and retried if necessary, until `acknowledge`
 * or `fail` sets the outcome.
 */
export class ProducerBatch implements DeliveredBatch {
  readonly topic: string
  readonly partition: number
  readonly compression: CompressionType
  readonly createdAt: number
  #bytes = 0
  #count = 0
  #isClosed = false
  #isDue = false
  #isDone = false
  #isOnWire = false
  #mayBeWritten = false
  #attempts = 0
  #error: Error | null = null
  #lastError: Error | null = null
  #baseOffset = -1
  #logAppendTime = -1
  #state = NO_STATE
  #sentState = NO_STATE
  #onDelivered: (() => void)[] = []
  readonly #builder: RecordBatchBuilder
  #data: Buffer | null = null
  #listener: DeliveryListener | undefined
  #listeners: (DeliveryListener | undefined)[] | null = null
  readonly #tokens: number[] = []
  readonly #timestamps: number[] = []

  constructor({ topic, partition, compression, createdAt, sizeHint = 1024, memory }: BatchOptions) {
    this.topic = topic
    this.partition = partition
    this.compression = compression
    this.createdAt = createdAt
    this.#builder = new RecordBatchBuilder({ compression, initialSize: sizeHint, ...(memory ? { memory } : {}) })
  }

  /** The number of records. */
  get count(): number {
    return this.#count
  }

  /** The number of bytes that the batch takes from `buffer.memory`. */
  get bytes(): number {
    return this.#bytes
  }

  /** The size of the batch so far, before compression, in bytes. */
  get rawSize(): number {
    return this.#builder.sizeInBytes
  }

  /**
   * The ratio of compressed to uncompressed size. It is 1 without compression, and before `encode`.
   */
  get ratio(): number {
    return this.#data && this.rawSize > HEADER_SIZE ? this.#data.length / this.rawSize : 1
  }

  /** Whether the batch accepts no more records. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Whether the batch should be sent as soon as possible. Until it is sent, an open batch still
   * accepts records.
   */
  get isDue(): boolean {
    return this.#isDue || this.#attempts > 0
  }

  /** Whether a request with this batch is in flight. */
  get isOnWire(): boolean {
    return this.#isOnWire
  }

  /** Whether the outcome is known. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Whether the batch was never sent, so that the broker cannot have written it. */
  get isUnsent(): boolean {
    return this.#attempts === 0 && !this.#mayBeWritten
  }

  get attempts(): number {
    return this.#attempts
  }

  /** Whether an attempt failed in such a way that the broker may have written the batch. */
  get mayBeWritten(): boolean {
    return this.#mayBeWritten
  }

  /** The error of the last attempt. */
  get lastError(): Error | null {
    return this.#lastError
  }

  /** The error with which the batch failed; null if it has not failed. */
  get error(): Error | null {
    return this.#error
  }

  /** The id and epoch of the producer to which the sequence belongs. */
  get identity(): ProducerIdentity {
    return this.#state
  }

  get sequence(): number {
    return this.#state.sequence
  }

  get hasSequence(): boolean {
    return this.#state.sequence !== NO_SEQUENCE
  }

  isFrom(identity: ProducerIdentity): boolean {
    return this.#state.epoch === identity.epoch && this.#state.producerId === identity.producerId
  }

  /**
   * Whether the sequence has changed since the batch was sent. A response then refers to the old
   * sequence.
   */
  get isRenumbered(): boolean {
    return !isSameState(this.#sentState, this.#state)
  }

  /** Whether any record of the batch has a listener. */
  get hasListener(): boolean {
    return this.#listener !== undefined || (this.#listeners?.some(l => l !== undefined) ?? false)
  }

  /** Adds a record. `bytes` is the number of bytes that the record takes from `buffer.memory`. */
  append(
    record: RecordData,
    timestamp: number,
    bytes: number,
    listener: DeliveryListener | undefined,
    token: number,
  ): void {
    this.#builder.append(record.key, record.value, timestamp, record.headers)
    if (this.#count === 0) this.#listener = listener
    else if (listener !== this.#listener && !this.#listeners) {
      this.#listeners = new Array<DeliveryListener | undefined>(this.#count).fill(this.#listener)
    }
    this.#listeners?.push(listener)
    this.#tokens.push(token)
    this.#timestamps.push(timestamp)
    this.#count++
    this.#bytes += bytes
  }

  /** Closes the batch, so that it accepts no more records. */
  close(): void {
    this.#isClosed = true
  }

  /** Makes the batch due, so that it is sent without waiting for more records. */
  makeDue(): void {
    this.#isDue = true
  }

  /** Sets the sequence of the first record, and the producer to which the sequence belongs. */
  number({ producerId, epoch }: ProducerIdentity, sequence: number): void {
    this.#state = { producerId, epoch, sequence }
  }

  /**
   * Returns the encoded batch, with its producer state. Must not be called while the batch is in
   * flight.
   */
  encode(): Buffer {
    this.#sentState = this.#state
    const data = this.#build()
    const { producerId: id, epoch, sequence } = this.#state
    const isCurrent =
      baseSequence(data, 0) === sequence && producerEpoch(data, 0) === epoch && producerId(data, 0) === id
    if (!isCurrent) setProducerState(data, 0, id, epoch, sequence)
    return data
  }

  #build(): Buffer {
    if (this.#data) return this.#data
    this.#isClosed = true
    this.#data = this.#builder.build()
    return this.#data
  }

  /** Starts an attempt to send the batch. */
  startAttempt(): void {
    this.#isClosed = true
    this.#isOnWire = true
    this.#attempts++
  }

  /** Ends an attempt, because its response has arrived or its request has failed. */
  endAttempt(): void {
    this.#isOnWire = false
  }

  /**
   * Stores the error of an attempt. `mayBeWritten` is true if the broker may have written the batch
   * despite the error.
   */
  attemptFailed(error: Error, mayBeWritten: boolean): void {
    this.#lastError = error
    if (mayBeWritten) this.#mayBeWritten = true
  }

  /**
   * Sets the outcome: the broker has acknowledged the batch. `baseOffset` and `logAppendTime` are
   * -1 if they are not known.
   */
  acknowledge(baseOffset: number, logAppendTime: number): void {
    this.#baseOffset = baseOffset
    this.#logAppendTime = logAppendTime
    this.#isDone = true
  }

  /** Sets the outcome: the batch has failed. */
  fail(error: Error): void {
    this.#error = error
    this.#isDone = true
  }

  /**
   * Returns the memory of an acknowledged batch to the pool. The memory of a failed batch is left
   * to the garbage collector, because a pending write may still read the memory.
   */
  releaseMemory(): void {
    if (this.#error || this.#isOnWire || !this.#data) return
    this.#data = null
    this.#builder.release()
  }

  /** Returns the listener, token and timestamp of a record. */
  senderOf(index: number): { listener: DeliveryListener | undefined; token: number; timestamp: number } {
    const listener = this.#listeners ? this.#listeners[index] : this.#listener
    return { listener, token: this.#tokens[index]!, timestamp: this.#timestamps[index]! }
  }

  /**
   * Prepares new batches that contain this batch's records and replace this batch. The new batches
   * are due at once. The last one takes over the bytes in `buffer.memory` and the `onDelivered`
   * callbacks.
   */
  replaceWith(parts: readonly ProducerBatch[]): void {
    for (const part of parts) {
      part.#isClosed = true
      part.#isDue = true
      part.#mayBeWritten = this.#mayBeWritten
    }
    const last = parts.at(-1)!
    last.#bytes = this.#bytes
    last.#onDelivered = this.#onDelivered
  }

  /** Adds a callback that is called when all listeners have received the outcome. */
  onDelivered(callback: () => void): void {
    this.#onDelivered.push(callback)
  }

  offsetOf(index: number): number {
    return this.#error || this.#baseOffset < 0 ? -1 : this.#baseOffset + index
  }

  timestampOf(index: number): number {
    return this.#logAppendTime >= 0 ? this.#logAppendTime : this.#timestamps[index]!
  }

  /** Calls the listeners, in order. Returns the first error that a listener threw, or null. */
  deliver(): unknown {
    let thrown: unknown = null
    for (let i = 0; i < this.#count; i++) {
      const listener = this.#listeners ? this.#listeners[i] : this.#listener
      if (!listener) continue
      try {
        listener.onDelivery(this.#tokens[i]!, this.#error, this, i)
      } catch (error) {
        thrown ??= error
      }
    }
    const waiting = this.#onDelivered
    this.#onDelivered = []
    for (const callback of waiting) callback()
    return thrown
  }
}
