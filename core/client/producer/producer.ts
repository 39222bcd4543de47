import { orAbort } from '../../common/async/or-abort.ts'
import { timeLimit } from '../../common/async/time-limit.ts'
import { BufferPool } from '../../common/buffer-pool.ts'
import type { BatchMemory } from '../../protocol/records/batch-builder.ts'
import { Cluster } from '../cluster/cluster.ts'
import { topicPartitions } from '../cluster/topics.ts'
import { clientErrors } from '../errors.ts'
import type {
  ClientTraffic,
  DeliveredBatch,
  DeliveryListener,
  PartitionInfo,
  Producer,
  ProducerOptions,
  ProducerRecord,
  RecordMetadata,
} from '../types.ts'
import { Accumulator } from './accumulator.ts'
import { type ProducerSettings, producerSettings } from './options.ts'
import { SendTally } from './send-tally.ts'
import { Sender } from './sender.ts'
import type { PendingRecord } from './topic-queue.ts'

/**
 * The maximum number of bytes in a producer's pool of idle buffers. Buffers of acknowledged batches
 * are reused for new batches. Under load, buffers are reused at once, so few buffers are idle.
 */
const MAX_IDLE_BYTES = 4 << 20

/**
 * Creates a producer, which connects when it is first used. Throws a ConfigError for invalid
 * options.
 */
export function createProducer(options: ProducerOptions): Producer {
  const settings = producerSettings(options)
  return producerWith(settings, new BufferPool({ maxIdleBytes: Math.min(settings.bufferMemory, MAX_IDLE_BYTES) }))
}

export function producerWith(settings: ProducerSettings, batchMemory: BatchMemory): Producer {
  return new KafkaProducer(settings, batchMemory)
}

class KafkaProducer implements Producer {
  readonly #settings: ProducerSettings
  readonly #cluster: Cluster
  readonly #accumulator: Accumulator
  readonly #sender: Sender
  /** The refused records whose listeners have not been called yet. */
  #refused: { record: PendingRecord; error: Error }[] = []
  #refusedTimer: NodeJS.Immediate | null = null
  #expiryTimer: NodeJS.Timeout | null = null
  #state: 'open' | 'closing' | 'closed' = 'open'
  #closing: Promise<void> | null = null

