import { timerMs } from '../../common/async/timer.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { errorFor } from '../../protocol/error-codes.ts'
import { type BatchMemory, estimateRecordSize, MAX_UTF8_PER_UNIT } from '../../protocol/records/batch-builder.ts'
import { HEADER_SIZE } from '../../protocol/records/batch-header.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { fatalTopicError } from '../cluster/topics.ts'
import { clientErrors } from '../errors.ts'
import type { DeliveryListener, ProducerRecord } from '../types.ts'
import { ProducerBatch } from './batch.ts'
import { BufferMemory } from './memory.ts'
import type { ProducerSettings } from './options.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { partitionOfKey } from './partitioner.ts'
import { type PendingRecord, TopicQueue } from './topic-queue.ts'

/** Told of what the accumulator has for the network. */
export interface AccumulatorEvents {
  /** This partition has a batch that should be sent now. */
  onReady(queue: PartitionQueue): void
  /** This record will never get into a batch. */
  onRefused(record: PendingRecord, error: Error): void
}

/** A batch that is about as long as the one before does not have to grow. */
const SIZE_SLACK = 64
/** Up to this length, in UTF-16 units, text is encoded straight into the batch. */
const SHORT_TEXT = 4096

interface Lingering {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
}

/** Takes records and gathers them into batches by partition: what happens on `append`, before the network. */
export class Accumulator {
  readonly topics = new Map<string, TopicQueue>()
  readonly memory: BufferMemory
  readonly #settings: ProducerSettings
  readonly #cluster: Cluster
  readonly #batchMemory: BatchMemory
  readonly #events: AccumulatorEvents
  /** Batches that wait for more records, the one with the earliest end first. */
  #lingering: Lingering[] = []
  #lingerTimer: NodeJS.Timeout | null = null
  /** `append` was refused for lack of memory: nothing lingers until there is room again. */
  #pressed = false

  constructor(settings: ProducerSettings, cluster: Cluster, batchMemory: BatchMemory, events: AccumulatorEvents) {
    this.#batchMemory = batchMemory
    this.#settings = settings
    this.#cluster = cluster
    this.#events = events
    this.memory = new BufferMemory(settings.bufferMemory)
  }

