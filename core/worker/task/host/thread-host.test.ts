import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { type LogEntry, setLogLevel } from '../../../common/log.ts'
import { connectorUnit, type PluginRef, type TaskSpec, taskUnit } from './messages-in.ts'
import type { ThreadEvent } from './messages-out.ts'
import { ThreadHost, type ThreadHostOptions, threadNameOf } from './thread-host.ts'

const plugins = (file: string) => fileURLToPath(new URL(`./test-support/plugins/${file}`, import.meta.url))

// As in a manifest, the module is a `.js` file. If that file does not exist, the `.ts` file is
// loaded.
const MISBEHAVING: PluginRef = {
  className: 'Misbehaving',
  module: plugins('misbehaving.js'),
  export: 'MisbehavingConnector',
  version: '1.2.3',
}
const TEXT = {
  plugin: { className: 'Text', module: plugins('text-converter.js'), export: 'TextConverter', version: '1' },
  props: {},
}
const UNIT = taskUnit('c', 0)

let hosts: ThreadHost[] = []
const dirs: string[] = []
afterEach(async () => {
  await Promise.all(hosts.map(h => h.terminate()))
  hosts = []
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true })
})

/** Creates a file to which the test plugins append lines. */
function notes() {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-notes-'))
  dirs.push(dir)
  const file = join(dir, 'notes')
  writeFileSync(file, '')
  return { file, lines: () => readFileSync(file, 'utf8').split('\n').slice(0, -1) }
}

const noting = (name: string): PluginRef => ({
  className: name,
  module: plugins('noting.js'),
  export: name,
  version: '1',
})

function start(options: Partial<ThreadHostOptions> = {}) {
  const events: ThreadEvent[] = []
  const waiting: { matches: (e: ThreadEvent) => boolean; resolve: (e: ThreadEvent) => void }[] = []
  const host = new ThreadHost({
    name: 'test',
    onEvent: event => {
      events.push(event)
      for (const w of waiting) if (w.matches(event)) w.resolve(event)
    },
    onLog: () => undefined,
    onCall: async () => [],
    ...options,
  })
  hosts.push(host)
  const event = <T extends ThreadEvent['type']>(type: T, unit: string) =>
    new Promise<Extract<ThreadEvent, { type: T }>>(resolve => {
      const matches = (e: ThreadEvent) => e.type === type && 'unit' in e && e.unit === unit
      const seen = events.find(matches)
      if (seen) resolve(seen as Extract<ThreadEvent, { type: T }>)
      else waiting.push({ matches, resolve: e => resolve(e as Extract<ThreadEvent, { type: T }>) })
    })
  return { host, events, event }
}

function spec(mode: string, taskId = 0): TaskSpec {
  const clients = { 'bootstrap.servers': '127.0.0.1:1' }
  return {
    type: 'source',
    connector: 'c',
    taskId,
    plugin: MISBEHAVING,
    connectorProps: {},
    taskProps: { mode },
    keyConverter: TEXT,
    valueConverter: TEXT,
    headerConverter: TEXT,
    transforms: [],
    producer: clients,
    consumer: clients,
    admin: clients,
    offsets: { kind: 'herder' },
    paused: false,
    offsetFlushIntervalMs: 60_000,
    metricsWindow: { windowMs: 30_000, samples: 2 },
    topicCreationEnabled: true,
    topicTracking: true,
  }
}

test('inspect returns the declaration of a plugin', async () => {
  const { host } = start()
  const info = await host.request('inspect', { plugin: MISBEHAVING })
  expect(info).toMatchObject({ version: '1.2.3', connectorType: 'source', hasValidate: true })
  expect(info.keys.map(k => [k.name, k.type, k.default])).toEqual([
    ['mode', 'STRING', undefined],
    ['secret', 'PASSWORD', null],
  ])
})

test('validate returns the errors of the declared keys; without such errors, it returns those of the connector', async () => {
  const { host } = start()
  const missing = await host.request('validate', { plugin: MISBEHAVING, props: {} })
  expect(missing.values[0]?.errors[0]).toMatch(/Missing required configuration "mode"/)
  const refused = await host.request('validate', { plugin: MISBEHAVING, props: { mode: 'refused' } })
  expect(refused.values[0]?.errors).toEqual(['mode refused'])
})

