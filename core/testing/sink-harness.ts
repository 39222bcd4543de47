import type { ConsumerRecord } from '../client/types.ts'
import type { SinkConnector } from '../connect/connector.ts'
import type { Converter, HeaderConverter } from '../connect/plugins.ts'
import type { Header, TopicPartition } from '../connect/record.ts'
import type { Schema } from '../connect/schema.ts'
import { configured } from './configured.ts'
import { type ChainPlugin, Harness, type HarnessOptions, type TaskWiring } from './harness.ts'
import type { TaskCall } from './lifecycle.ts'
import { memoryAdmin } from './memory-admin.ts'
import { MemoryConsumer } from './memory-consumer.ts'
import { MemoryGroup } from './memory-group.ts'
import { MemoryProducer, ProducerControl } from './memory-producer.ts'

/** A record for a sink. Fields that are null may be omitted. */
export interface SentRecord {
  /** The topic. Default: the first topic of `topics`. */
  readonly topic?: string
  /** The partition. Default: 0. */
  readonly partition?: number
  readonly key?: unknown
  readonly keySchema?: Schema | null
  /** A null value is a tombstone. */
  readonly value: unknown
  readonly valueSchema?: Schema | null
  /** Milliseconds since 1970. Default: the current time. */
  readonly timestamp?: number
  readonly headers?: readonly Header[]
}

/** A record that was written to the dead letter queue. */
export interface DeadLetter {
  readonly key: unknown
  readonly value: unknown
  readonly headers: ReadonlyMap<string, string>
}

const NO_CONNECT_HEADERS: readonly Header[] = []

/**
 * Runs a sink connector and its tasks without a worker or a broker. The code that calls the tasks,
 * converters and transformations, handles errors and commits offsets is that of the worker. The
 * broker is in memory. `topics` defaults to `test`.
 *
 * ```ts
 * await using sink = new SinkHarness(MyConnector, { config: { directory } })
 * await sink.start()
 * sink.send({ key: 'a', value: { n: 1 } })
 * await sink.committed() // all offsets are committed
 * ```
 */
export class SinkHarness extends Harness {
  readonly #group = new MemoryGroup()
  /** Controls the producers of the dead letter queue. */
  #control = new ProducerControl()
  readonly #topic: string
  #sent = 0
  #accepted = 0
  #emptyPuts = 0
  readonly #keyConverter: Converter
  readonly #valueConverter: Converter
  readonly #headerConverter: HeaderConverter
  /** Called after each commit, once for each partition, with its committed offset. */
  onCommit: (topic: string, partition: number, offset: number) => void = () => {}

