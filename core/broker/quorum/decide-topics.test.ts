import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { InMemoryController, newTopic } from '../test-support/decisions.ts'
import { decideCreatePartitions, decideCreateTopics, decideDeleteTopics } from './decide-topics.ts'
import { topicConfigsOf } from './image.ts'

function create(c: InMemoryController, ...topics: Parameters<typeof newTopic>[]) {
  return c.run(ctx =>
    decideCreateTopics(
      ctx,
      topics.map(t => newTopic(...t)),
    ),
  ).outcomes
}

test('a topic gets the requested partitions, configs and leader', () => {
  const c = new InMemoryController()
  const [made] = create(c, ['orders', { numPartitions: 3, set: { 'retention.ms': '5' } }])
  expect(made?.error).toBe(null)
  const topic = c.image.topicsByName.get('orders')!
  expect(topic.id).toBe(made?.value?.id)
  expect(topic.partitions.map(p => [p.partition, p.leader, p.leaderEpoch])).toEqual([
    [0, 1, 0],
    [1, 1, 0],
    [2, 1, 0],
  ])
  expect([...topicConfigsOf(c.image, 'orders')]).toEqual([['retention.ms', '5']])
})

test("the value -1 stands for the broker's default", () => {
  const c = new InMemoryController({ 'num.partitions': '4' })
  create(c, ['a', { numPartitions: -1, replicationFactor: -1 }])
  expect(c.image.topicsByName.get('a')?.partitions.length).toBe(4)
})

test('one request creates at most 10 000 partitions in total', () => {
  const c = new InMemoryController()
  const many = Array.from({ length: 10_001 }, (_, i): Parameters<typeof newTopic> => [`t${i}`])
  const refused = create(c, ...many).map(o => o.error)
  expect(new Set(refused.map(e => e?.code))).toEqual(new Set([ErrorCode.POLICY_VIOLATION]))
  expect(refused[0]?.message).toBe('Excessively large number of partitions per request.')
  expect(create(c, ['big', { numPartitions: 2 ** 31 - 1 }])[0]?.error?.code).toBe(ErrorCode.POLICY_VIOLATION)
  expect(c.image.topicsByName.size).toBe(0)
  expect(create(c, ['wide', { numPartitions: 10_000 }])[0]?.error).toBe(null)
})

// The error codes and messages are those of Apache Kafka 4.3.1.
const REFUSED: [string, Parameters<typeof newTopic>, number, string][] = [
  ['no name', [''], 17, 'Topic name is invalid: the empty string is not allowed'],
  ['the name "."', ['.'], 17, "Topic name is invalid: '.' is not allowed"],
  [
    'a space in its name',
    ['a b'],
    17,
    "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
  ],
  [
    'the name of the metadata log',
    ['__cluster_metadata'],
    42,
    'Creation of internal topic __cluster_metadata is prohibited.',
  ],
  ['no partitions', ['t', { numPartitions: 0 }], 37, 'Number of partitions was set to an invalid non-positive value.'],
  [
    'no replicas',
    ['t', { replicationFactor: 0 }],
    38,
    'Replication factor must be larger than 0, or -1 to use the default value.',
  ],
  ['an unknown config', ['t', { set: { nope: '1' } }], 40, 'Unknown topic config name: nope'],
  [
    'a config of the wrong type',
    ['t', { set: { 'retention.ms': 'x' } }],
    40,
    'Invalid value x for configuration retention.ms: Not a number of type LONG',
  ],
  [
    'a config of the wrong type whose key has no validator',
    ['t', { set: { preallocate: 'yes' } }],
    40,
    'Invalid value yes for configuration preallocate: Expected value to be either true or false',
  ],
  [
    'a config out of range',
    ['t', { set: { 'segment.bytes': '12' } }],
    40,
    'Invalid value 12 for configuration segment.bytes: Value must be at least 1048576',
  ],
  [
    'a config with an unknown value',
    ['t', { set: { 'cleanup.policy': 'foo' } }],
    40,
    'Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete',
  ],
  [
    'configs that contradict each other',
    ['t', { set: { 'min.compaction.lag.ms': '100', 'max.compaction.lag.ms': '10' } }],
    40,
    'conflict topic config setting min.compaction.lag.ms (100) > max.compaction.lag.ms (10)',
  ],
  [
    'both assignments and a number of partitions',
    ['t', { replicationFactor: -1, assignments: [{ partition: 0, brokerIds: [1] }] }],
    42,
    'A manual partition assignment was specified, but numPartitions was not set to -1.',
  ],
  [
    'an assignment with a gap',
    ['t', { numPartitions: -1, replicationFactor: -1, assignments: [{ partition: 1, brokerIds: [1] }] }],
    39,
    'partitions should be a consecutive 0-based integer sequence',
  ],
  [
    'an empty assignment',
    ['t', { numPartitions: -1, replicationFactor: -1, assignments: [{ partition: 0, brokerIds: [] }] }],
    39,
    'The manual partition assignment includes an empty replica list.',
  ],
  [
    'an assignment to an unknown broker',
    ['t', { numPartitions: -1, replicationFactor: -1, assignments: [{ partition: 0, brokerIds: [7] }] }],
    39,
    'The manual partition assignment includes broker 7, but no such broker is registered.',
  ],
]

