import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ConfigState } from './config-state.ts'
import { type ConfigEntry, ConfigStore } from './config-store.ts'

interface Row {
  partition: number
  key: string
  value: string | null
}

const rows = readFileSync(new URL('./fixtures/connect-configs.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Row)

function replay(records: readonly ConfigEntry[]): ConfigState {
  const state = new ConfigState()
  for (const { key, value } of records) state.apply(key, value)
  return state
}

test('all records that a real Connect worker wrote to its config topic are applied', () => {
  const state = replay(rows)
  expect([...state.connectors].sort()).toEqual(
    ['a/b %c', 'init', 'initp', 'k é', 'k1', 'k9', 'kbad', 'new', 's1'].sort(),
  )
  expect(state.target('init')).toBe('STOPPED')
  expect(state.target('initp')).toBe('PAUSED')
  expect(state.target('k9')).toBe('STARTED')
  expect(state.tasks('new')[0]?.['task.class']).toBe('org.apache.kafka.connect.file.FileStreamSourceTask')
  expect(state.tasks('k1')).toEqual([])
  expect(state.inconsistent('k9')).toBe(false)
  expect(state.sessionKey?.algorithm).toBe('HmacSHA256')
  expect(state.loggers.get('a.b')).toBe('info')
})

test('records are written byte for byte as Connect writes them', async () => {
  const written: ConfigEntry[] = []
  const store = new ConfigStore(
    apply => ({
      start: async () => {},
      close: async () => {},
      write: async entries => {
        written.push(...entries)
        for (const e of entries) apply(e.key, e.value)
      },
    }),
    () => {},
  )
  await store.start()
  const config = {
    'connector.class': 'FileStreamSource',
    topic: 'ht',
    file: '/tmp/h/in.txt',
    'tasks.max': '2',
    flag: 'true',
    name: 's1',
  }
  const task = { ...config, 'task.class': 'org.apache.kafka.connect.file.FileStreamSourceTask' }
  const order = ['connector.class', 'file', 'flag', 'task.class', 'tasks.max', 'name', 'topic'] as const
  await store.putConnector('s1', config, null)
  await store.putTasks('s1', [Object.fromEntries(order.map(k => [k, task[k]]))])
  await store.putTarget('s1', 'PAUSED')
  await store.putTarget('s1', 'STARTED')
  await store.putRestart('s1', true, false)
  await store.putTarget('s1', 'STOPPED')
  await store.putLogger('a.b', 'info')
  const { key, algorithm, createdAt } = replay(rows).sessionKey!
  await store.putSessionKey({ key, algorithm, createdAt })
  for (const entry of written) {
    expect(rows.map(r => `${r.key} ${r.value}`)).toContain(`${entry.key} ${entry.value}`)
  }
  await store.putConnector('init', { 'connector.class': 'X' }, 'STOPPED')
  expect(written.at(-2)?.key).toBe('target-state-init')
  await store.removeConnector('init')
  expect(written.slice(-2)).toEqual([
    { key: 'connector-init', value: null },
    { key: 'target-state-init', value: null },
  ])
})

const connector = { key: 'connector-a', value: '{"properties":{"connector.class":"X"}}' }
const taskRow = (n: number, v = '1') => ({ key: `task-a-${n}`, value: `{"properties":{"v":"${v}"}}` })
const commit = (n: number) => ({ key: 'commit-a', value: `{"tasks":${n}}` })

test('task configurations take effect only when a commit record follows and none of them is missing', () => {
  expect(replay([connector, taskRow(0)]).tasks('a')).toEqual([])
  expect(replay([connector, taskRow(0), taskRow(1), commit(2)]).tasks('a')).toHaveLength(2)
  const half = replay([connector, taskRow(1), commit(2)])
  expect(half.inconsistent('a')).toBe(true)
  expect(half.tasks('a')).toEqual([])
  const healed = replay([connector, taskRow(1), commit(2), taskRow(0), taskRow(1), commit(2)])
  expect(healed.inconsistent('a')).toBe(false)
})

test('a configuration key named __proto__ is applied like any other key', () => {
  const value = '{"properties":{"__proto__":"x","name":"a"}}'
  expect(JSON.stringify(replay([{ key: 'connector-a', value }]).config('a'))).toBe('{"__proto__":"x","name":"a"}')
})

test('task records of a deleted connector do not affect a new connector with the same name', () => {
  expect(replay([taskRow(0), commit(1), connector]).tasks('a')).toEqual([])
  const again = replay([connector, taskRow(0), commit(1), { key: 'connector-a', value: null }, connector])
  expect(again.tasks('a')).toEqual([])
  expect(again.taskRevision('a')).toBe(0)
})

test("appliedConfig is the connector's configuration at the time of the last commit record", () => {
  const state = replay([connector, taskRow(0), commit(1)])
  expect(state.appliedConfig('a')).toBe(state.config('a'))
  state.apply('connector-a', '{"properties":{"connector.class":"X","transforms":"t"}}')
  expect(state.appliedConfig('a')).not.toEqual(state.config('a'))
})

test('target states that workers before 3.5 wrote are applied, and invalid records change nothing', () => {
  const state = replay([connector, { key: 'target-state-a', value: '{"state":"PAUSED"}' }])
  expect(state.target('a')).toBe('PAUSED')
  for (const value of ['{"state":"NOPE"}', 'garbage', '[]', '{}']) {
    expect(state.apply('target-state-a', value)).toBe(null)
  }
  expect(state.apply('connector-b', '{"properties":7}')).toBe(null)
  expect(state.apply('whatever', '{}')).toBe(null)
  expect(state.target('a')).toBe('PAUSED')
})

test('connector names that contain hyphens and numbers are parsed correctly', () => {
  const state = replay([
    { key: 'connector-x-1', value: '{"properties":{"a":"1"}}' },
    { key: 'task-x-1-0', value: '{"properties":{"b":"2"}}' },
    { key: 'commit-x-1', value: '{"tasks":1}' },
  ])
  expect(state.tasks('x-1')).toEqual([{ b: '2' }])
})
