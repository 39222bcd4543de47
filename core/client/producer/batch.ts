import { type BatchMemory, RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import {
  baseSequence,
  HEADER_SIZE,
  producerEpoch,
  producerId,
  setProducerState,
} from '../../protocol/records/batch-header.ts'
import type { CompressionType, DeliveryListener, RecordHeader } from '../types.ts'

/** No sequence: the producer is not idempotent, or the batch has never been sent. */
export const NO_SEQUENCE = -1

/** Records of one partition that travel together, with what is needed to tell their senders what became of them. */
export class ProducerBatch {
  readonly compression: CompressionType
  readonly createdAt: number
  /** Bytes taken from `buffer.memory`. */
  bytes = 0
  count = 0
  /** No more records are taken. */
  closed = false
  /** To be sent as soon as possible, though it may still take records until then. */
  due = false
  /** Its fate is known. Told to the listeners when all earlier batches of the partition have been. */
  done = false
  error: Error | null = null
  baseOffset = -1
  logAppendTime = -1
  /** An attempt ended without saying whether it was written: only an acknowledgement can still tell. */
  uncertain = false
  /** On its way to a broker at this moment. */
  onWire = false
  attempts = 0
  lastError: Error | null = null
  producerId = -1
  producerEpoch = -1
  sequence = NO_SEQUENCE
  /** The identity and sequence that were last sent, which a failure before it can have changed since. */
  #sentProducerId = -1
  #sentEpoch = -1
  #sentSequence = NO_SEQUENCE
  /** Called once all listeners have been told. */
  onDelivered: (() => void)[] | null = null
  readonly #builder: RecordBatchBuilder
  #data: Buffer | null = null
  #listener: DeliveryListener | undefined
  #listeners: (DeliveryListener | undefined)[] | null = null
  readonly #tokens: number[] = []
  readonly #timestamps: number[] = []

  /** `sizeHint`: how many bytes its records will probably take. */
  constructor(compression: CompressionType, now: number, sizeHint = 1024, memory?: BatchMemory) {
    this.compression = compression
    this.createdAt = now
    this.#builder = new RecordBatchBuilder({ compression, initialSize: sizeHint, ...(memory ? { memory } : {}) })
  }

  /** The bytes of its records so far, before compression. */
  get rawSize(): number {
    return this.#builder.sizeInBytes
  }

  append(
    key: Buffer | null,
    value: Buffer | string | null,
    timestamp: number,
    headers: readonly RecordHeader[] | undefined,
    bytes: number,
    listener: DeliveryListener | undefined,
    token: number,
  ): void {
    this.#builder.append(key, value, timestamp, headers)
    if (this.count === 0) this.#listener = listener
    else if (listener !== this.#listener && !this.#listeners) {
      this.#listeners = new Array<DeliveryListener | undefined>(this.count).fill(this.#listener)
    }
    this.#listeners?.push(listener)
    this.#tokens.push(token)
    this.#timestamps.push(timestamp)
    this.count++
    this.bytes += bytes
  }

  /** The encoded batch with its producer state, ready to be sent. Its bytes must not be on the wire at this moment. */
  encode(): Buffer {
    this.#sentProducerId = this.producerId
    this.#sentEpoch = this.producerEpoch
    this.#sentSequence = this.sequence
    const data = this.#build()
    if (!this.#hasState(data)) setProducerState(data, 0, this.producerId, this.producerEpoch, this.sequence)
    return data
  }

  /** Compressed bytes for each raw byte; 1 without compression. Known after `encode`. */
  get ratio(): number {
    return this.#data && this.rawSize > HEADER_SIZE ? this.#data.length / this.rawSize : 1
  }

  #build(): Buffer {
    if (this.#data) return this.#data
    this.closed = true
    this.#data = this.#builder.build()
    return this.#data
  }

  /**
   * Lets the next batch use the memory of this one, which the broker has acknowledged. That of any
   * other may still be read: it is left to the garbage collector.
   */
  releaseMemory(): void {
    if (this.error || this.onWire || !this.#data) return
    this.#data = null
    this.#builder.release()
  }

  /** Whether it was numbered anew after it was sent: the answer speaks of numbers that are no longer its own. */
  get renumbered(): boolean {
    return (
      this.#sentSequence !== this.sequence ||
      this.#sentEpoch !== this.producerEpoch ||
      this.#sentProducerId !== this.producerId
    )
  }

  #hasState(data: Buffer): boolean {
    return (
      baseSequence(data, 0) === this.sequence &&
      producerEpoch(data, 0) === this.producerEpoch &&
      producerId(data, 0) === this.producerId
    )
  }

  /** Whether somebody wants to know what becomes of the records. */
  get watched(): boolean {
    return this.#listener !== undefined || (this.#listeners?.some(l => l !== undefined) ?? false)
  }

  /** Who sent the i-th record, with what token and timestamp: for splitting. */
  senderOf(i: number): { listener: DeliveryListener | undefined; token: number; timestamp: number } {
    const listener = this.#listeners ? this.#listeners[i] : this.#listener
    return { listener, token: this.#tokens[i]!, timestamp: this.#timestamps[i]! }
  }

  /** Tells the listeners, in order. Returns what a listener threw, which it must not. */
  deliver(topic: string, partition: number): unknown {
    let thrown: unknown = null
    for (let i = 0; i < this.count; i++) {
      const listener = this.#listeners ? this.#listeners[i] : this.#listener
      if (!listener) continue
      const offset = this.error || this.baseOffset < 0 ? -1 : this.baseOffset + i
      const timestamp = this.logAppendTime >= 0 ? this.logAppendTime : this.#timestamps[i]!
      try {
        listener.onDelivery(this.#tokens[i]!, this.error, topic, partition, offset, timestamp)
      } catch (error) {
        thrown ??= error
      }
    }
    const waiting = this.onDelivered
    this.onDelivered = null
    if (waiting) for (const f of waiting) f()
    return thrown
  }
}