  constructor(connector: new () => SinkConnector, options: HarnessOptions) {
    const hasTopics = 'topics' in options.config || 'topics.regex' in options.config
    super('sink', connector, { ...options, config: hasTopics ? options.config : { topics: 'test', ...options.config } })
    this.#topic = this.options.config['topics']?.split(',')[0]?.trim() || 'test'
    this.#keyConverter = converter(options.keyConverter, this.data.key, true)
    this.#valueConverter = converter(options.valueConverter, this.data.value, false)
    this.#headerConverter = converter(options.headerConverter, this.data.header, false)
    for (const topic of (this.options.config['topics'] ?? '').split(',')) {
      if (topic.trim() !== '') this.log.createTopic(topic.trim())
    }
    this.#group.onCommit = offsets => {
      for (const o of offsets) this.onCommit(o.topic, o.partition, o.offset)
      this.changed.notify()
    }
  }

  /** Writes records to the topics that the sink reads. Returns the stored records. */
  send(...records: readonly SentRecord[]): ConsumerRecord[] {
    return records.map(record => {
      const topic = record.topic ?? this.#topic
      const headers = record.headers ?? NO_CONNECT_HEADERS
      this.#sent++
      return this.log.append({
        topic,
        partition: record.partition ?? 0,
        key: this.#keyConverter.fromConnectData(topic, record.keySchema ?? null, record.key ?? null, headers),
        value: this.#valueConverter.fromConnectData(topic, record.valueSchema ?? null, record.value, headers),
        timestamp: record.timestamp ?? Date.now(),
        headers: headers.map(h => ({
          key: h.key,
          value: this.#headerConverter.fromConnectHeader(topic, h.key, h.schema, h.value),
        })),
      })
    })
  }

  /**
   * The number of records that `put` has accepted since the first start. A record that was
   * delivered twice counts twice.
   */
  get accepted(): number {
    return this.#accepted
  }

  /**
   * Waits until `put` has accepted at least `count` records. Default: the number of sent records.
   */
  async delivered(count = this.#sent): Promise<void> {
    await this.until(() => this.#accepted >= count, `put to accept ${count} records; ${this.#accepted} are accepted`)
  }

  /** Waits until `put` has accepted an empty batch, which shows that the task is idle. */
  async idle(): Promise<void> {
    const before = this.#emptyPuts
    await this.until(() => this.#emptyPuts > before, 'an empty put')
  }

  /**
   * Returns the committed offset of a partition: the offset of the next record to read. Returns 0
   * if none is committed.
   */
  offset(partition = 0, topic = this.#topic): number {
    return this.#group.committed.get(`${topic}-${partition}`) ?? 0
  }

  /** Waits until the offsets of all records in the assigned partitions are committed. */
  async committed(): Promise<void> {
    const isCommitted = (topic: string, partition: number) =>
      this.offset(partition, topic) >= this.log.records(topic, partition).length
    const withheld = this.#group.withheld
    await this.until(
      () =>
        this.#subscribed().every(topic =>
          this.log.partitionsOf(topic).every(p => withheld.has(`${topic}-${p}`) || isCommitted(topic, p)),
        ),
      'everything to be committed',
    )
  }

  /**
   * Revokes partitions, as a rebalance does. With `lost`, the task loses them without a chance to
   * commit their offsets.
   */
  async revoke(partitions: readonly TopicPartition[], options: { readonly lost?: boolean } = {}): Promise<void> {
    this.#group.lost = options.lost ?? false
    const closed = this.calls.filter(call => call.method === 'close').length
    for (const p of partitions) this.#group.withheld.add(`${p.topic}-${p.partition}`)
    const polled = this.#emptyPuts
    await this.until(
      () => this.calls.filter(call => call.method === 'close').length > closed || this.#emptyPuts > polled + 1,
      'the partitions to be revoked',
    )
  }

  /** Assigns revoked partitions again. The task resumes from their committed offsets. */
  assign(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#group.withheld.delete(`${p.topic}-${p.partition}`)
    this.log.changed.notify()
  }

  /** Returns the records in the dead letter queue that the configuration names. */
  deadLetters(): readonly DeadLetter[] {
    const topic = this.options.config['errors.deadletterqueue.topic.name'] ?? ''
    return this.log.records(topic).map(raw => ({
      key: this.#keyConverter.toConnectData(raw.topic, raw.key, raw.headers).value,
      value: this.#valueConverter.toConnectData(raw.topic, raw.value, raw.headers).value,
      headers: new Map(raw.headers.map(h => [h.key, h.value?.toString() ?? ''])),
    }))
  }

  protected override wire(_taskId: number): TaskWiring {
    const { log } = this
    const group = this.#group
    const control = this.#control
    return {
      clients: {
        producer: () => new MemoryProducer(log, control, () => this.changed.notify()),
        consumer: () => new MemoryConsumer(log, group),
        admin: () => memoryAdmin(log),
      },
      transforms: [],
    }
  }

  override start(): Promise<this> {
    if (this.#control.discarding) this.#control = new ProducerControl()
    return super.start()
  }

  protected override disconnect(): void {
    this.#group.crash()
    this.#control.discard()
  }

  protected override onTaskReturn(call: TaskCall, args: readonly unknown[]): void {
    if (call.method !== 'put' || call.error !== undefined) return
    const records = args[0] as readonly unknown[]
    this.#accepted += records.length
    if (records.length === 0) this.#emptyPuts++
  }

  #subscribed(): readonly string[] {
    const topics = (this.options.config['topics'] ?? '').split(',').map(topic => topic.trim())
    return topics.filter(topic => topic !== '')
  }
}

function converter<T extends object>(plugin: ChainPlugin<T> | undefined, data: T, isKey: boolean): T {
  return plugin ? configured(new plugin.type(), plugin.config, { isKey }) : data
}
