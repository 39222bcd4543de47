import {
  Consumer as PlatformaticConsumer,
  Producer as PlatformaticProducer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { type Consumer, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse } from '../../protocol/index.ts'
import { RawClient } from '../test-support/raw-client.ts'
import { startTestBroker, type TestBroker } from '../test-support/test-broker.ts'

let broker: TestBroker
beforeAll(async () => {
  broker = await startTestBroker({ 'num.partitions': '4', 'group.min.session.timeout.ms': '100' })
})
afterAll(() => broker.close())

const kafka = () => new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 10 } })

/** A kafkajs consumer that records the values it reads and the partitions it is assigned. */
class Reader {
  readonly values: string[] = []
  readonly consumer: Consumer
  partitions: readonly number[] = []

  constructor(groupId: string) {
    // kafkajs sends heartbeats only between fetches, so short fetches detect a rebalance sooner.
    const timing = { sessionTimeout: 6000, heartbeatInterval: 200, rebalanceTimeout: 10_000, maxWaitTimeInMs: 200 }
    this.consumer = kafka().consumer({ groupId, ...timing })
    this.consumer.on('consumer.group_join', e => {
      this.partitions = Object.values(e.payload.memberAssignment).flat()
    })
    this.consumer.on('consumer.rebalancing', () => {
      this.partitions = []
    })
  }

  async start(topic: string): Promise<this> {
    await this.consumer.connect()
    await this.consumer.subscribe({ topic, fromBeginning: true })
    await this.consumer.run({
      eachMessage: async ({ message }) => {
        this.values.push(String(message.value))
      },
    })
    return this
  }

  stop = () => this.consumer.disconnect()
}

async function produce(topic: string, values: readonly string[]): Promise<void> {
  const producer = kafka().producer({ idempotent: true })
  await producer.connect()
  await producer.send({ topic, messages: values.map((value, i) => ({ value, partition: i % 4 })) })
  await producer.disconnect()
}

const numbers = (prefix: string, n: number) => Array.from({ length: n }, (_, i) => `${prefix}${i}`)
const assigned = (readers: readonly Reader[]) =>
  readers
    .flatMap(r => r.partitions)
    .sort((a, b) => a - b)
    .join()

/** Waits until each partition is assigned to exactly one of the readers. */
async function shared(readers: readonly Reader[]): Promise<void> {
  await expect
    .poll(() => `${assigned(readers)} ${readers.every(r => r.partitions.length > 0)}`, { timeout: 30_000 })
    .toBe('0,1,2,3 true')
}

test('kafkajs consumers share the partitions of a topic, and take over when a consumer leaves', async () => {
  const readers = [await new Reader('kjs').start('jobs')]
  await shared(readers)
  readers.push(await new Reader('kjs').start('jobs'))
  await shared(readers)
  readers.push(await new Reader('kjs').start('jobs'))
  await shared(readers)
  await produce('jobs', numbers('a', 100))
  const read = () => readers.flatMap(r => r.values).sort()
  await expect.poll(() => read().length, { timeout: 20_000 }).toBe(100)
  expect(read()).toEqual(numbers('a', 100).sort())
  const [first, ...rest] = readers
  await first!.stop()
  await shared(rest)
  await produce('jobs', numbers('b', 40))
  await expect
    .poll(() => rest.flatMap(r => r.values.filter(v => v.startsWith('b'))).length, { timeout: 20_000 })
    .toBe(40)
  await Promise.all(rest.map(r => r.stop()))
})

test('the partitions of a member that dies are reassigned after its session timeout', async () => {
  const client = await RawClient.connect(broker.port)
  const join = async (memberId: string) =>
    client.request(JoinGroupRequest, JoinGroupResponse, 9, {
      groupId: 'dying',
      sessionTimeoutMs: 500,
      rebalanceTimeoutMs: 5000,
      memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'RoundRobinAssigner', metadata: Buffer.from('000100000001000464656164ffffffff', 'hex') }],
    })
  const first = await join('')
  expect((await join(first.memberId)).generationId).toBe(1)
  client.socket.destroy()
  const reader = await new Reader('dying').start('dead')
  await shared([reader])
  await reader.stop()
})

test('members continue in their group after a broker restart, and no record is read twice or skipped', async () => {
  const reader = await new Reader('survivors').start('days')
  await shared([reader])
  await produce('days', numbers('a', 20))
  await expect.poll(() => reader.values.length, { timeout: 20_000 }).toBe(20)
  await reader.consumer.commitOffsets([])
  await broker.restart()
  await produce('days', numbers('b', 20))
  await expect.poll(() => new Set(reader.values).size, { timeout: 40_000 }).toBe(40)
  await reader.stop()
  const again = await new Reader('survivors').start('days')
  await shared([again])
  await produce('days', ['last'])
  await expect.poll(() => again.values, { timeout: 20_000 }).toEqual(['last'])
  await again.stop()
}, 120_000)