test('a missing module, a missing export and a failing constructor cause errors with different codes', async () => {
  const { host } = start()
  const ask = (plugin: PluginRef) => host.request('inspect', { plugin })
  await expect(ask({ ...MISBEHAVING, module: plugins('none.js') })).rejects.toMatchObject({ code: 'MR_PLUGIN_LOAD' })
  const noExport = ask({ ...MISBEHAVING, export: 'Nope' })
  await expect(noExport).rejects.toMatchObject({ code: 'MR_PLUGIN_EXPORT', message: /MisbehavingConnector/ })
  const faulty = ask({ ...MISBEHAVING, export: 'FaultyConstructor' })
  await expect(faulty).rejects.toMatchObject({ code: 'MR_PLUGIN_CONSTRUCT' })
})

test('a connector starts, returns task configurations, requests new ones, and stops', async () => {
  const { host, event } = start()
  const unit = connectorUnit('c')
  const connector = { type: 'source', connector: 'c', offsets: { kind: 'herder' }, plugin: MISBEHAVING } as const
  await host.request('start-connector', { unit, spec: { ...connector, props: { mode: 'reconfigure' } } })
  expect(await host.request('task-configs', { unit, maxTasks: 2 })).toEqual([
    { mode: 'reconfigure', n: '0' },
    { mode: 'reconfigure', n: '1' },
  ])
  await event('reconfigure', unit)
  expect(await host.stopUnit(unit, 5000)).toBe(true)
  expect(host.units.size).toBe(0)
  expect(await host.close(5000)).toEqual({ failure: null, terminated: false })
})

test('a connector that fails to start, or that raises an error later, is FAILED', async () => {
  const { host, event } = start()
  const connector = { type: 'source', connector: 'c', offsets: { kind: 'herder' }, plugin: MISBEHAVING } as const
  const ask = (unit: string, mode: string) =>
    host.request('start-connector', { unit, spec: { ...connector, props: { mode } } })
  await expect(ask('connector:a', 'fail-connector')).rejects.toThrow('connector cannot start')
  expect((await event('failed', 'connector:a')).failure.trace).toMatch(/misbehaving/)
  await ask('connector:b', 'raise')
  expect((await event('failed', 'connector:b')).failure.message).toBe('raised')
})

test('a task that fails to start is FAILED with its trace, and the thread stays alive', async () => {
  const { host, event } = start()
  await host.request('start-task', { unit: UNIT, spec: spec('fail-start') })
  expect((await event('failed', UNIT)).failure).toMatchObject({ message: 'cannot start', retriable: false })
  expect(host.units.size).toBe(0)
  expect(host.alive).toBe(true)
})

test('secrets are hidden in uncaught errors and in text on stderr, which is logged', async () => {
  setLogLevel('millrace.task.stderr', 'WARN')
  for (const mode of ['leak-later', 'leak-text-later']) {
    const entries: LogEntry[] = []
    const { host, event } = start({ onLog: entry => entries.push(entry) })
    const { taskProps } = spec(mode)
    await host.request('start-task', {
      unit: UNIT,
      spec: { ...spec(mode), taskProps: { ...taskProps, secret: 'hunter22' } },
    })
    const { failure } = await event('failed', UNIT)
    expect(failure.message).toContain('uncaught [hidden]')
    expect(JSON.stringify([failure, entries])).not.toContain('hunter22')
    if (mode === 'leak-later') {
      expect(failure.trace).toContain('cause [hidden]')
      expect(entries.map(e => e.message)).toContain('two\nlines [hidden]')
    }
  }
  setLogLevel('millrace.task.stderr', null)
})

test('a task whose start request is invalid is FAILED', async () => {
  const { host, event } = start()
  const nothing = null as unknown as TaskSpec
  await expect(host.request('start-task', { unit: UNIT, spec: nothing })).rejects.toThrow()
  expect((await event('failed', UNIT)).failure.message).not.toBe('')
  expect(host.units.size).toBe(0)
})

test('a task starts, pauses, resumes and stops', async () => {
  const { host, event, events } = start()
  await host.request('start-task', { unit: UNIT, spec: { ...spec('quiet'), paused: true } })
  expect((await event('started', UNIT)).paused).toBe(true)
  await host.request('resume', { unit: UNIT })
  await host.request('pause', { unit: UNIT })
  await event('paused', UNIT)
  expect(await host.stopUnit(UNIT, 10_000)).toBe(true)
  expect(events.at(-1)).toEqual({ type: 'stopped', unit: UNIT })
})

