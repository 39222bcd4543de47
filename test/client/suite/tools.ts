/**
 * Helpers that the tests of the client share: a broker, clients that are closed after each test,
 * and functions that read records.
 */
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createAdmin, createConsumer, createProducer } from '../../../core/client/index.ts'
import type {
  Admin,
  Consumer,
  ConsumerOptions,
  ConsumerRecord,
  Producer,
  ProducerOptions,
  TopicPartition,
} from '../../../core/client/types.ts'
import { setLogLevel } from '../../../core/common/log.ts'

export interface SuiteBroker {
  readonly bootstrap: string
  restart?(): Promise<void>
  close(): Promise<void>
}

export const b = (text: string) => Buffer.from(text)
export const tp = (topic: string, partition = 0): TopicPartition => ({ topic, partition })
export const nameOf = (p: TopicPartition) => `${p.topic}-${p.partition}`

/** Polls until `count` records have arrived. Fails after 20 s. */
export async function read(consumer: Consumer, count: number): Promise<ConsumerRecord[]> {
  const records: ConsumerRecord[] = []
  for (const end = Date.now() + 20_000; records.length < count; ) {
    if (Date.now() > end) throw new Error(`${records.length} of ${count} records after 20 s`)
    for (const batch of await consumer.poll(500)) records.push(...batch.records)
  }
  return records
}

/** Polls consumers in rotation until a condition holds. Fails after 20 s. */
export async function pollUntil(
  consumers: readonly Consumer[],
  so: () => boolean,
  seen: ConsumerRecord[] = [],
): Promise<void> {
  for (const end = Date.now() + 20_000; !so(); ) {
    if (Date.now() > end) throw new Error('it did not become so within 20 s')
    for (const c of consumers) for (const batch of await c.poll(50)) seen.push(...batch.records)
  }
}

export interface SuiteTools {
  broker(): SuiteBroker
  /** Returns a unique name. */
  topicName(what?: string): string
  producer(options?: Partial<ProducerOptions>): Producer
  consumer(options?: Partial<ConsumerOptions>): Consumer
  admin(): Admin
  topicWith(partitions: number, values?: readonly string[]): Promise<string>
  /** Closes a client after the test. */
  closing(client: { close(): Promise<void> }): void
}

/** Returns the helpers. Call it where tests are declared, because it registers hooks. */
export function suiteTools(start: () => Promise<SuiteBroker>): SuiteTools {
  let broker: SuiteBroker
  let counter = 0
  const open: { close(): Promise<void> }[] = []
  const topicName = (what = 'topic') => `${what}-${process.pid}-${++counter}`
  const common = () => ({ bootstrapServers: [broker.bootstrap] })

  beforeAll(async () => {
    setLogLevel('millrace.client', 'OFF')
    broker = await start()
  })
  afterAll(() => broker?.close())
  afterEach(async () => {
    for (const client of open.splice(0).reverse()) await client.close()
  })

  function producer(options: Partial<ProducerOptions> = {}): Producer {
    const p = createProducer({ ...common(), ...options })
    open.push(p)
    return p
  }
  function consumer(options: Partial<ConsumerOptions> = {}): Consumer {
    const c = createConsumer({ ...common(), autoOffsetReset: 'earliest', ...options })
    open.push(c)
    return c
  }
  function admin(): Admin {
    const a = createAdmin(common())
    open.push(a)
    return a
  }
  async function topicWith(partitions: number, values: readonly string[] = []): Promise<string> {
    const topic = topicName()
    await admin().createTopics([{ name: topic, partitions }])
    if (values.length > 0) {
      await producer().send(values.map((v, i) => ({ topic, partition: i % partitions, key: null, value: b(v) })))
    }
    return topic
  }
  return {
    broker: () => broker,
    topicName,
    producer,
    consumer,
    admin,
    topicWith,
    closing: client => void open.push(client),
  }
}