test('consumers of @platformatic/kafka share the partitions of a topic and commit offsets', async () => {
  const topic = 'plat'
  await produce(topic, ['warm'])
  const make = () =>
    new PlatformaticConsumer({
      groupId: 'plat',
      clientId: 'plat',
      bootstrapBrokers: [broker.bootstrap],
      deserializers: stringDeserializers,
      sessionTimeout: 6000,
      heartbeatInterval: 200,
      rebalanceTimeout: 10_000,
    })
  const consumers = [make(), make()]
  const values: string[] = []
  const streams = []
  for (const consumer of consumers) {
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: true,
    })
    stream.on('data', message => values.push(message.value))
    stream.on('error', error => values.push(String(error)))
    streams.push(stream)
  }
  const producer = new PlatformaticProducer({
    clientId: 'plat-producer',
    bootstrapBrokers: [broker.bootstrap],
    serializers: stringSerializers,
    idempotent: true,
  })
  const messages = numbers('p', 50).map((value, i) => ({ topic, key: `k${i}`, value }))
  await producer.send({ messages, acks: -1 })
  await expect.poll(() => new Set(values).size, { timeout: 30_000 }).toBe(51)
  expect(new Set(values)).toEqual(new Set(['warm', ...numbers('p', 50)]))
  for (const stream of streams) await stream.close()
  for (const consumer of consumers) await consumer.close(true)
  await producer.close()
  const admin = kafka().admin()
  await admin.connect()
  const [offsets] = await admin.fetchOffsets({ groupId: 'plat', topics: [topic] })
  expect(offsets!.partitions.reduce((n, p) => n + Number(p.offset), 0)).toBe(51)
  await admin.disconnect()
})

test("kafkajs's admin client lists, describes, resets and deletes groups", async () => {
  const reader = await new Reader('adm').start('admin-topic')
  await shared([reader])
  const admin = kafka().admin()
  await admin.connect()
  expect((await admin.listGroups()).groups).toContainEqual({ groupId: 'adm', protocolType: 'consumer' })
  const { groups } = await admin.describeGroups(['adm'])
  expect(groups[0]).toMatchObject({ groupId: 'adm', state: 'Stable', protocol: 'RoundRobinAssigner', errorCode: 0 })
  expect(groups[0]!.members[0]!.clientHost).toBe('/127.0.0.1')
  await expect(admin.deleteGroups(['adm'])).rejects.toThrow()
  await reader.stop()
  await admin.setOffsets({ groupId: 'adm', topic: 'admin-topic', partitions: [{ partition: 2, offset: '7' }] })
  const offsets = await admin.fetchOffsets({ groupId: 'adm', topics: ['admin-topic'] })
  expect(offsets[0]!.partitions.find(p => p.partition === 2)!.offset).toBe('7')
  await admin.deleteGroups(['adm'])
  expect((await admin.listGroups()).groups.map(g => g.groupId)).not.toContain('adm')
  await admin.disconnect()
})

test('a JoinGroup request that waits is answered immediately when the broker stops', async () => {
  const b = await startTestBroker({ 'group.initial.rebalance.delay.ms': '60000' })
  const client = await RawClient.connect(b.port)
  await client.call('FindCoordinator', { coordinatorKeys: ['g'] })
  const request = {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    protocolType: 'x',
    protocols: [{ name: 'p', metadata: Buffer.alloc(0) }],
  }
  const waiting = client.request(JoinGroupRequest, JoinGroupResponse, 3, request)
  const other = await RawClient.connect(b.port)
  await expect
    .poll(() => other.call('DescribeGroups', { groups: ['g'] }))
    .toMatchObject({ groups: [{ groupState: 'PreparingRebalance' }] })
  other.close()
  const [reply] = await Promise.all([waiting, b.close()])
  expect(reply.errorCode).toBe(16)
  client.close()
})

test('a producer id is never assigned twice, even after restarts', async () => {
  const ids: number[] = []
  for (let round = 0; round < 3; round++) {
    const client = await RawClient.connect(broker.port)
    for (let i = 0; i < 3; i++) {
      const answer = await client.call('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1 })
      ids.push(answer['producerId'] as number)
    }
    client.close()
    await broker.restart()
  }
  expect(new Set(ids).size).toBe(9)
})

test('a heartbeat on a separate connection reaches the group', async () => {
  const client = await RawClient.connect(broker.port)
  await client.call('FindCoordinator', { coordinatorKeys: ['hb'] })
  const request = { groupId: 'hb', generationId: 1, memberId: 'nobody' }
  // Groups may still be loading after the restart in the previous test. Until they are loaded,
  // every heartbeat succeeds unchecked, as in Kafka.
  await expect
    .poll(() => client.request(HeartbeatRequest, HeartbeatResponse, 4, request))
    .toMatchObject({ errorCode: 25 })
  client.close()
})