  append(record: ProducerRecord, listener: DeliveryListener | undefined, token: number): boolean {
    const { key, value } = record
    const wrong = whatIsWrong(record)
    if (wrong) {
      const error = clientErrors.create('MR_CLIENT_BAD_RECORD', { topic: record.topic, cause: wrong })
      this.#events.onRefused({ record, timestamp: -1, listener, token, bytes: 0, deadline: 0 }, error)
      return true
    }
    const settings = this.#settings
    const bytes = estimateRecordSize(key, value, record.headers)
    // Short text is counted as if it were ASCII. If that could exceed a limit, it is encoded here.
    if (typeof value === 'string' && (value.length > SHORT_TEXT || mostBytes(bytes, value) > settings.maxRequestSize)) {
      return this.append({ ...record, value: Buffer.from(value) }, listener, token)
    }
    const timestamp = record.timestamp ?? Date.now()
    if (bytes + HEADER_SIZE > settings.maxRequestSize || bytes > settings.bufferMemory) {
      this.#events.onRefused(
        { record, timestamp, listener, token, bytes: 0, deadline: 0 },
        tooLarge(record.topic, bytes, settings),
      )
      return true
    }
    if (!this.memory.take(bytes)) {
      this.#press()
      return false
    }
    this.#pressed = false
    let topic = this.topics.get(record.topic)
    if (!topic) topic = this.#addTopic(record.topic)
    const queue = topic.pending.length === 0 && topic.followed ? this.#choose(topic, record) : null
    if (queue) {
      this.#put(topic, queue, record, timestamp, bytes, listener, token)
    } else {
      topic.lastUsed = performance.now()
      const deadline = topic.lastUsed + settings.maxBlockMs
      topic.pending.push({ record, timestamp, listener, token, bytes, deadline })
      if (!topic.resolving) this.#resolve(topic)
    }
    return true
  }

  /** Lets nothing wait for its linger: what there is now is to be sent. */
  hurry(): void {
    const lingering = this.#lingering
    this.#lingering = []
    if (this.#lingerTimer) clearTimeout(this.#lingerTimer)
    this.#lingerTimer = null
    for (const { queue, batch } of lingering) this.#due(queue, batch)
  }

  /** Every partition that has batches. */
  *queues(): Iterable<PartitionQueue> {
    for (const topic of this.topics.values()) for (const q of topic.partitions) if (q.order.length > 0) yield q
  }

  /** Fails what never got to a partition. */
  failPending(error: Error, which: (p: PendingRecord) => boolean = () => true): void {
    for (const topic of this.topics.values()) this.#failPending(topic, error, which)
  }

  /** Takes up partitions that the metadata shows by now, and lets go of topics that nobody has written to for long. */
  onMetadata(): void {
    const idleSince = performance.now() - this.#settings.metadataMaxIdleMs
    for (const topic of this.topics.values()) {
      topic.resize(this.#countOf(topic))
      if (topic.lastUsed > idleSince || topic.busy) continue
      // Its sequences are kept: the broker remembers them too.
      topic.followed = false
      this.#cluster.untrack(topic.name)
    }
  }

  close(): void {
    if (this.#lingerTimer) clearTimeout(this.#lingerTimer)
    this.#lingerTimer = null
    this.#lingering = []
  }

  #addTopic(name: string): TopicQueue {
    const topic = new TopicQueue(name, this.#settings.batchSize)
    this.topics.set(name, topic)
    return topic
  }

  #countOf(topic: TopicQueue): number {
    return this.#cluster.metadata.topic(topic.name)?.partitions.length ?? 0
  }

  #choose(topic: TopicQueue, record: ProducerRecord): PartitionQueue | null {
    const { count } = topic
    if (count === 0) return null
    const given = record.partition
    if (given !== undefined && given !== null) return given < count ? topic.partitions[given]! : null
    if (record.key !== null) return topic.partitions[partitionOfKey(record.key, count)]!
    const { sticky } = topic
    if (sticky.current < 0) {
      const { metadata } = this.#cluster
      sticky.pick(count, p => (metadata.partition(topic.name, p)?.leader ?? -1) >= 0)
    }
    return topic.partitions[sticky.current]!
  }

  #put(
    topic: TopicQueue,
    queue: PartitionQueue,
    record: ProducerRecord,
    timestamp: number,
    bytes: number,
    listener: DeliveryListener | undefined,
    token: number,
  ): void {
    const { batchSize, compressionType, maxRequestSize } = this.#settings
    const limit = Math.min(maxRequestSize, compressionType === 'none' ? batchSize : batchSize / (topic.ratio * 1.05))
    let batch = queue.open
    const most = typeof record.value === 'string' ? mostBytes(bytes, record.value) : bytes + HEADER_SIZE
    if (batch && batch.rawSize + most - HEADER_SIZE > limit) {
      batch.closed = true
      queue.sizeHint = batch.rawSize + SIZE_SLACK
      this.#due(queue, batch)
      batch = null
    }
    if (!batch) {
      topic.lastUsed = performance.now()
      batch = new ProducerBatch(compressionType, topic.lastUsed, queue.sizeHint, this.#batchMemory)
      queue.order.push(batch)
      this.#linger(queue, batch)
    }
    batch.append(record.key, record.value, timestamp, record.headers, bytes, listener, token)
    const full = batch.rawSize >= limit
    if (full) {
      batch.closed = true
      this.#due(queue, batch)
    }
    if (record.key === null) topic.sticky.took(bytes, full)
  }

  #due(queue: PartitionQueue, batch: ProducerBatch): void {
    batch.due = true
    this.#events.onReady(queue)
  }

  #linger(queue: PartitionQueue, batch: ProducerBatch): void {
    if (this.#settings.lingerMs === 0 || this.#pressed) {
      this.#due(queue, batch)
      return
    }
    this.#lingering.push({ queue, batch })
    this.#lingerTimer ??= setTimeout(() => this.#onLinger(), timerMs(this.#settings.lingerMs))
  }

  #onLinger(): void {
    this.#lingerTimer = null
    const until = performance.now() - this.#settings.lingerMs
    let n = 0
    for (; n < this.#lingering.length; n++) {
      const { queue, batch } = this.#lingering[n]!
      if (batch.due || batch.done) continue
      if (batch.createdAt > until) break
      this.#due(queue, batch)
    }
    this.#lingering = this.#lingering.slice(n)
    const first = this.#lingering[0]
    if (first) this.#lingerTimer = setTimeout(() => this.#onLinger(), timerMs(first.batch.createdAt - until))
  }

  #press(): void {
    if (this.#pressed) return
    this.#pressed = true
    this.hurry()
  }

  /** Waits for the metadata of a topic and then puts its pending records where they belong. Never rejects. */
  #resolve(topic: TopicQueue): void {
    topic.resolving = true
    topic.followed = true
    this.#cluster.track([topic.name])
    this.#place(topic).then(
      () => {
        topic.resolving = false
        const waiting = topic.onResolved
        topic.onResolved = []
        for (const f of waiting) f()
      },
      error => this.#cluster.options.logger.error(`records for ${topic.name} could not be placed`, error),
    )
  }

  async #place(topic: TopicQueue): Promise<void> {
    while (topic.pending.length > 0) {
      const first = topic.pending[0]!
      try {
        await this.#cluster.until(
          // it may have been taken back meanwhile
          () => (topic.pending[0] === first ? this.#lookUp(topic, first) : true),
          first.deadline - performance.now(),
          cause => this.#missing(topic, first, cause),
        )
      } catch (error) {
        const fatal = !(error as { retriable?: boolean }).retriable || this.#cluster.signal.aborted
        const now = performance.now()
        this.#failPending(topic, error as Error, p => fatal || p === first || p.deadline <= now)
        // Nobody waits for it any more; whoever writes to it next asks again.
        if (topic.pending.length === 0 && topic.partitions.length === 0) {
          this.#cluster.untrack(topic.name)
          this.topics.delete(topic.name)
        }
        continue
      }
      this.onMetadata()
      let placed = 0
      for (; placed < topic.pending.length; placed++) {
        const next = topic.pending[placed]!
        const queue = this.#choose(topic, next.record)
        if (!queue) break
        this.#put(topic, queue, next.record, next.timestamp, next.bytes, next.listener, next.token)
      }
      topic.pending = topic.pending.slice(placed)
    }
  }

  /** True when the record's partition is in the metadata; throws what no waiting can cure. */
  #lookUp(topic: TopicQueue, first: PendingRecord): true | null {
    const state = this.#cluster.metadata.topics.get(topic.name)
    const fatal = fatalTopicError(state)
    if (fatal) {
      // Not remembered: the next record asks again.
      this.#cluster.metadata.forget(topic.name)
      throw fatal
    }
    const count = state?.errorCode === 0 ? state.partitions.length : 0
    return count > (first.record.partition ?? 0) ? true : null
  }

  #missing(topic: TopicQueue, first: PendingRecord, cause: unknown): Error {
    const state = this.#cluster.metadata.topics.get(topic.name)
    const count = state?.partitions.length ?? 0
    if (count > 0) {
      const partition = first.record.partition ?? 0
      return clientErrors.create('MR_CLIENT_UNKNOWN_PARTITION', { topic: topic.name, count, partition })
    }
    const why = cause ? messageOf(cause) : state?.errorCode ? errorFor(state.errorCode).detail : 'it does not exist'
    return clientErrors.create(
      'MR_CLIENT_METADATA_TIMEOUT',
      { topic: topic.name, ms: this.#settings.maxBlockMs, cause: why },
      cause ? { cause } : undefined,
    )
  }

  #failPending(topic: TopicQueue, error: Error, which: (p: PendingRecord) => boolean): void {
    const failed = topic.pending.filter(which)
    topic.pending = topic.pending.filter(p => !which(p))
    for (const p of failed) {
      this.memory.release(p.bytes)
      this.#events.onRefused(p, error)
    }
  }
}

