import { orAbort } from '../../common/async/or-abort.ts'
import { timeLimit } from '../../common/async/time-limit.ts'
import { BufferPool } from '../../common/buffer-pool.ts'
import type { BatchMemory } from '../../protocol/records/batch-builder.ts'
import { Cluster } from '../cluster/cluster.ts'
import { topicPartitions } from '../cluster/topics.ts'
import { clientErrors } from '../errors.ts'
import type {
  ClientTraffic,
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
 * The most memory of acknowledged batches that a producer keeps for its next ones. While records keep
 * coming, new batches take it at once, so little is idle.
 */
const MAX_IDLE_BYTES = 4 << 20

/** Makes a producer. Throws a ConfigError on options that cannot work. Connects when first used. */
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
  /** Records rejected while waiting for their topic, and why: their listeners are called soon. */
  #refused: { record: PendingRecord; error: Error }[] = []
  #refusedTimer: NodeJS.Immediate | null = null
  #expiryTimer: NodeJS.Timeout | null = null
  #state: 'open' | 'closing' | 'closed' = 'open'
  #closing: Promise<void> | null = null

  constructor(settings: ProducerSettings, batchMemory: BatchMemory) {
    this.#settings = settings
    this.#cluster = new Cluster(settings.common, { autoCreateTopics: true })
    this.#sender = new Sender(settings, this.#cluster, {
      topic: name => this.#accumulator.topics.get(name),
      onFinished: (_queue, batch) => {
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
    const taken = this.#accumulator.append(record, listener, token)
    // as in Java: the caller learns of the rejection before it appends the next record
    if (this.#refused.length > 0) this.#tellRefused()
    return taken
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
    // Whoever waits for these records does not wait for others to fill the batch.
    this.#accumulator.hurry()
    return orAbort(tally.done, signal)
  }

  async flush(signal?: AbortSignal): Promise<void> {
    const waits: Promise<void>[] = []
    const once = (list: (() => void)[]) => waits.push(new Promise(resolve => list.push(resolve)))
    for (const topic of this.#accumulator.topics.values()) if (topic.resolving) once(topic.onResolved)
    if (waits.length > 0) {
      await orAbort(Promise.all(waits), signal)
      waits.length = 0
    }
    this.#tellRefused()
    this.#accumulator.hurry()
    for (const queue of this.#accumulator.queues()) {
      // Batches of a partition are settled in order, so the last one stands for all.
      const last = queue.order.at(-1)!
      last.onDelivered ??= []
      once(last.onDelivered)
    }
    await orAbort(Promise.all(waits), signal)
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
      this.#settings.common.logger.warn(`closed after ${timeoutMs} ms with records not delivered`, error)
    }
    this.#state = 'closed'
    const error = closedError()
    if (this.#expiryTimer) clearInterval(this.#expiryTimer)
    this.#sender.close()
    this.#accumulator.close()
    this.#cluster.close(error)
    this.#accumulator.failPending(error)
    for (const queue of [...this.#accumulator.queues()]) this.#sender.failAll(queue, error)
    this.#tellRefused()
  }

  #refuse(record: PendingRecord, error: Error): void {
    this.#refused.push({ record, error })
    this.#refusedTimer ??= setImmediate(() => this.#tellRefused())
  }

  #tellRefused(): void {
    if (this.#refusedTimer) clearImmediate(this.#refusedTimer)
    this.#refusedTimer = null
    const refused = this.#refused
    this.#refused = []
    const { logger } = this.#settings.common
    for (const { record: r, error } of refused) {
      if (!r.listener) {
        logger.warn(`lost a record for ${r.record.topic}: ${error.message}`)
        continue
      }
      try {
        r.listener.onDelivery(r.token, error, r.record.topic, r.record.partition ?? -1, -1, r.timestamp)
      } catch (thrown) {
        logger.error('a delivery listener has thrown', thrown)
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

function closedError(): Error {
  return clientErrors.create('MR_CLIENT_CLOSED', { what: 'producer' })
}
