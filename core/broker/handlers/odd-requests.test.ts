import { afterAll, beforeAll, expect, test } from 'vitest'
import { OddClient } from '../test-support/compare-brokers.ts'
import { ODD_REQUESTS } from '../test-support/odd-requests/all.ts'
import { RawClient } from '../test-support/raw-client.ts'
import { startTestBroker, type TestBroker } from '../test-support/test-broker.ts'

/** The expected responses are those of Apache. odd-requests.peer.test.ts compares many more. */
let broker: TestBroker
let c: RawClient
beforeAll(async () => {
  broker = await startTestBroker({ 'node.id': '1' })
  c = await RawClient.connect(broker.port)
})
afterAll(async () => {
  c.close()
  await broker.close()
})

const NO_TOPIC = 'SRUODZFdSQqGegZn0QSnKA'
const INVALID_REQUEST = 42
const INVALID_CONFIG = 40

async function create(name: string): Promise<string> {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1 }]
  const made = (await c.call('CreateTopics', { topics, timeoutMs: 5000 })) as { topics: { topicId: string }[] }
  return made.topics[0]!.topicId
}

test('every unusual request gets a response and keeps the connection open', async () => {
  const odd = new OddClient(broker.port)
  await odd.prepare()
  try {
    for (const request of ODD_REQUESTS) {
      const shown = `${request.api} v${request.version} ${JSON.stringify(request.input)?.slice(0, 200)}`
      expect(await odd.ask(request), shown).toBeTypeOf('object')
    }
  } finally {
    odd.close()
  }
}, 60_000)

test('a topic that a DeleteTopics request contains both by name and by id is not deleted', async () => {
  const topicId = await create('both')
  const message = 'The provided topic name maps to an ID that was already supplied.'
  for (const topics of [
    [{ name: 'both' }, { name: null, topicId }],
    [{ name: null, topicId }, { name: 'both' }],
  ]) {
    const { responses } = await c.call('DeleteTopics', { topics, timeoutMs: 5000 })
    expect(responses).toMatchObject([{ name: 'both', topicId, errorCode: INVALID_REQUEST, errorMessage: message }])
  }
  const found = await c.call('Metadata', { topics: [{ name: 'both' }], allowAutoTopicCreation: false })
  expect(found['topics']).toMatchObject([{ errorCode: 0, name: 'both', topicId }])
})

test('Metadata before v12 rejects topic ids, and DescribeTopicPartitions rejects an invalid cursor', async () => {
  for (const version of [10, 11]) {
    const request = { topics: [{ name: null, topicId: NO_TOPIC }, { name: 'both' }] }
    const { topics } = (await c.call('Metadata', request, version)) as { topics: { errorCode: number }[] }
    expect(topics.map(t => t.errorCode)).toEqual([INVALID_REQUEST, INVALID_REQUEST])
  }
  for (const cursor of [
    { topicName: 'both', partitionIndex: -1 },
    { topicName: 'other', partitionIndex: 0 },
  ]) {
    const request = { topics: [{ name: 'both' }], responsePartitionLimit: 10, cursor }
    const { topics } = await c.call('DescribeTopicPartitions', request)
    expect(topics).toMatchObject([{ name: 'both', errorCode: INVALID_REQUEST, partitions: [] }])
  }
})

async function alter(resourceType: number, resourceName: string, name: string, value: string | null) {
  const configs = [{ name, configOperation: value === null ? 1 : 0, value }]
  const answer = await c.call('IncrementalAlterConfigs', { resources: [{ resourceType, resourceName, configs }] })
  const [{ errorCode, errorMessage }] = answer['responses'] as [{ errorCode: number; errorMessage: string | null }]
  return { errorCode, errorMessage }
}

async function described(resourceType: number, resourceName: string, key: string) {
  const resources = [{ resourceType, resourceName, configurationKeys: [key] }]
  const answer = (await c.call('DescribeConfigs', { resources })) as {
    results: { configs: { value: string; configSource: number }[] }[]
  }
  const [config] = answer.results[0]!.configs
  return config && [config.value, config.configSource]
}

test('min.insync.replicas is a cluster-wide setting that always has a value', async () => {
  const key = 'min.insync.replicas'
  const DYNAMIC_DEFAULT_BROKER = 3
  await create('isr')
  for (const value of ['1', '2']) {
    expect((await alter(4, '', key, value)).errorCode).toBe(0)
    for (const [type, name] of [
      [4, ''],
      [4, '1'],
      [2, 'isr'],
    ] as const)
      expect(await described(type, name, key)).toEqual([value, DYNAMIC_DEFAULT_BROKER])
  }
  const refused = (what: string) => ({
    errorCode: INVALID_CONFIG,
    errorMessage: `${what} while ELR is enabled.`,
  })
  expect(await alter(4, '', key, null)).toEqual(refused('Cluster-level min.insync.replicas cannot be removed'))
  expect(await alter(4, '1', key, '1')).toEqual(refused('Broker-level min.insync.replicas cannot be altered'))
})

test('a group config with an unknown name or an invalid value is rejected', async () => {
  const refused = (errorMessage: string) => ({ errorCode: INVALID_CONFIG, errorMessage })
  expect(await alter(32, 'g', 'nonsense', '1')).toEqual(refused('Unknown group config name: nonsense'))
  expect(await alter(32, 'g', 'consumer.session.timeout.ms', '1')).toEqual(
    refused('consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms'),
  )
  expect((await alter(32, 'g', 'consumer.session.timeout.ms', '50000')).errorCode).toBe(0)
  expect(await described(32, 'g', 'consumer.session.timeout.ms')).toEqual(['50000', 8])
  expect(await described(32, 'other', 'consumer.session.timeout.ms')).toEqual(['45000', 5])
})