  constructor(settings: ProducerSettings, batchMemory: BatchMemory) {
    this.#settings = settings
    this.#cluster = new Cluster(settings.common, { autoCreateTopics: true })
    this.#sender = new Sender(settings, this.#cluster, {
      topic: name => this.#accumulator.topic(name),
      onFinished: batch => {
        this.#accumulator.memory.release(batch.bytes)
        batch.releaseMemory()
      },
    })
    this.#accumulator = new Accumulator(settings, this.#cluster, batchMemory, {
      onReady: queue => this.#sender.enqueue(queue),
      onRefused: (record, error) => this.#refuse(record, error),
    })
    this.#cluster.onUpdate(() => this.#accumulator.onMetadata())
  }

  append(record: ProducerRecord, listener?: DeliveryListener, token = 0): boolean {
    if (this.#state !== 'open') throw closedError()
    if (this.#expiryTimer === null) this.#armExpiry()
    const isAppended = this.#accumulator.append(record, listener, token)
    // As in Java, the listener receives the error before the next record is appended.
    if (this.#refused.length > 0) this.#notifyRefused()
    return isAppended
  }

  async room(signal?: AbortSignal): Promise<void> {
    if (this.#state === 'closed') throw closedError()
    const limit = signal ? AbortSignal.any([signal, this.#cluster.signal]) : this.#cluster.signal
    await this.#accumulator.memory.room(limit)
  }

  async send(records: readonly ProducerRecord[], signal?: AbortSignal): Promise<RecordMetadata[]> {
    const tally = new SendTally(records.length)
    for (let i = 0; i < records.length; i++) {
      while (!this.append(records[i]!, tally, i)) await this.room(signal)
    }
    // The caller waits for these records, so do not wait for linger.ms.
    this.#accumulator.flushNow()
    return orAbort(tally.done, signal)
  }

  async flush(signal?: AbortSignal): Promise<void> {
    const resolving = [...this.#accumulator.resolvingTopics()]
    if (resolving.length > 0) {
      const resolved = resolving.map(topic => new Promise<void>(resolve => topic.onResolved(resolve)))
      await orAbort(Promise.all(resolved), signal)
    }
    this.#notifyRefused()
    this.#accumulator.flushNow()
    // The batches of a partition are delivered in order, so waiting for the last batch is
    // sufficient.
    const last = [...this.#accumulator.queues()].map(queue => queue.batches.at(-1)!)
    const delivered = last.map(batch => new Promise<void>(resolve => batch.onDelivered(resolve)))
    await orAbort(Promise.all(delivered), signal)
  }

  abortUnsent(after: number): void {
    const error = clientErrors.create('MR_CLIENT_ABORTED', {})
    this.#accumulator.failPending(error, p => p.token > after)
    for (const queue of this.#accumulator.queues()) this.#sender.abortUnsent(queue, after, error)
  }

  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    if (this.#state === 'closed') throw closedError()
    return topicPartitions(this.#cluster, topic, this.#settings.maxBlockMs)
  }

  traffic(): ClientTraffic {
    return this.#cluster.traffic
  }

  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? this.#settings.deliveryTimeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#state = 'closing'
    try {
      if (timeoutMs > 0) await this.flush(AbortSignal.any([timeLimit(timeoutMs), this.#cluster.signal]))
    } catch (error) {
      this.#settings.common.logger.warn(`The producer closed after ${timeoutMs} ms with undelivered records`, error)
    }
    this.#state = 'closed'
    const error = closedError()
    if (this.#expiryTimer) clearInterval(this.#expiryTimer)
    this.#sender.close()
    this.#accumulator.close()
    this.#cluster.close(error)
    this.#accumulator.failPending(error)
    for (const queue of [...this.#accumulator.queues()]) this.#sender.failAll(queue, error)
    this.#notifyRefused()
  }

  #refuse(record: PendingRecord, error: Error): void {
    this.#refused.push({ record, error })
    this.#refusedTimer ??= setImmediate(() => this.#notifyRefused())
  }

  #notifyRefused(): void {
    if (this.#refusedTimer) clearImmediate(this.#refusedTimer)
    this.#refusedTimer = null
    const refused = this.#refused
    this.#refused = []
    const { logger } = this.#settings.common
    for (const { record: r, error } of refused) {
      if (!r.listener) {
        logger.warn(`Lost a record for ${r.record.topic}: ${error.message}`)
        continue
      }
      try {
        r.listener.onDelivery(r.token, error, new RefusedRecord(r), 0)
      } catch (thrown) {
        logger.error('A delivery listener threw an error', thrown)
      }
    }
  }

  #armExpiry(): void {
    const every = Math.max(20, Math.min(1000, this.#settings.deliveryTimeoutMs / 4))
    this.#expiryTimer = setInterval(() => {
      const now = performance.now()
      let waiting = false
      for (const queue of this.#accumulator.queues()) {
        waiting = true
        this.#sender.expire(queue, now)
      }
      if (waiting || !this.#expiryTimer) return
      clearInterval(this.#expiryTimer)
      this.#expiryTimer = null
    }, every)
  }
}

/** The batch that the listener receives for a record that was not added to a batch. */
class RefusedRecord implements DeliveredBatch {
  readonly topic: string
  readonly partition: number
  readonly #timestamp: number

  constructor({ record, timestamp }: PendingRecord) {
    this.topic = record.topic
    this.partition = record.partition ?? -1
    this.#timestamp = timestamp
  }

  offsetOf(): number {
    return -1
  }

  timestampOf(): number {
    return this.#timestamp
  }
}

function closedError(): Error {
  return clientErrors.create('MR_CLIENT_CLOSED', { what: 'producer' })
}
