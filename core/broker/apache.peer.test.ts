import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type PeerKafka, startPeerKafka } from '../../test/peers/servers.ts'
import { findKafkaLibs, skipWithout } from '../../test/peers/tools.ts'
import { sleep } from '../common/async/sleep.ts'
import { startBroker } from './broker.ts'
import { batchOf, valuesIn } from './test-support/batches.ts'
import { normalized } from './test-support/compare-brokers.ts'
import { RawClient } from './test-support/raw-client.ts'
import { silentLogger, startTestBroker, type TestBroker } from './test-support/test-broker.ts'

/**
 * These tests send the same requests to Apache Kafka and to our broker. The responses must be
 * equal, except for values that each broker generates.
 */
const skipped = skipWithout('Apache Kafka', findKafkaLibs() !== null)

let theirs: PeerKafka
let ours: TestBroker
let a: RawClient
let b: RawClient
beforeAll(async () => {
  if (skipped) return
  theirs = await startPeerKafka()
  ours = await startTestBroker({ 'node.id': '1', 'offsets.topic.num.partitions': '4' })
  a = await RawClient.connect(Number(theirs.bootstrap.split(':')[1]))
  b = await RawClient.connect(ours.port)
})
afterAll(async () => {
  if (skipped) return
  a.close()
  b.close()
  await ours.close()
  await theirs.stop()
})

type Call = Parameters<RawClient['call']>

async function same(...[name, input, version]: Call): Promise<void> {
  const [their, our] = await Promise.all([a.call(name, input, version), b.call(name, input, version)])
  expect(normalized(our), `${name} ${JSON.stringify(input).slice(0, 200)}`).toEqual(normalized(their))
}

/**
 * Waits until Apache serves a new topic. At first, Apache may answer that the topic does not exist.
 */
async function untilServed(name: string): Promise<void> {
  const input = {
    replicaId: -1,
    topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: 0 }] }],
  }
  const ready = async () => JSON.stringify(await a.call('ListOffsets', input)).includes('"errorCode":0')
  while (!(await ready())) await sleep(20)
}

const topic = (name: string, o: object = {}) => ({ name, numPartitions: 1, replicationFactor: 1, ...o })
const created = (...topics: object[]): Call => ['CreateTopics', { topics, timeoutMs: 10_000 }]
const checked = (...topics: object[]): Call => ['CreateTopics', { topics, timeoutMs: 10_000, validateOnly: true }]
const config = (name: string, value: string | null) => ({ configs: [{ name, value }] })

test.skipIf(skipped)('CreateTopics returns the same results and errors as Apache Kafka', async () => {
  await same(...created(topic('one'), topic('two', { numPartitions: 2, ...config('retention.ms', '-1') })))
  await same(...created(topic('one')))
  await same(...created(topic('p.q')))
  await same(...created(topic('p_q'), topic('dd'), topic('dd')))
  for (const n of ['', '.', '..', 'a b', 'x'.repeat(250), '__cluster_metadata']) await same(...checked(topic(n)))
  for (const numPartitions of [0, -1, -2]) await same(...checked(topic('n', { numPartitions })))
  for (const replicationFactor of [0, -1, -2, 3]) await same(...checked(topic('r', { replicationFactor })))
  const configs: [string, string | null][] = [
    ['nope', '1'],
    ['retention.ms', 'x'],
    ['retention.ms', '-2'],
    ['retention.ms', null],
    ['cleanup.policy', 'foo'],
    ['cleanup.policy', ''],
    ['cleanup.policy', 'compact,delete'],
    ['segment.bytes', '12'],
    ['preallocate', 'yes'],
    ['max.message.bytes', ''],
    ['compression.type', 'foo'],
    ['remote.storage.enable', 'true'],
    ['min.insync.replicas', '2'],
    ['message.timestamp.type', 'LogAppendTime'],
    ['min.cleanable.dirty.ratio', '1.5'],
  ]
  for (const [name, value] of configs) await same(...checked(topic('c', config(name, value))))
  const manual = (...assignments: [number, number[]][]) =>
    topic('m', {
      numPartitions: -1,
      replicationFactor: -1,
      assignments: assignments.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
    })
  await same(...checked(manual([0, [1]], [1, [1]])))
  for (const bad of [
    manual([1, [1]]),
    manual([0, [7]]),
    manual([0, []]),
    manual([0, [1, 1]]),
    manual([0, [1]], [0, [1]]),
  ])
    await same(...checked(bad))
  for (const version of [2, 3, 4, 5, 6])
    await same('CreateTopics', { topics: [topic(`v${version}`)], timeoutMs: 9999 }, version)
})

