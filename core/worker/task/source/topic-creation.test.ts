import { expect, test } from 'vitest'
import type { Admin, NewTopic, TopicDescription } from '../../../client/types.ts'
import { createLogger, setLogSink } from '../../../common/log.ts'
import { TopicCreator, topicCreationRules } from './topic-creation.ts'

setLogSink(() => undefined)

const PROPS = {
  'topic.creation.groups': 'logs, wide',
  'topic.creation.default.partitions': '2',
  'topic.creation.default.replication.factor': '1',
  'topic.creation.default.compression.type': 'lz4',
  'topic.creation.logs.include': 'log-.*, audit',
  'topic.creation.logs.exclude': 'log-private',
  'topic.creation.logs.cleanup.policy': 'compact',
  'topic.creation.wide.include': '.*-wide',
  'topic.creation.wide.partitions': '12',
}

test('the first group that includes a topic and does not exclude it overrides the default settings', () => {
  const rules = topicCreationRules(PROPS)!
  const common = { replicationFactor: 1 }
  const lz4 = { 'compression.type': 'lz4' }
  const logs = { ...common, partitions: 2, configs: { ...lz4, 'cleanup.policy': 'compact' } }
  expect(rules('log-a')).toEqual({ name: 'log-a', ...logs })
  expect(rules('audit')).toEqual({ name: 'audit', ...logs })
  expect(rules('log-wide')).toEqual({ name: 'log-wide', ...logs })
  expect(rules('x-wide')).toEqual({ name: 'x-wide', ...common, partitions: 12, configs: lz4 })
  expect(rules('log-private')).toEqual({ name: 'log-private', ...common, partitions: 2, configs: lz4 })
  expect(rules('my-audit')).toEqual({ name: 'my-audit', ...common, partitions: 2, configs: lz4 })
})

test("include and exclude patterns use Java's syntax and are joined into one pattern, as in Connect", () => {
  const rules = topicCreationRules({
    ...PROPS,
    'topic.creation.logs.include': String.raw`(?i)shop\-(\w++), \QA.b\E`,
    'topic.creation.logs.exclude': String.raw`.*\_x\z`,
  })!
  const compacted = (topic: string) => 'cleanup.policy' in (rules(topic).configs ?? {})
  expect(['shop-a', 'SHOP-a', 'a.B', 'axb', 'shop-a_x'].map(compacted)).toEqual([true, true, true, false, false])
})

test('without topic.creation settings, the broker creates topics', () => {
  expect(topicCreationRules({ topic: 't' })).toBeNull()
})

function admin(existing: Set<string>, fails: Error | null = null, appears = false) {
  const created: NewTopic[] = []
  const describeTopics = async (names: readonly string[]) =>
    names.map(name => (existing.has(name) ? ({ name } as TopicDescription) : null))
  const createTopics = async (topics: readonly NewTopic[]) => {
    if (appears) for (const t of topics) existing.add(t.name)
    if (fails) throw fails
    created.push(...topics)
  }
  return { admin: { describeTopics, createTopics } as unknown as Admin, created }
}

const creator = (a: Admin) => new TopicCreator(a, topicCreationRules(PROPS)!, createLogger('test'))

test('a missing topic is created, and it is not an error if another task creates it first', async () => {
  const absent = admin(new Set())
  await creator(absent.admin).ensure('a-wide')
  expect(absent.created).toMatchObject([{ name: 'a-wide', partitions: 12 }])
  const present = admin(new Set(['a-wide']))
  await creator(present.admin).ensure('a-wide')
  expect(present.created).toEqual([])
  const raced = admin(new Set(), new Error('TOPIC_ALREADY_EXISTS'), true)
  await expect(creator(raced.admin).ensure('a-wide')).resolves.toBeUndefined()
  const refused = admin(new Set(), new Error('POLICY_VIOLATION'))
  await expect(creator(refused.admin).ensure('a-wide')).rejects.toThrow('POLICY_VIOLATION')
})
