import { Traffic } from '../../../client/net/traffic.ts'
import type {
  ClientTraffic,
  DeliveredBatch,
  DeliveryListener,
  PartitionInfo,
  Producer,
  ProducerRecord,
  RecordMetadata,
} from '../../../client/types.ts'

interface Waiting {
  readonly record: ProducerRecord
  readonly listener: DeliveryListener | undefined
  readonly token: number
}

/** A producer whose records a test acknowledges in any order. */
export class FakeProducer implements Producer {
  readonly sent: ProducerRecord[] = []
  readonly waiting: Waiting[] = []
  /** The number of unacknowledged records at which `append` returns false. */
  capacity: number
  /** Whether every record is acknowledged immediately. */
  automatic = false
  closed = false
  #room: (() => void)[] = []
  #flushes: (() => void)[] = []
  #arrivals: (() => void)[] = []

  constructor(capacity = Number.POSITIVE_INFINITY) {
    this.capacity = capacity
  }

  append(record: ProducerRecord, listener?: DeliveryListener, token = 0): boolean {
    if (this.waiting.length >= this.capacity) return false
    this.sent.push(record)
    this.waiting.push({ record, listener, token })
    for (const arrived of this.#arrivals.splice(0)) arrived()
    if (this.automatic) queueMicrotask(() => this.ackAll())
    return true
  }

  /** Resolves when this number of records has been appended in total. */
  async arrived(count: number): Promise<void> {
    while (this.sent.length < count) await new Promise<void>(resolve => this.#arrivals.push(resolve))
  }

  /** Acknowledges the record at an index of `waiting`, or fails it with an error. */
  settle(index: number, error: Error | null = null): void {
    const [one] = this.waiting.splice(index, 1)
    one?.listener?.onDelivery(one.token, error, batchOf(one.record, error ? -1 : this.sent.indexOf(one.record)), 0)
    for (const resolve of this.#room.splice(0)) resolve()
    if (this.waiting.length === 0) for (const resolve of this.#flushes.splice(0)) resolve()
  }

  ackAll(): void {
    while (this.waiting.length > 0) this.settle(0)
  }

  room(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#room.push(resolve)
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  }

  async send(records: readonly ProducerRecord[]): Promise<RecordMetadata[]> {
    this.sent.push(...records)
    return records.map(r => ({ topic: r.topic, partition: 0, offset: 0, timestamp: 0 }))
  }

  flush(signal?: AbortSignal): Promise<void> {
    if (this.waiting.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#flushes.push(resolve)
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  }

  /** The topics that are not writable, and the error that `partitionsFor` throws for them. */
  readonly topicErrors = new Map<string, Error>()

  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    const error = this.topicErrors.get(topic)
    if (error) throw error
    return []
  }

  /**
   * Fails all records after this token that are not acknowledged. This producer treats them as
   * unsent.
   */
  abortUnsent(after: number): void {
    const unsent = this.waiting.filter(w => w.token > after)
    for (const w of unsent) this.waiting.splice(this.waiting.indexOf(w), 1)
    for (const w of unsent) this.sent.splice(this.sent.indexOf(w.record), 1)
    const error = Object.assign(new Error('not sent'), { retriable: true })
    queueMicrotask(() => {
      for (const w of unsent) w.listener?.onDelivery(w.token, error, batchOf(w.record, -1), 0)
      if (this.waiting.length === 0) for (const resolve of this.#flushes.splice(0)) resolve()
    })
  }

  traffic(): ClientTraffic {
    return new Traffic()
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

/** Returns a batch that contains one record. */
function batchOf({ topic }: ProducerRecord, offset: number): DeliveredBatch {
  return { topic, partition: 0, offsetOf: () => offset, timestampOf: () => 0 }
}