/** The most that a batch of one record takes whose size was estimated as `bytes` from this text. */
function mostBytes(bytes: number, text: string): number {
  return HEADER_SIZE + bytes + text.length * (MAX_UTF8_PER_UNIT - 1)
}

function whatIsWrong({ topic, partition, key, value, timestamp, headers }: ProducerRecord): string | null {
  if (key !== null && !(key instanceof Uint8Array)) return `its key is a ${typeof key}`
  if (value !== null && typeof value !== 'string' && !(value instanceof Uint8Array)) {
    return `its value is a ${typeof value}`
  }
  if (isWrongNumber(timestamp)) return `its timestamp is ${timestamp}`
  if (isWrongNumber(partition)) return `its partition is ${partition}`
  for (const h of headers ?? []) {
    if (typeof h.key !== 'string') return `the key of a header is a ${typeof h.key}`
    if (h.value !== null && !(h.value instanceof Uint8Array)) return `its header ${h.key} is a ${typeof h.value}`
  }
  return topic === '' ? 'its topic has no name' : null
}

function isWrongNumber(n: number | null | undefined): boolean {
  return n !== undefined && n !== null && !(Number.isInteger(n) && n >= 0)
}

function tooLarge(topic: string, bytes: number, settings: ProducerSettings): Error {
  const overRequest = bytes + HEADER_SIZE > settings.maxRequestSize
  return clientErrors.create('MR_CLIENT_RECORD_TOO_LARGE', {
    size: bytes,
    topic,
    limit: overRequest ? settings.maxRequestSize : settings.bufferMemory,
    key: overRequest ? 'max.request.size' : 'buffer.memory',
  })
}