test.skipIf(skipped)('Metadata returns the same responses as Apache Kafka in every version', async () => {
  await same(...created(topic('meta', { numPartitions: 3 })))
  for (const name of ['meta']) await untilServed(name)
  for (let version = 0; version <= 13; version++) {
    await same('Metadata', { topics: [{ name: 'meta' }] }, version)
    if (version >= 4)
      await same(
        'Metadata',
        { topics: [{ name: 'none' }, { name: 'bad name' }], allowAutoTopicCreation: false },
        version,
      )
  }
  await same('Metadata', { topics: [{ name: null, topicId: 'SRUODZFdSQqGegZn0QSnKA' }] }, 12)
  const operations = { includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true }
  await same('Metadata', { topics: [{ name: 'meta' }], ...operations }, 10)
  await same('DescribeCluster', { includeClusterAuthorizedOperations: true })
  for (const endpointType of [2, 3]) await same('DescribeCluster', { endpointType })
  await same('DescribeTopicPartitions', {
    topics: [{ name: 'meta' }, { name: 'none' }, { name: 'bad name' }],
    responsePartitionLimit: 100,
  })
  await same('DescribeTopicPartitions', { topics: [{ name: 'meta' }], responsePartitionLimit: 2 })
})

test.skipIf(skipped)('Produce, Fetch and ListOffsets return the same responses as Apache Kafka', async () => {
  await same(...created(topic('data')))
  await untilServed('data')
  const produce = (records: Buffer | null, o: object = {}, version = 12): Call => {
    const topicData = [{ name: 'data', partitionData: [{ index: 0, records }] }]
    return ['Produce', { acks: -1, timeoutMs: 5000, topicData, ...o }, version]
  }
  for (let version = 3; version <= 12; version++) await same(...produce(batchOf('a', 'b'), {}, version))
  // Sends two batches, then no batch. Both requests fail, because each partition must have exactly
  // one batch. A request whose records are null is not sent, because Apache does not answer it.
  for (const records of [Buffer.concat([batchOf('a'), batchOf('b')]), Buffer.alloc(0)]) {
    const answers = await Promise.all([a, b].map(c => c.call(...produce(records))))
    // The error messages are not compared, because only our response has one.
    const [their, our] = answers.map(answer =>
      JSON.stringify(normalized(answer)).replace(/"errorMessage":("[^"]*"|null)/g, ''),
    )
    expect(our).toBe(their)
  }
  const elsewhere = [{ name: 'data', partitionData: [{ index: 9, records: batchOf('x') }] }]
  await same(...produce(null, { topicData: elsewhere }))
  const fetch = (partitions: object[], o: object = {}, version = 12): Call => [
    'Fetch',
    { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'data', partitions }], ...o },
    version,
  ]
  const from = (fetchOffset: number, o: object = {}) => ({
    partition: 0,
    fetchOffset,
    partitionMaxBytes: 100_000,
    ...o,
  })
  for (let version = 4; version <= 12; version++) await same(...fetch([from(0)], {}, version))
  await same(...fetch([from(19)]))
  await same(...fetch([from(20)]))
  await same(...fetch([from(21)]))
  await same(...fetch([from(0, { partitionMaxBytes: 1 })]))
  // A fetch with a limit of 200 bytes is not compared. Apache then returns a part of the third
  // batch, which clients discard. Our response ends with the second batch.
  await same(...fetch([from(0, { currentLeaderEpoch: 9 })]))
  await same(...fetch([from(0)], { isolationLevel: 1 }))
  await same(...fetch([from(0)], { sessionId: 77, sessionEpoch: 3 }))
  await same(...fetch([from(0)], { sessionId: 0, sessionEpoch: 0 }))
  const list = (timestamp: number, version: number, o: object = {}): Call => [
    'ListOffsets',
    { replicaId: -1, topics: [{ name: 'data', partitions: [{ partitionIndex: 0, timestamp, ...o }] }] },
    version,
  ]
  for (let version = 1; version <= 11; version++) {
    for (const timestamp of [-1, -2, -3, -4, -5, -6, -7]) {
      // Timestamp -3 (MAX_TIMESTAMP) is skipped, because the brokers wrote the records at different
      // times.
      if (timestamp !== -3 || version < 7) await same(...list(timestamp, version))
    }
    await same(...list(Date.now() + 1e6, version))
  }
  await same(...list(-1, 11, { currentLeaderEpoch: 9 }))
  await same(...list(-1, 11, { partitionIndex: 9 }))
  const epochs = [
    { partition: 0, leaderEpoch: 0 },
    { partition: 77, leaderEpoch: 0 },
  ]
  for (const version of [2, 3, 4])
    await same('OffsetForLeaderEpoch', { replicaId: -1, topics: [{ topic: 'data', partitions: epochs }] }, version)
  await same('OffsetForLeaderEpoch', {
    replicaId: -1,
    topics: [{ topic: 'data', partitions: [{ partition: 0, leaderEpoch: 5 }] }],
  })
  const del = (partitionIndex: number, offset: number): Call => [
    'DeleteRecords',
    { topics: [{ name: 'data', partitions: [{ partitionIndex, offset }] }], timeoutMs: 5000 },
  ]
  for (const [p, offset] of [
    [0, 99],
    [9, 0],
    [0, 3],
    [0, 1],
    [0, -1],
  ] as const)
    await same(...del(p, offset))
  await same('DescribeProducers', { topics: [{ name: 'data', partitionIndexes: [0, 9] }] })
  await same('DescribeLogDirs', { topics: [{ topic: 'data', partitions: [9] }] })
})