test.each([
  ['throw-later', 'MR_TASK_THREAD_CRASHED', /uncaught error/],
  ['reject-later', 'MR_TASK_THREAD_CRASHED', /unhandled rejection/],
  ['exit', 'MR_TASK_THREAD_ENDED', /code 3/],
  ['hoard', 'MR_TASK_THREAD_MEMORY', /limit is 48 MB/],
  ['hoard-buffers', 'MR_TASK_EXTERNAL_MEMORY', /its limit is 32 MB/],
])('a task that ends its thread (%s) is FAILED with the reason', async (mode, code, message) => {
  const { host, event } = start({ maxHeapMb: 48, maxExternalMb: 32 })
  await host.request('start-task', { unit: UNIT, spec: spec(mode) })
  const { failure } = await event('failed', UNIT)
  expect(failure.message).toMatch(message)
  expect(failure).toMatchObject({ code, retriable: true })
  await host.exited
  await expect(host.request('inspect', { plugin: MISBEHAVING })).rejects.toMatchObject({ code: 'MR_TASK_THREAD_GONE' })
})

test.each(['loop', 'hang-stop'])(
  'a task that hangs (%s) is terminated, and the other task of its thread fails with a retriable error',
  async mode => {
    const { host, event } = start()
    const neighbour = taskUnit('c', 1)
    await host.request('start-task', { unit: neighbour, spec: spec('quiet', 1) })
    await event('started', neighbour)
    await host.request('start-task', { unit: UNIT, spec: spec(mode) })
    await event('started', UNIT)
    expect(await host.stopUnit(UNIT, 200)).toBe(false)
    expect((await event('failed', UNIT)).failure).toMatchObject({ code: 'MR_TASK_HUNG', message: /within 200 ms/ })
    expect((await event('failed', neighbour)).failure).toMatchObject({ code: 'MR_TASK_NEIGHBOUR', retriable: true })
    expect(await host.exited).toMatchObject({ terminated: true })
  },
)

test('a failed start closes all loaded plugins even if one close fails, and the thread stays alive', async () => {
  const { host, event } = start()
  const { file, lines } = notes()
  const step = (how: string) => ({ alias: how, plugin: noting('NotingTransform'), props: { how, file } })
  const transforms = [step('close fails'), step('well'), step('fails')]
  await host.request('start-task', { unit: UNIT, spec: { ...spec('quiet'), transforms } })
  expect((await event('failed', UNIT)).failure.message).toBe('cannot be configured')
  expect(lines()).toEqual(['closed close fails', 'closed well', 'closed fails'])
  expect(host.alive).toBe(true)
})

test('a task with invalid client settings is FAILED before its start is called', async () => {
  const { host, event } = start()
  const { file, lines } = notes()
  const producer = { ...spec('quiet').producer, acks: 'banana' }
  const own = { plugin: noting('NotingSource'), taskProps: { file } }
  await host.request('start-task', { unit: UNIT, spec: { ...spec('quiet'), ...own, producer } })
  expect((await event('failed', UNIT)).failure.message).toContain('banana')
  expect(lines()).toEqual([])
  await host.request('start-task', { unit: UNIT, spec: { ...spec('quiet'), ...own } })
  await event('started', UNIT)
  expect(await host.stopUnit(UNIT, 10_000)).toBe(true)
  expect(lines()).toEqual(['started', 'stopped'])
})

test("a task with Java's maximum timeouts runs and stops, and is not terminated at once", async () => {
  const { host, event } = start()
  await host.request('start-task', { unit: UNIT, spec: { ...spec('quiet'), offsetFlushIntervalMs: 2 ** 63 } })
  await event('started', UNIT)
  expect(await host.stopUnit(UNIT, 2 ** 63)).toBe(true)
  expect(await host.close(2 ** 63)).toEqual({ failure: null, terminated: false })
})

test('task.isolation determines which units share a thread', () => {
  expect(threadNameOf('task', 'c', 0)).not.toBe(threadNameOf('task', 'c', 1))
  expect(threadNameOf('connector', 'c', 0)).toBe(threadNameOf('connector', 'c', 1))
  expect(threadNameOf('worker', 'c', 1)).toBe(threadNameOf('worker', 'd', 0))
})
