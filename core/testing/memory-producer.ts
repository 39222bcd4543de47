import { Traffic } from '../client/net/traffic.ts'
import type {
  ClientTraffic,
  DeliveredBatch,
  DeliveryListener,
  PartitionInfo,
  Producer,
  ProducerRecord,
  RecordMetadata,
} from '../client/types.ts'
import { Signal } from '../common/async/signal.ts'
import type { MemoryLog } from './memory-log.ts'

interface Waiting {
  readonly record: ProducerRecord
  readonly listener: DeliveryListener | undefined
  readonly token: number
}

/** Controls whether producers accept and acknowledge records. A test changes it at any time. */
export class ProducerControl {
  /** Notified after each change. */
  readonly changed = new Signal()
  /** The number of records that may still be acknowledged. */
  #permits = Number.POSITIVE_INFINITY
  #discarding = false
  /** The maximum number of unacknowledged records. Above it, `append` returns false. */
  capacity = Number.POSITIVE_INFINITY

  /** Whether records are accepted but not acknowledged. */
  get held(): boolean {
    return this.#permits <= 0
  }

  hold(): void {
    this.#permits = 0
  }

  /** Allows `count` more acknowledgements. Later records are accepted but not acknowledged. */
  permit(count: number): void {
    this.#permits = count
    this.changed.notify()
  }

  /** Counts an acknowledgement against the permitted number. */
  acknowledged(): void {
    this.#permits--
  }

  release(): void {
    this.#permits = Number.POSITIVE_INFINITY
    this.changed.notify()
  }

  /** Whether records are discarded, as after a crash of the worker. */
  get discarding(): boolean {
    return this.#discarding
  }

  discard(): void {
    this.#discarding = true
    this.changed.notify()
  }
}

/**
 * A producer that writes to a log in memory. It calls `onWritten` for each acknowledged record.
 */
export class MemoryProducer implements Producer {
  readonly #log: MemoryLog
  readonly #control: ProducerControl
  readonly #onWritten: (record: ProducerRecord, token: number) => void
  readonly #settled = new Signal()
  #waiting: Waiting[] = []
  #scheduled = false
  #closed = false

  constructor(
    log: MemoryLog,
    control: ProducerControl,
    onWritten: (record: ProducerRecord, token: number) => void = () => {},
  ) {
    this.#log = log
    this.#control = control
    this.#onWritten = onWritten
    void this.#acknowledgeReleased()
  }

  append(record: ProducerRecord, listener?: DeliveryListener, token = 0): boolean {
    if (this.#control.discarding) return true
    if (this.#waiting.length >= this.#control.capacity) return false
    this.#waiting.push({ record, listener, token })
    this.#schedule()
    return true
  }

  async room(signal?: AbortSignal): Promise<void> {
    while (this.#waiting.length >= this.#control.capacity) {
      signal?.throwIfAborted()
      await this.#settled.next(undefined, signal)
    }
  }

  async send(records: readonly ProducerRecord[]): Promise<RecordMetadata[]> {
    return records.map(record => {
      const { topic, partition, offset, timestamp } = this.#log.append(record)
      return { topic, partition, offset, timestamp }
    })
  }

  async flush(signal?: AbortSignal): Promise<void> {
    while (this.#waiting.length > 0) {
      signal?.throwIfAborted()
      await this.#settled.next(undefined, signal)
    }
  }

  abortUnsent(after: number): void {
    const unsent = this.#waiting.filter(w => w.token > after)
    this.#waiting = this.#waiting.filter(w => w.token <= after)
    const error = Object.assign(new Error('the record was not sent because an earlier record failed'), {
      retriable: true,
    })
    for (const { listener, token, record } of unsent) {
      listener?.onDelivery(token, error, batchOf({ topic: record.topic, partition: 0, offset: -1, timestamp: -1 }), 0)
    }
    this.#settled.notify()
  }

  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    this.#log.createTopic(topic)
    return this.#log.partitionsOf(topic).map(partition => ({ topic, partition, leader: 0, replicas: [0], isr: [0] }))
  }

  traffic(): ClientTraffic {
    return new Traffic()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#control.changed.notify()
  }

  #schedule(): void {
    if (this.#scheduled || this.#control.held) return
    this.#scheduled = true
    // Acknowledges later, because a real producer never acknowledges within `append`.
    setImmediate(() => {
      this.#scheduled = false
      this.#acknowledge()
    })
  }

  #acknowledge(): void {
    while (!this.#control.held && !this.#closed && this.#waiting.length > 0) {
      const { record, listener, token } = this.#waiting.shift()!
      const appended = this.#log.append(record)
      this.#control.acknowledged()
      this.#onWritten(record, token)
      listener?.onDelivery(token, null, batchOf(appended), 0)
    }
    this.#settled.notify()
  }

  async #acknowledgeReleased(): Promise<void> {
    while (!this.#closed) {
      await this.#control.changed.next()
      if (this.#control.discarding) this.#waiting = []
      this.#settled.notify()
      this.#schedule()
    }
  }
}

/** Returns a batch that contains one record. */
function batchOf({ topic, partition, offset, timestamp }: RecordMetadata): DeliveredBatch {
  return { topic, partition, offsetOf: () => offset, timestampOf: () => timestamp }
}