test.skipIf(skipped)('min.insync.replicas never requires more replicas than a partition has', async () => {
  await same(...created(topic('isr', config('min.insync.replicas', '2')), topic('isr-by-default')))
  for (const name of ['isr', 'isr-by-default']) await untilServed(name)
  const produce = (name: string, acks: number): Call => {
    const topicData = [{ name, partitionData: [{ index: 0, records: batchOf('a') }] }]
    return ['Produce', { acks, timeoutMs: 5000, topicData }, 12]
  }
  for (const acks of [-1, 1]) await same(...produce('isr', acks))
  const byDefault = (value: string): Call => [
    'IncrementalAlterConfigs',
    {
      resources: [
        { resourceType: 4, resourceName: '', configs: [{ name: 'min.insync.replicas', configOperation: 0, value }] },
      ],
    },
  ]
  await same(...byDefault('2'))
  await same(...produce('isr-by-default', -1))
  const offsets = [{ name: 'isr', partitions: [{ partitionIndex: 0, committedOffset: 1 }] }]
  const commit: Call = [
    'OffsetCommit',
    { groupId: 'isr', generationIdOrMemberEpoch: -1, memberId: '', topics: offsets },
    9,
  ]
  for (const c of [a, b]) {
    await vi.waitFor(async () => {
      await c.call('FindCoordinator', { keyType: 0, coordinatorKeys: ['isr'] })
      expect(JSON.stringify(await c.call(...commit))).toContain('"errorCode":0')
    }, 20_000)
  }
  await same(...commit)
  await same(...byDefault('1'))
})

