import { timerMs } from '../../common/async/timer.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { errorFor } from '../../protocol/error-codes.ts'
import { type BatchMemory, estimateRecordSize, MAX_UTF8_PER_UNIT } from '../../protocol/records/batch-builder.ts'
import { HEADER_SIZE } from '../../protocol/records/batch-header.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { fatalTopicError } from '../cluster/topics.ts'
import { clientErrors } from '../errors.ts'
import type { DeliveryListener, ProducerRecord } from '../types.ts'
import type { ProducerBatch } from './batch.ts'
import { BufferMemory } from './memory.ts'
import type { ProducerSettings } from './options.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { partitionOfKey } from './partitioner.ts'
import { type PendingRecord, TopicQueue } from './topic-queue.ts'

/** Receives the events of an accumulator. */
export interface AccumulatorEvents {
  /** Called when a batch of the partition is due. */
  onReady(queue: PartitionQueue): void
  /** Called when a record cannot be added to a batch. */
  onRefused(record: PendingRecord, error: Error): void
}

/**
 * The maximum length, in UTF-16 code units, of a string that is encoded directly into the batch.
 */
const SHORT_TEXT = 4096

/** A batch that waits for more records until `linger.ms` has passed. */
interface LingeringBatch {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
}

/** Collects the appended records into batches, one open batch for each partition. */
export class Accumulator {
  readonly #topics = new Map<string, TopicQueue>()
  /** The topic of the last record. */
  #last: TopicQueue | null = null
  readonly memory: BufferMemory
  readonly #settings: ProducerSettings
  readonly #cluster: Cluster
  readonly #batchMemory: BatchMemory
  readonly #events: AccumulatorEvents
  /** The batches that linger, in the order of their creation. */
  #lingering: LingeringBatch[] = []
  #lingerTimer: NodeJS.Timeout | null = null
  /** Whether `buffer.memory` is exhausted. In this case, batches do not linger. */
  #isFull = false

  constructor(settings: ProducerSettings, cluster: Cluster, batchMemory: BatchMemory, events: AccumulatorEvents) {
    this.#batchMemory = batchMemory
    this.#settings = settings
    this.#cluster = cluster
    this.#events = events
    this.memory = new BufferMemory(settings.bufferMemory)
  }

  /** Adds a record. Returns false if the record does not fit into `buffer.memory`. */
  append(record: ProducerRecord, listener: DeliveryListener | undefined, token: number): boolean {
    const { key, value } = record
    const fault = faultOf(record)
    if (fault) {
      const error = clientErrors.create('MR_CLIENT_BAD_RECORD', { topic: record.topic, cause: fault })
      this.#refuse({ record, timestamp: -1, listener, token }, error)
      return true
    }
    const settings = this.#settings
    const bytes = estimateRecordSize(key, value, record.headers)
    // `bytes` counts a string as if it were ASCII. A long string, or one that may exceed the limit,
    // is encoded now to get its exact size.
    if (typeof value === 'string' && (value.length > SHORT_TEXT || mostBytes(bytes, value) > settings.maxRequestSize)) {
      return this.append({ ...record, value: Buffer.from(value) }, listener, token)
    }
    const timestamp = record.timestamp ?? Date.now()
    if (bytes + HEADER_SIZE > settings.maxRequestSize || bytes > settings.bufferMemory) {
      this.#refuse({ record, timestamp, listener, token }, tooLarge(record.topic, bytes, settings))
      return true
    }
    if (!this.memory.take(bytes)) {
      this.#startFull()
      return false
    }
    this.#isFull = false
    const topic = this.#topicOf(record.topic)
    const queue = topic.pending.length === 0 && topic.isFollowed ? this.#choose(topic, record) : null
    if (queue) {
      const batch = this.#batchFor(topic, queue, record, bytes)
      batch.append(record, timestamp, bytes, listener, token)
      this.#appended(topic, queue, batch, record, bytes)
    } else {
      const now = performance.now()
      topic.use(now)
      topic.addPending({ record, timestamp, listener, token, bytes, deadline: now + settings.maxBlockMs })
      if (!topic.isResolving) this.#resolve(topic)
    }
    return true
  }

