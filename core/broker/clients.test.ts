import {
  Admin,
  Consumer,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sleep } from '../common/async/sleep.ts'
import { startTestBroker, type TestBroker } from './test-support/test-broker.ts'

/**
 * These tests run third-party clients from npm against our broker: kafkajs and @platformatic/kafka.
 */
let b: TestBroker
beforeAll(async () => {
  b = await startTestBroker()
})
afterAll(() => b.close())

const kafka = () => new Kafka({ clientId: 'kafkajs', brokers: [b.bootstrap], logLevel: logLevel.NOTHING })

const EXPECTED = Array.from({ length: 500 }, (_, i) => ({ key: `k${i % 7}`, value: `value ${i}` }))

test('kafkajs creates a topic, produces, and consumes in a group that resumes from its committed offset', async () => {
  const admin = kafka().admin()
  await admin.connect()
  const topics = [{ topic: 'js', numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '-1' }] }]
  expect(await admin.createTopics({ topics })).toBe(true)
  const producer = kafka().producer({ idempotent: true })
  await producer.connect()
  await producer.send({ topic: 'js', messages: EXPECTED.map(m => ({ ...m, headers: { h: 'x' } })) })
  await producer.disconnect()

  const consume = async (until: number) => {
    const consumer = kafka().consumer({ groupId: 'js-group' })
    const got: { key: string; value: string; header: string }[] = []
    await consumer.connect()
    await consumer.subscribe({ topic: 'js', fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message }) => {
            got.push({ key: String(message.key), value: String(message.value), header: String(message.headers?.['h']) })
            if (got.length === until) resolve()
          },
        })
        .catch(reject)
    })
    await consumer.disconnect()
    return got
  }
  const first = await consume(500)
  expect(first.map(m => m.value).sort()).toEqual(EXPECTED.map(m => m.value).sort())
  for (const key of new Set(first.map(m => m.key))) {
    const values = first.filter(m => m.key === key).map(m => m.value)
    expect(values).toEqual(EXPECTED.filter(m => m.key === key).map(m => m.value))
  }
  const again = kafka().producer()
  await again.connect()
  await again.send({ topic: 'js', messages: [{ key: 'last', value: 'one', headers: { h: 'y' } }] })
  await again.disconnect()
  expect(await consume(1)).toEqual([{ key: 'last', value: 'one', header: 'y' }])

  const offsets = await admin.fetchOffsets({ groupId: 'js-group', topics: ['js'] })
  const ends = await admin.fetchTopicOffsets('js')
  const committed = offsets[0]!.partitions.reduce((n, p) => n + Math.max(0, Number(p.offset)), 0)
  expect(committed).toBe(501)
  expect(ends.reduce((n, p) => n + Number(p.offset), 0)).toBe(501)
  await admin.deleteTopics({ topics: ['js'] })
  expect(await admin.listTopics()).not.toContain('js')
  await admin.disconnect()
})

test('two kafkajs consumers share the partitions of a topic, and one takes over when the other leaves', async () => {
  const admin = kafka().admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'shared', numPartitions: 4 }] })
  const assigned = new Map<string, number>()
  const consumers = ['a', 'b'].map(name => {
    const consumer = kafka().consumer({
      groupId: 'pair',
      sessionTimeout: 6000,
      heartbeatInterval: 200,
      maxWaitTimeInMs: 100,
    })
    consumer.on(consumer.events.GROUP_JOIN, e => {
      assigned.set(name, e.payload.memberAssignment['shared']?.length ?? 0)
    })
    return consumer
  })
  const settled = async (...counts: (number | undefined)[]) => {
    for (let i = 0; i < 300; i++) {
      if (assigned.get('a') === counts[0] && (counts[1] === undefined || assigned.get('b') === counts[1])) return
      await sleep(50)
    }
    throw new Error(`assigned: ${[...assigned]}`)
  }
  for (const consumer of consumers) {
    await consumer.connect()
    await consumer.subscribe({ topic: 'shared' })
    await consumer.run({ eachMessage: async () => {} })
  }
  await settled(2, 2)
  await consumers[1]!.disconnect()
  await settled(4)
  await consumers[0]!.disconnect()
  await admin.disconnect()
})

test('@platformatic/kafka creates a topic, produces with every compression, and consumes in a group', async () => {
  const common = { clientId: 'platformatic', bootstrapBrokers: [b.bootstrap] }
  const admin = new Admin(common)
  await admin.createTopics({ topics: ['plt'], partitions: 2, replicas: 1 })
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const producer = new Producer({ ...common, serializers: stringSerializers, compression })
    const messages = Array.from({ length: 20 }, (_, i) => ({
      topic: 'plt',
      key: `k${i}`,
      value: `${compression} ${i}`,
    }))
    await producer.send({ messages })
    await producer.close()
  }
  const consumer = new Consumer({ ...common, groupId: 'plt-group', deserializers: stringDeserializers })
  const stream = await consumer.consume({ topics: ['plt'], mode: MessagesStreamModes.EARLIEST, autocommit: true })
  const got: string[] = []
  for await (const message of stream) {
    got.push(message.value)
    if (got.length === 100) break
  }
  await consumer.close(true)
  expect(new Set(got).size).toBe(100)
  expect(got.filter(v => v.startsWith('zstd')).length).toBe(20)
  await admin.deleteTopics({ topics: ['plt'] })
  await admin.close()
})