test.skipIf(skipped)('configs are altered, rejected and described as in Apache Kafka', async () => {
  await same(...created(topic('conf'), topic('conf2')))
  for (const name of ['conf', 'conf2']) await untilServed(name)
  const alter = (type: number, name: string, ...ops: [string, number, string | null][]): Call => [
    'IncrementalAlterConfigs',
    {
      resources: [
        {
          resourceType: type,
          resourceName: name,
          configs: ops.map(([n, configOperation, value]) => ({ name: n, configOperation, value })),
        },
      ],
    },
  ]
  await same(...alter(2, 'conf', ['retention.ms', 0, '5'], ['cleanup.policy', 2, 'compact']))
  await same(...alter(2, 'conf', ['cleanup.policy', 3, 'delete']))
  await same(...alter(2, 'conf', ['retention.ms', 2, '5']))
  await same(...alter(2, 'conf', ['retention.ms', 0, null]))
  await same(...alter(2, 'conf', ['retention.ms', 0, '5'], ['retention.ms', 1, null]))
  await same(...alter(2, 'none', ['retention.ms', 0, '5']))
  await same(...alter(2, 'bad name', ['retention.ms', 0, '5']))
  await same(...alter(2, 'conf', ['nope', 0, '5']))
  await same(...alter(4, '', ['num.partitions', 0, '3']))
  await same(...alter(4, '1', ['log.cleaner.threads', 0, 'x']))
  await same(...alter(4, '9', ['log.retention.ms', 0, '5']))
  await same(...alter(4, '1', ['log.retention.ms', 0, '7000']))
  await same(...alter(77, 'x', ['a', 0, 'b']))
  await same('AlterConfigs', {
    resources: [{ resourceType: 2, resourceName: 'conf2', configs: [{ name: 'segment.ms', value: '100000' }] }],
  })
  // The keys log.roll.hours, log.roll.jitter.hours and log.flush.scheduler.interval.ms are not
  // compared, because Apache returns no synonyms for them.
  const keys = [
    'retention.ms',
    'cleanup.policy',
    'preallocate',
    'remote.storage.enable',
    'compression.type',
    'max.message.bytes',
  ]
  const describe = (resourceType: number, resourceName: string, configurationKeys: string[] | null): Call => [
    'DescribeConfigs',
    { resources: [{ resourceType, resourceName, configurationKeys }], includeSynonyms: true },
  ]
  for (const name of ['conf', 'conf2', 'none', 'bad name']) await same(...describe(2, name, keys))
  for (const name of ['9', 'x']) await same(...describe(4, name, null))
  const brokerKeys = [
    'log.retention.ms',
    'log.retention.hours',
    'message.max.bytes',
    'num.io.threads',
    'log.cleaner.threads',
  ]
  await same(...describe(4, '1', brokerKeys))
})

test.skipIf(skipped)('every topic key has the same value, source and type as in Apache Kafka', async () => {
  await same(...created(topic('defaults')))
  for (const name of ['defaults']) await untilServed(name)
  const resources = [{ resourceType: 2, resourceName: 'defaults', configurationKeys: null }]
  const [their, our] = await Promise.all(
    [a, b].map(async c => {
      const { results } = (await c.call('DescribeConfigs', { resources, includeSynonyms: false })) as {
        results: { configs: { name: string }[] }[]
      }
      return results[0]!.configs.filter(k => k.name !== 'retention.ms')
    }),
  )
  expect(normalized(our)).toEqual(normalized(their))
})