  /** Makes all batches due, so that they are sent without waiting for `linger.ms`. */
  flushNow(): void {
    const lingering = this.#lingering
    this.#lingering = []
    if (this.#lingerTimer) clearTimeout(this.#lingerTimer)
    this.#lingerTimer = null
    for (const { queue, batch } of lingering) this.#makeDue(queue, batch)
  }

  topic(name: string): TopicQueue | undefined {
    return this.#topics.get(name)
  }

  /** Returns the topics whose records wait for metadata. */
  *resolvingTopics(): Iterable<TopicQueue> {
    for (const topic of this.#topics.values()) if (topic.isResolving) yield topic
  }

  /** Returns the partitions that have batches. */
  *queues(): Iterable<PartitionQueue> {
    for (const topic of this.#topics.values()) for (const q of topic.partitions) if (!q.isEmpty) yield q
  }

  /** Fails the records that wait for metadata and for which `which` returns true. */
  failPending(error: Error, which: (p: PendingRecord) => boolean = () => true): void {
    for (const topic of this.#topics.values()) this.#failPending(topic, error, which)
  }

  /**
   * Adds the partitions that are new in the metadata. Stops following topics that were not used for
   * `metadata.max.idle.ms`.
   */
  onMetadata(): void {
    const idleSince = performance.now() - this.#settings.metadataMaxIdleMs
    for (const topic of this.#topics.values()) {
      topic.resize(this.#countOf(topic))
      if (topic.lastUsed > idleSince || topic.isBusy) continue
      // Keep the queues, because the broker remembers the sequences of their partitions.
      topic.unfollow()
      this.#cluster.untrack(topic.name)
    }
  }

  close(): void {
    if (this.#lingerTimer) clearTimeout(this.#lingerTimer)
    this.#lingerTimer = null
    this.#lingering = []
  }

  /** Consecutive records usually have the same topic, so the map is rarely searched. */
  #topicOf(name: string): TopicQueue {
    if (this.#last?.name === name) return this.#last
    const known = this.#topics.get(name)
    const topic = known ?? new TopicQueue(name, this.#settings.batchSize)
    if (!known) this.#topics.set(name, topic)
    this.#last = topic
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
    if (sticky.current >= 0) return topic.partitions[sticky.current]!
    const { metadata } = this.#cluster
    return topic.partitions[sticky.pick(count, p => (metadata.partition(topic.name, p)?.leader ?? -1) >= 0)]!
  }

  /**
   * Returns the batch for a record: the open batch if the record fits into it, otherwise a new
   * batch.
   */
  #batchFor(topic: TopicQueue, queue: PartitionQueue, record: ProducerRecord, bytes: number): ProducerBatch {
    const { open } = queue
    if (open) {
      const most = typeof record.value === 'string' ? mostBytes(bytes, record.value) : bytes + HEADER_SIZE
      if (open.rawSize + most - HEADER_SIZE <= this.#sizeLimit(topic)) return open
      queue.closeFull(open)
      this.#makeDue(queue, open)
    }
    const now = performance.now()
    topic.use(now)
    const batch = queue.addBatch(this.#settings.compressionType, now, this.#batchMemory)
    this.#linger(queue, batch)
    return batch
  }

  /**
   * Closes the batch if the appended record has filled it. If the record has no key, also adds its
   * size to `topic.sticky`, which then may choose another partition for the next record.
   */
  #appended(
    topic: TopicQueue,
    queue: PartitionQueue,
    batch: ProducerBatch,
    record: ProducerRecord,
    bytes: number,
  ): void {
    const isFull = batch.rawSize >= this.#sizeLimit(topic)
    if (isFull) {
      batch.close()
      this.#makeDue(queue, batch)
    }
    if (record.key === null) topic.sticky.added(bytes, isFull)
  }

  /** The size of a full batch before compression, in bytes. */
  #sizeLimit(topic: TopicQueue): number {
    const { batchSize, compressionType, maxRequestSize } = this.#settings
    return Math.min(maxRequestSize, compressionType === 'none' ? batchSize : batchSize / (topic.ratio * 1.05))
  }

  #makeDue(queue: PartitionQueue, batch: ProducerBatch): void {
    batch.makeDue()
    this.#events.onReady(queue)
  }

  #linger(queue: PartitionQueue, batch: ProducerBatch): void {
    if (this.#settings.lingerMs === 0 || this.#isFull) {
      this.#makeDue(queue, batch)
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
      if (batch.isDue || batch.isDone) continue
      if (batch.createdAt > until) break
      this.#makeDue(queue, batch)
    }
    this.#lingering = this.#lingering.slice(n)
    const first = this.#lingering[0]
    if (first) this.#lingerTimer = setTimeout(() => this.#onLinger(), timerMs(first.batch.createdAt - until))
  }

  #startFull(): void {
    if (this.#isFull) return
    this.#isFull = true
    this.flushNow()
  }

  #refuse(record: Omit<PendingRecord, 'bytes' | 'deadline'>, error: Error): void {
    this.#events.onRefused({ ...record, bytes: 0, deadline: 0 }, error)
  }

  /**
   * Waits for the metadata of a topic in the background, then adds the topic's pending records to
   * batches.
   */
  #resolve(topic: TopicQueue): void {
    topic.startResolving()
    this.#cluster.track([topic.name])
    this.#place(topic).then(
      () => topic.endResolving(),
      error => this.#cluster.options.logger.error(`Cannot add the records of topic ${topic.name} to batches`, error),
    )
  }

  async #place(topic: TopicQueue): Promise<void> {
    while (topic.pending.length > 0) {
      const first = topic.pending[0]!
      try {
        await this.#cluster.until(
          // `abortUnsent` may have removed the first record in the meantime.
          () => (topic.pending[0] === first ? this.#lookUp(topic, first) : true),
          first.deadline - performance.now(),
          cause => this.#missing(topic, first, cause),
        )
      } catch (error) {
        const fatal = !(error as { retriable?: boolean }).retriable || this.#cluster.signal.aborted
        const now = performance.now()
        this.#failPending(topic, error as Error, p => fatal || p === first || p.deadline <= now)
        // If no record needs the topic any longer, stop tracking the topic. The next record
        // requests its metadata again.
        if (topic.pending.length === 0 && topic.partitions.length === 0) {
          this.#cluster.untrack(topic.name)
          this.#topics.delete(topic.name)
          if (this.#last === topic) this.#last = null
        }
        continue
      }
      this.onMetadata()
      let placed = 0
      for (; placed < topic.pending.length; placed++) {
        const next = topic.pending[placed]!
        const queue = this.#choose(topic, next.record)
        if (!queue) break
        const batch = this.#batchFor(topic, queue, next.record, next.bytes)
        batch.append(next.record, next.timestamp, next.bytes, next.listener, next.token)
        this.#appended(topic, queue, batch, next.record, next.bytes)
      }
      topic.dropPending(placed)
    }
  }

  /**
   * Returns true if the metadata contains the record's partition, otherwise null. Throws errors
   * that waiting cannot resolve.
   */
  #lookUp(topic: TopicQueue, first: PendingRecord): true | null {
    const state = this.#cluster.metadata.topics.get(topic.name)
    const fatal = fatalTopicError(state)
    if (fatal) {
      // Discard the error, so that the next record requests the metadata again.
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
    for (const p of topic.takePending(which)) {
      this.memory.release(p.bytes)
      this.#events.onRefused(p, error)
    }
  }
}

/**
 * Returns the maximum size of a batch that contains one record with this string. `bytes` is the
 * estimated size of the record.
 */
function mostBytes(bytes: number, text: string): number {
  return HEADER_SIZE + bytes + text.length * (MAX_UTF8_PER_UNIT - 1)
}

/** Returns the reason why a record is invalid, or null. */
function faultOf({ topic, partition, key, value, timestamp, headers }: ProducerRecord): string | null {
  if (key !== null && !(key instanceof Uint8Array)) return `its key is a ${typeof key}`
  if (value !== null && typeof value !== 'string' && !(value instanceof Uint8Array)) {
    return `its value is a ${typeof value}`
  }
  if (isWrongNumber(timestamp)) return `its timestamp is ${timestamp}`
  if (isWrongNumber(partition)) return `its partition is ${partition}`
  if (headers === undefined || headers.length === 0) return topic === '' ? 'its topic has no name' : null
  for (const h of headers) {
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
