import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createAdmin, createConsumer, createProducer } from '../../core/client/index.ts'
import type { Consumer, ConsumerRecord } from '../../core/client/types.ts'
import { sleep } from '../../core/common/async/sleep.ts'
import { setLogLevel } from '../../core/common/log.ts'
import { type PeerKafka, startPeerKafka } from '../peers/servers.ts'
import { findKafkaLibs, runKafkaTool, skipWithout } from '../peers/tools.ts'
import { pollUntil, read } from './suite/tools.ts'

const libs = findKafkaLibs()
const skip = skipWithout('Apache Kafka', libs !== null)
const open: { close(): Promise<void> }[] = []
const children: ChildProcess[] = []
let kafka: PeerKafka

beforeAll(async () => {
  setLogLevel('millrace.client', 'OFF')
  if (!skip) kafka = await startPeerKafka()
})
afterAll(() => kafka?.stop())
afterEach(async () => {
  for (const c of open.splice(0).reverse()) await c.close()
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const common = () => ({ bootstrapServers: [kafka.bootstrap] })

async function topicWith(topic: string, partitions: number): Promise<string> {
  const admin = createAdmin(common())
  open.push(admin)
  await admin.createTopics([{ name: topic, partitions }])
  return topic
}

/** Starts Apache's console consumer as a member of a group. `lines` returns its output. */
function javaMember(topic: string, group: string, assignor: string): { lines: () => string[]; stop(): Promise<void> } {
  const properties = [
    `partition.assignment.strategy=${assignor}`,
    'auto.offset.reset=earliest',
    'heartbeat.interval.ms=200',
    'auto.commit.interval.ms=100',
  ]
  const args = [
    '-cp',
    join(libs!, '*'),
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, '../peers/kafka/log4j2-tools.xml')}`,
  ]
  args.push(
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    '--bootstrap-server',
    kafka.bootstrap,
    '--topic',
    topic,
    '--group',
    group,
  )
  for (const p of properties) args.push('--command-property', p)
  const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let out = ''
  child.stdout?.on('data', chunk => {
    out += chunk
  })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  return {
    lines: () => out.split('\n').slice(0, -1),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function member(groupId: string, assignor: 'range' | 'cooperative-sticky' | 'sticky', topic: string): Consumer {
  const c = createConsumer({
    ...common(),
    groupId,
    assignors: [assignor],
    autoOffsetReset: 'earliest',
    heartbeatIntervalMs: 200,
  })
  open.push(c)
  c.subscribe([topic], { onPartitionsRevoked: () => c.commit() })
  return c
}

test.skipIf(skip).for([
  ['range', 'org.apache.kafka.clients.consumer.RangeAssignor'],
  ['sticky', 'org.apache.kafka.clients.consumer.StickyAssignor'],
  ['cooperative-sticky', 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor'],
] as const)('a Java consumer and ours share a group by %s, whichever of them leads', async ([assignor, javaClass]) => {
  const topic = await topicWith(`mixed-${assignor}`, 4)
  const group = `mixed-${assignor}`
  const producer = createProducer(common())
  open.push(producer)
  let sent = 0
  const produce = async (n: number) => {
    await producer.send(
      Array.from({ length: n }, () => ({ topic, key: null, partition: sent % 4, value: Buffer.from(`v${sent++}`) })),
    )
  }
  const seen: ConsumerRecord[] = []
  // Our consumer is the leader, and Java's consumer joins.
  const ours = member(group, assignor, topic)
  await produce(40)
  await pollUntil([ours], () => seen.length === 40, seen)
  const java = javaMember(topic, group, javaClass)
  await pollUntil([ours], () => ours.assignment().length === 2, seen)
  await produce(40)
  await pollUntil([ours], () => seen.length + java.lines().length >= 80, seen)
  // After our consumer has left, Java's consumer is the leader, and another of our consumers joins.
  await ours.commit()
  await ours.close()
  await produce(40)
  for (const end = Date.now() + 20_000; java.lines().length < 60; ) {
    if (Date.now() > end) throw new Error(`Java has read ${java.lines().length}`)
    await sleep(50)
  }
  const second = member(group, assignor, topic)
  await pollUntil([second], () => second.assignment().length === 2, seen)
  await java.stop()
  await pollUntil([second], () => second.assignment().length === 4, seen)
  await produce(40)
  await pollUntil([second], () => seen.length + java.lines().length >= 160, seen)
  const all = [...seen.map(r => String(r.value)), ...java.lines()]
  expect(new Set(all)).toEqual(new Set(Array.from({ length: 160 }, (_, i) => `v${i}`)))
  expect(all).toHaveLength(160)
})

test.skipIf(skip)("Java's tools see our group, its members and its lag", async () => {
  const topic = await topicWith('described', 2)
  const c = member('described', 'range', topic)
  await pollUntil([c], () => c.assignment().length === 2)
  await c.commit([{ topic, partition: 0, offset: 0 }])
  const { stdout } = await runKafkaTool('consumer-groups', [
    '--bootstrap-server',
    kafka.bootstrap,
    '--describe',
    '--group',
    'described',
  ])
  expect(stdout).toMatch(/described\s+described\s+0\s+0\s+0\s+0/)
  const members = await runKafkaTool('consumer-groups', [
    '--bootstrap-server',
    kafka.bootstrap,
    '--describe',
    '--group',
    'described',
    '--members',
    '--verbose',
  ])
  expect(members.stdout).toMatch(/described\(0,1\)|described:?.*0,\s*1/)
})

test.skipIf(skip)(
  'a Java consumer reads the records that our producer compressed, and our producer chooses partitions by the same hash as Java',
  async () => {
    const topic = await topicWith('keyed', 5)
    const input = Array.from({ length: 50 }, (_, i) => `key${i}:java`).join('\n')
    const properties = ['--property', 'parse.key=true', '--property', 'key.separator=:']
    await runKafkaTool('console-producer', ['--bootstrap-server', kafka.bootstrap, '--topic', topic, ...properties], {
      input: `${input}\n`,
    })
    const producer = createProducer({ ...common(), compressionType: 'zstd' })
    open.push(producer)
    await producer.send(
      Array.from({ length: 50 }, (_, i) => ({ topic, key: Buffer.from(`key${i}`), value: Buffer.from('ours') })),
    )
    const c = createConsumer({ ...common(), autoOffsetReset: 'earliest' })
    open.push(c)
    c.assign([0, 1, 2, 3, 4].map(partition => ({ topic, partition })))
    const partitions = new Map<string, Set<number>>()
    for (const r of await read(c, 100)) {
      const key = String(r.key)
      if (!partitions.has(key)) partitions.set(key, new Set())
      partitions.get(key)!.add(r.partition)
    }
    expect([...partitions.values()].every(p => p.size === 1)).toBe(true)
    const { stdout } = await runKafkaTool('console-consumer', [
      '--bootstrap-server',
      kafka.bootstrap,
      '--topic',
      topic,
      '--from-beginning',
      '--max-messages',
      '100',
    ])
    expect(stdout.split('\n').filter(l => l === 'ours')).toHaveLength(50)
  },
)

test.skipIf(skip)(
  'read_committed skips aborted transactions and waits for open ones; read_uncommitted reads all records',
  async () => {
    const topic = await topicWith('transactions', 1)
    const client = new Kafka({ brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING })
    const producer = client.producer({ transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1 })
    const other = client.producer({ transactionalId: 'tx2', idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    await other.connect()
    const send = async (p: typeof producer, values: string[], end: 'commit' | 'abort') => {
      const tx = await p.transaction()
      for (const value of values) await tx.send({ topic, messages: [{ value }] })
      await tx[end]()
    }
    await send(producer, ['c1', 'c2'], 'commit')
    await send(producer, ['a1', 'a2'], 'abort')
    await send(other, ['a3'], 'abort')
    await send(producer, ['c3'], 'commit')
    const [first, second] = [await producer.transaction(), await other.transaction()]
    await first.send({ topic, messages: [{ value: 'a4' }] })
    await second.send({ topic, messages: [{ value: 'c4' }] })
    await first.send({ topic, messages: [{ value: 'a5' }] })
    await second.commit()
    await first.abort()
    const open1 = await producer.transaction()
    await open1.send({ topic, messages: [{ value: 'o1' }] })
    const values = async (isolationLevel: 'read_committed' | 'read_uncommitted', count: number) => {
      const c = createConsumer({ ...common(), autoOffsetReset: 'earliest', isolationLevel })
      open.push(c)
      c.assign([{ topic, partition: 0 }])
      const got = (await read(c, count)).map(r => String(r.value))
      for (const batch of await c.poll(300)) got.push(...batch.records.map(r => String(r.value)))
      return got
    }
    expect(await values('read_committed', 4)).toEqual(['c1', 'c2', 'c3', 'c4'])
    expect(await values('read_uncommitted', 10)).toEqual(['c1', 'c2', 'a1', 'a2', 'a3', 'c3', 'a4', 'c4', 'a5', 'o1'])
    await open1.commit()
    expect(await values('read_committed', 5)).toEqual(['c1', 'c2', 'c3', 'c4', 'o1'])
    await producer.disconnect()
    await other.disconnect()
  },
)