test.skipIf(skipped)('Metadata creates the same topics as Apache Kafka does', async () => {
  const names = ['auto', 'x.y', '__transaction_state', '__share_group_state', '__cluster_metadata', 'not a name', '..']
  const ask = (allowAutoTopicCreation: boolean, ...asked: string[]): Call => [
    'Metadata',
    { topics: asked.map(name => ({ name })), allowAutoTopicCreation },
    12,
  ]
  for (const client of [a, b]) {
    // Apache answers the first request before it has created the topics.
    await client.call(...ask(true, ...names))
    await vi.waitFor(async () => {
      const { topics } = (await client.call(...ask(false, ...names.slice(0, 3)))) as { topics: { errorCode: number }[] }
      expect(topics.map(t => t.errorCode)).toEqual([0, 0, 0])
    }, 20_000)
  }
  await same(...ask(true, ...names))
  // x_y collides with the existing topic x.y: the two names differ only in the dot.
  for (let i = 0; i < 2; i++) await same(...ask(true, 'x_y'))
})

test.skipIf(skipped)('partitions are added and topics are deleted as in Apache Kafka', async () => {
  await same(...created(topic('grow'), topic('gone1'), topic('gone2')))
  for (const name of ['grow', 'gone1', 'gone2']) await untilServed(name)
  const grow = (name: string, count: number, assignments: number[][] | null = null): Call => [
    'CreatePartitions',
    { topics: [{ name, count, assignments: assignments?.map(brokerIds => ({ brokerIds })) ?? null }], timeoutMs: 5000 },
  ]
  await same(...grow('grow', 3))
  for (const count of [3, 1, 0]) await same(...grow('grow', count))
  await same(...grow('none', 3))
  await same(...grow('grow', 5, [[1]]))
  await same(...grow('grow', 4, [[7]]))
  await same(...grow('grow', 4, [[1, 1]]))
  await same(...grow('grow', 4, [[1]]))
  const none = 'SRUODZFdSQqGegZn0QSnKA'
  const remove = (...topics: object[]): Call => ['DeleteTopics', { topics, timeoutMs: 5000 }]
  await same(
    ...remove(
      { name: 'gone1' },
      { name: 'none' },
      { name: null },
      { name: null, topicId: none },
      { name: 'x', topicId: none },
    ),
  )
  await same('DeleteTopics', { topicNames: ['gone2', 'none', 'none'], timeoutMs: 5000 }, 5)
  const election = [
    { topic: 'grow', partitions: [0, 88] },
    { topic: 'none', partitions: [0] },
  ]
  for (const version of [0, 1, 2])
    await same('ElectLeaders', { electionType: 0, topicPartitions: election, timeoutMs: 5000 }, version)
})

test.skipIf(skipped)('our broker serves the directory of a stopped Apache broker', async () => {
  await same(...created(topic('moved')))
  await untilServed('moved')
  const produced = {
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name: 'moved', partitionData: [{ index: 0, records: batchOf('theirs') }] }],
  }
  await a.call('Produce', produced, 12)
  await theirs.stop({ keep: true })
  const settings = { 'node.id': '1', 'log.dirs': join(theirs.dir, 'data'), listeners: 'PLAINTEXT://127.0.0.1:0' }
  const broker = await startBroker(settings, { logger: silentLogger })
  const c = await RawClient.connect(broker.port)
  try {
    const { topics } = (await c.call('Metadata', { topics: null })) as {
      topics: { partitions: { leaderId: number; isrNodes: number[] }[] }[]
    }
    for (const p of topics.flatMap(t => t.partitions)) expect(p).toMatchObject({ leaderId: 1, isrNodes: [1] })
    const answer = await c.call('Produce', produced, 12)
    expect(JSON.stringify(answer)).toContain('"errorCode":0,"baseOffset":1')
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const fetched = (await c.call('Fetch', { maxWaitMs: 0, topics: [{ topic: 'moved', partitions }] }, 12)) as {
      responses: { partitions: { records: Buffer }[] }[]
    }
    expect(valuesIn(fetched.responses[0]!.partitions[0]!.records)).toEqual(['theirs', 'theirs'])
  } finally {
    c.close()
    await broker.close()
  }
})
