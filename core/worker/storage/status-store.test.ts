import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { nextTurn } from '../../common/async/next-turn.ts'
import { createLogger } from '../../common/log.ts'
import { murmur2, toPositive } from '../../protocol/index.ts'
import { MemoryLog } from '../test-support/memory-log.ts'
import { StatusStore, TopicStatusSink, type UnitStatus } from './status-store.ts'

interface Row {
  partition: number
  key: string
  value: string | null
}

const fixture = (name: string) =>
  readFileSync(new URL(`./fixtures/connect-${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Row)

test('the partitioner chooses the same partitions for the keys of internal topics as the Java producer', () => {
  for (const [topic, partitions] of [
    ['status', 5],
    ['offsets', 25],
  ] as const) {
    for (const { key, partition } of fixture(topic)) {
      expect(toPositive(murmur2(Buffer.from(key))) % partitions, key).toBe(partition)
    }
  }
})

test('the statuses that a real Connect worker wrote to the status topic are read', async () => {
  let apply: (key: string, value: string | null) => void = () => {}
  const store = new StatusStore({
    start: async a => {
      apply = a
    },
    put: () => {},
    close: async () => {},
  })
  await store.start()
  for (const { key, value } of fixture('status')) apply(key, value)
  expect(store.connector('k9')).toEqual({
    state: 'RUNNING',
    trace: null,
    workerId: '127.0.0.1:28083',
    generation: 21,
    version: '4.3.1',
  })
  expect(store.task('k9', 0)?.state).toBe('RUNNING')
  expect(store.connector('x')).toBe(null)
  expect(store.tasks('s1')).toEqual([])
  expect(store.topics('a/b %c').map(t => t.topic)).toEqual(['ht'])
  expect(store.topics('s1')).toEqual([])
})

test('statuses are byte for byte the same as those that Connect writes', () => {
  const written = new Map<string, string | null>()
  const store = new StatusStore({
    start: async () => {},
    put: (key, value) => void written.set(key, value),
    close: async () => {},
  })
  const status = {
    state: 'RUNNING',
    trace: null,
    workerId: '127.0.0.1:28083',
    generation: 24,
    version: '4.3.1',
  } as const
  store.putTask('k9', 0, status)
  store.putTopic({ topic: 'ht', connector: 'k1', task: 0, discoveredAt: 1795230213371 })
  const golden = new Map(fixture('status').map(r => [`${r.key} ${r.value}`, true]))
  for (const [key, value] of written) expect(golden.has(`${key} ${value}`), `${key} ${value}`).toBe(true)
  store.remove('k9')
  expect(written.get('status-task-k9-0')).toBe(null)
  expect(store.task('k9', 0)).toBe(null)
})

const status = (state: UnitStatus['state']): UnitStatus => ({
  state,
  trace: null,
  workerId: 'w:1',
  generation: 0,
  version: '1',
})

function topicStore(log: MemoryLog): StatusStore {
  const props = {}
  const sink = new TopicStatusSink({
    topic: 'st',
    topicKey: 'status.storage.topic',
    replicationKey: 'status.storage.replication.factor',
    partitions: 5,
    replicationFactor: 1,
    settings: {},
    producer: props,
    consumer: props,
    admin: props,
    clients: log,
    logger: createLogger('test.status'),
  })
  return new StatusStore(sink)
}

test('a status is visible as soon as it is put, and after a restart of the worker', async () => {
  const log = new MemoryLog()
  const store = topicStore(log)
  await store.start()
  expect(log.topics.get('st')?.configs['cleanup.policy']).toBe('compact')
  for (const state of ['RUNNING', 'PAUSED', 'RUNNING', 'FAILED'] as const) {
    store.putConnector('a', status(state))
    expect(store.connector('a')?.state).toBe(state)
  }
  await store.close()
  const next = topicStore(log)
  await next.start()
  expect(next.connector('a')?.state).toBe('FAILED')
  await next.close()
})

test('an older record that is read back late does not replace a newer status', async () => {
  const log = new MemoryLog()
  const store = topicStore(log)
  await store.start()
  const seen: (string | undefined)[] = []
  const gate = Promise.withResolvers<void>()
  log.holdReads = gate.promise
  store.putConnector('a', status('RUNNING'))
  await expect.poll(() => log.dump('st')).toHaveLength(1)
  log.failWrites = Object.assign(new Error('slow'), { retriable: true })
  store.putConnector('a', status('FAILED'))
  log.holdReads = null
  gate.resolve()
  for (let i = 0; i < 20; i++) {
    await nextTurn()
    seen.push(store.connector('a')?.state)
  }
  expect(new Set(seen)).toEqual(new Set(['FAILED']))
  log.failWrites = null
  await expect.poll(() => log.dump('st')).toHaveLength(2)
  expect(store.connector('a')?.state).toBe('FAILED')
  await store.close()
})

test('while the topic cannot be written, only the latest status of each unit is kept and is written later', async () => {
  const log = new MemoryLog()
  const store = topicStore(log)
  await store.start()
  log.failWrites = Object.assign(new Error('away'), { retriable: true })
  store.putConnector('a', status('RUNNING'))
  store.putConnector('a', status('FAILED'))
  expect(store.connector('a')?.state).toBe('FAILED')
  log.failWrites = null
  await expect.poll(() => log.dump('st').map(r => r.value)).toHaveLength(1)
  expect(log.dump('st')[0]?.value).toContain('FAILED')
  await store.close()
})

test('statuses of deleted connectors are removed, and writes leave no event listeners behind', async () => {
  const log = new MemoryLog()
  const store = topicStore(log)
  await store.start()
  const added = vi.spyOn(EventTarget.prototype, 'addEventListener')
  const removed = vi.spyOn(EventTarget.prototype, 'removeEventListener')
  for (let i = 0; i < 100; i++) {
    store.putConnector(`c${i}`, status('RUNNING'))
    await expect.poll(() => log.dump('st').some(r => r.key === `status-connector-c${i}`), { interval: 1 }).toBe(true)
  }
  await expect.poll(() => added.mock.calls.length - removed.mock.calls.length).toBeLessThan(10)
  store.retain(connector => connector === 'c7')
  expect(store.connector('c7')).not.toBeNull()
  expect(store.connector('c8')).toBeNull()
  vi.restoreAllMocks()
  await store.close()
})
