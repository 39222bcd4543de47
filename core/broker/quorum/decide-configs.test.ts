import { expect, test } from 'vitest'
import { InMemoryController, newTopic } from '../test-support/decisions.ts'
import type { ConfigChange, ConfigOp } from './controller-api.ts'
import { decideAlterConfigs } from './decide-configs.ts'
import { decideCreateTopics } from './decide-topics.ts'
import { configKey, topicConfigsOf } from './image.ts'

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

function controller(set: Record<string, string> = {}): InMemoryController {
  const c = new InMemoryController()
  c.run(ctx => decideCreateTopics(ctx, [newTopic('t', { set })]))
  return c
}

function change(resourceName: string, ops: [string, ConfigOp['op'], string | null][], resourceType = 2): ConfigChange {
  return { resourceType, resourceName, ops: ops.map(([name, op, value]) => ({ name, op, value })) }
}

function alter(c: InMemoryController, ...changes: ConfigChange[]) {
  return c.run(ctx => decideAlterConfigs(ctx, changes)).outcomes.map(o => o.error)
}

test('keys are set and deleted, and items are added to lists and removed from them', () => {
  const c = controller({ 'retention.ms': '5' })
  expect(
    alter(
      c,
      change('t', [
        ['retention.ms', DELETE, null],
        ['segment.ms', SET, '9'],
        ['cleanup.policy', APPEND, 'compact'],
      ]),
    ),
  ).toEqual([null])
  expect(Object.fromEntries(topicConfigsOf(c.image, 't'))).toEqual({
    'segment.ms': '9',
    'cleanup.policy': 'delete,compact',
  })
  alter(c, change('t', [['cleanup.policy', SUBTRACT, 'delete']]))
  expect(topicConfigsOf(c.image, 't').get('cleanup.policy')).toBe('compact')
})

test('setting a value that is already set writes no record', () => {
  const c = controller({ 'retention.ms': '5' })
  expect(c.run(ctx => decideAlterConfigs(ctx, [change('t', [['retention.ms', SET, '5']])])).records).toEqual([])
})

test('the older AlterConfigs resets the keys that a request omits to their defaults', () => {
  const c = controller({ 'retention.ms': '5', 'segment.ms': '9' })
  alter(c, { ...change('t', [['segment.ms', SET, '10']]), replaceAll: true })
  expect(Object.fromEntries(topicConfigsOf(c.image, 't'))).toEqual({ 'segment.ms': '10' })
})

// The error codes and messages are those of Apache Kafka 4.3.1.
test.each<[string, ConfigChange, number, string]>([
  ['a topic that does not exist', change('none', [['retention.ms', SET, '5']]), 3, "The topic 'none' does not exist."],
  [
    'appending to a number',
    change('t', [['retention.ms', APPEND, '5']]),
    40,
    "Can't APPEND to key retention.ms because its type is not LIST.",
  ],
  ['a null value', change('t', [['retention.ms', SET, null]]), 42, 'Null value not supported for : retention.ms'],
  [
    'a key that occurs twice',
    change('t', [
      ['retention.ms', SET, '5'],
      ['retention.ms', DELETE, null],
    ]),
    42,
    'Error due to duplicate config keys',
  ],
  ['an unknown key', change('t', [['nope', SET, 'x']]), 40, 'Unknown topic config name: nope'],
  [
    'a change of another broker',
    change('9', [['log.retention.ms', SET, '5']], 4),
    42,
    'Unexpected broker id, expected 1, but received 9',
  ],
  [
    'a key that needs a restart',
    change('', [['num.partitions', SET, '3']], 4),
    42,
    'Cannot update these configs dynamically: [num.partitions]',
  ],
  [
    "a value of the wrong type for a broker's key",
    change('1', [['log.cleaner.threads', SET, 'x']], 4),
    42,
    'Invalid value x for configuration log.cleaner.threads: Not a number of type INT',
  ],
  ['an unknown kind of resource', change('x', [['a', SET, 'b']], 77), 42, 'Unknown resource type 77'],
])('%s is rejected as in Kafka, and changes no config', (_, wrong, code, message) => {
  const c = controller()
  const before = c.image
  expect(alter(c, wrong)).toEqual([{ code, message }])
  expect(c.image.configs).toBe(before.configs)
})

test('a resource that a request contains twice is rejected both times, and other resources are changed', () => {
  const c = controller()
  const twice = change('t', [['retention.ms', SET, '5']])
  const errors = alter(c, twice, change('', [['log.retention.ms', SET, '7']], 4), twice)
  expect(errors.map(e => e?.message ?? null)).toEqual([
    'Each resource must appear at most once.',
    null,
    'Each resource must appear at most once.',
  ])
  expect(c.image.configs.get(configKey(4, ''))?.get('log.retention.ms')).toBe('7')
})