test.each(REFUSED)('a topic with %s is rejected as in Kafka, and no record is written', (_, topic, code, message) => {
  const c = new InMemoryController()
  const { records, outcomes } = c.run(ctx => decideCreateTopics(ctx, [newTopic(...topic)]))
  expect(outcomes[0]?.error).toEqual({ code, message })
  expect(records).toEqual([])
})

test('a replication factor above the number of brokers is rejected', () => {
  const [refused] = create(new InMemoryController(), ['t', { replicationFactor: 3 }])
  expect(refused?.error?.code).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
  expect(refused?.error?.message).toMatch(/only 1 broker/)
})

test('a topic name is rejected if it exists, occurs twice, or differs from another only in . and _', () => {
  const c = new InMemoryController()
  create(c, ['a'], ['p.q'])
  const outcomes = create(c, ['a'], ['p_q'], ['twice'], ['twice'], ['fine'])
  expect(outcomes.map(o => o.error?.message ?? null)).toEqual([
    "Topic 'a' already exists.",
    "Topic 'p_q' collides with existing topic: p.q",
    'Duplicate topic name.',
    'Duplicate topic name.',
    null,
  ])
})

test('partitions are added after the existing ones, and are never removed', () => {
  const c = new InMemoryController()
  create(c, ['a', { numPartitions: 2 }])
  const grow = (name: string, count: number, assignments: number[][] | null = null) =>
    c.run(ctx => decideCreatePartitions(ctx, [{ name, count, assignments }])).outcomes[0]?.error ?? null
  expect(grow('a', 5)).toBe(null)
  expect(c.image.topicsByName.get('a')?.partitions.map(p => p.partition)).toEqual([0, 1, 2, 3, 4])
  expect(grow('a', 5)).toMatchObject({ code: 37, message: 'Topic already has 5 partition(s).' })
  expect(grow('a', 1)).toMatchObject({ code: 37 })
  expect(grow('none', 1)).toMatchObject({ code: 3, message: null })
  expect(grow('a', 7, [[1]])).toMatchObject({ code: 39 })
  expect(grow('a', 6, [[9]])).toMatchObject({ code: 39 })
})

test('a topic can be deleted only once, and its name can be used again', () => {
  const c = new InMemoryController()
  const [made] = create(c, ['a'])
  const id = made!.value!.id
  const { outcomes } = c.run(ctx => decideDeleteTopics(ctx, [id, id]))
  expect(outcomes.map(o => o.error?.code ?? 0)).toEqual([0, ErrorCode.UNKNOWN_TOPIC_ID])
  expect(create(c, ['a'])[0]?.error).toBe(null)
  expect(c.image.topicsByName.get('a')?.id).not.toBe(id)
})

test('for any request, the records of a decision can be applied, and they match its outcomes', () => {
  const names = fc.constantFrom('a', 'b', 'a.b', 'a_b', '', 'bad name')
  const request = fc.record({
    name: names,
    numPartitions: fc.integer({ min: -2, max: 4 }),
    replicationFactor: fc.integer({ min: -1, max: 2 }),
  })
  fc.assert(
    fc.property(fc.array(fc.array(request, { maxLength: 4 }), { maxLength: 5 }), rounds => {
      const c = new InMemoryController()
      for (const topics of rounds) {
        const before = c.image
        const { outcomes } = c.run(ctx =>
          decideCreateTopics(
            ctx,
            topics.map(t => newTopic(t.name, t)),
          ),
        )
        for (const [i, o] of outcomes.entries()) {
          const image = c.image.topicsByName.get(topics[i]!.name)
          if (o.error === null) expect(image?.partitions.length).toBe(o.value.partitions.length)
          else expect(image).toBe(before.topicsByName.get(topics[i]!.name))
        }
      }
    }),
  )
})
