import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { type LogEntry, setLogLevel, setLogSink } from '../../core/common/log.ts'
import { eventually, Rig } from './harness.ts'

const rig = new Rig()
const source = (more: Record<string, unknown> = {}) => ({ 'connector.class': 'TestSource', ...more })
const lines = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [])

beforeAll(async () => {
  await rig.startBroker()
  await rig.startWorker()
})
afterAll(() => rig.close())

test('a connector runs, is paused, resumed, stopped and deleted, and none of its tasks remains', async () => {
  const log = join(rig.dir, 'life.log')
  await rig.create('life', source({ 'log.file': log, 'tasks.max': 2, 'tasks.wanted': 2 }))
  await rig.states('life', 'RUNNING', 'RUNNING', 'RUNNING')
  await rig.call('PUT', '/connectors/life/pause')
  await rig.states('life', 'PAUSED', 'PAUSED', 'PAUSED')
  await rig.call('PUT', '/connectors/life/resume')
  await rig.states('life', 'RUNNING', 'RUNNING', 'RUNNING')
  expect(lines(log).filter(l => l.startsWith('task 0 start'))).toHaveLength(1)
  await rig.call('PUT', '/connectors/life/stop')
  await rig.states('life', 'STOPPED')
  expect(lines(log).filter(l => l === 'task 0 stop')).toHaveLength(1)
  await rig.call('PUT', '/connectors/life/resume')
  await rig.states('life', 'RUNNING', 'RUNNING', 'RUNNING')
  expect((await rig.call('DELETE', '/connectors/life')).status).toBe(204)
  await eventually(async () => (await rig.call('GET', '/connectors/life/status')).status, 404)
  await eventually(() => lines(log).filter(l => l === 'task 1 stop').length, 2)
})

test('a connector created STOPPED or PAUSED does not run before it is resumed', async () => {
  const log = join(rig.dir, 'initial.log')
  const config = source({ 'log.file': log })
  await rig.call('POST', '/connectors', { name: 'initial', initial_state: 'STOPPED', config })
  await rig.states('initial', 'STOPPED')
  expect(lines(log)).toEqual([])
  await rig.call('PUT', '/connectors/initial/resume')
  await rig.states('initial', 'RUNNING', 'RUNNING')
})

test('tasks are restarted only when their configuration or that of their connector changes', async () => {
  const log = join(rig.dir, 'nags.log')
  const config = source({ 'log.file': log, 'connector.mode': 'nags' })
  await rig.create('nags', config)
  await rig.states('nags', 'RUNNING', 'RUNNING')
  await sleep(300)
  const starts = () => lines(log).filter(l => l.startsWith('task 0 start')).length
  expect(starts()).toBe(1)
  await rig.call('PUT', '/connectors/nags/config', { ...config, extra: 'changed' })
  await eventually(starts, 2)
  await rig.states('nags', 'RUNNING', 'RUNNING')
  expect(lines(log).at(-1)).toBe('task 0 start changed')
})

test('a connector that requests a reconfiguration gets more tasks', async () => {
  await rig.create('grows', source({ 'connector.mode': 'grows', 'tasks.max': 2 }))
  await rig.states('grows', 'RUNNING', 'RUNNING', 'RUNNING')
})

test("more tasks than tasks.max make the connector FAILED, with Connect's message", async () => {
  await rig.create('many', source({ 'tasks.wanted': 3, 'tasks.max': 2 }))
  const status = await rig.states('many', 'FAILED')
  expect(status.connector.trace).toContain(
    'The connector many has generated 3 tasks, which is greater than 2, the maximum number of tasks it is configured to create.',
  )
  await rig.create('allowed', source({ 'tasks.wanted': 3, 'tasks.max': 2, 'tasks.max.enforce': false }))
  await rig.states('allowed', 'RUNNING', 'RUNNING', 'RUNNING', 'RUNNING')
})

test.each([
  ['fails', 'this cannot work'],
  ['poll-fails', 'poll cannot work'],
])('a task that %s is FAILED with the trace, and stays FAILED', async (mode, message) => {
  await rig.create(`task-${mode}`, source({ 'task.mode': mode }))
  const status = await rig.states(`task-${mode}`, 'RUNNING', 'FAILED')
  expect(status.tasks[0]?.trace).toContain(message)
  expect(status.tasks[0]?.trace).not.toContain('restarts automatically')
})

test.each([
  ['fails', 'this cannot work'],
  ['no-tasks', 'no tasks can be made'],
  ['raises', 'it came later'],
])('a connector that %s is FAILED with the trace', async (mode, message) => {
  await rig.create(`connector-${mode}`, source({ 'connector.mode': mode }))
  await eventually(async () => (await rig.status(`connector-${mode}`)).connector.state, 'FAILED')
  expect((await rig.status(`connector-${mode}`)).connector.trace).toContain(message)
})

test('a task that failed with a retriable error restarts automatically, and its status shows the time of the restart', async () => {
  const heal = join(rig.dir, 'healed')
  const more = { 'task.mode': 'until-healed', 'heal.file': heal, 'errors.restart.delay.ms': 100 }
  await rig.create('heals', source(more))
  const status = await rig.states('heals', 'RUNNING', 'FAILED')
  expect(status.tasks[0]?.trace).toMatch(/not healed yet[\s\S]*restarts automatically at \d{4}-/)
  writeFileSync(heal, '')
  await rig.states('heals', 'RUNNING', 'RUNNING')
})

test('with errors.restart.policy=none the task stays FAILED until a user restarts it', async () => {
  const heal = join(rig.dir, 'healed-by-hand')
  const more = { 'task.mode': 'until-healed', 'heal.file': heal, 'errors.restart.policy': 'none' }
  await rig.create('by-hand', source(more))
  const status = await rig.states('by-hand', 'RUNNING', 'FAILED')
  expect(status.tasks[0]?.trace).not.toContain('restarts automatically')
  writeFileSync(heal, '')
  const answer = await rig.call('POST', '/connectors/by-hand/restart?includeTasks=true&onlyFailed=true')
  expect(answer.status).toBe(202)
  expect(answer.body).toMatchObject({ connector: { state: 'RUNNING' }, tasks: [{ state: 'RESTARTING' }] })
  await rig.states('by-hand', 'RUNNING', 'RUNNING')
})

test('the log of a failed connector or task has its stack trace once, with the connector and the task as fields', async () => {
  const logged: LogEntry[] = []
  setLogSink(entry => void logged.push(entry))
  setLogLevel('millrace', 'ERROR')
  try {
    const none = { 'errors.restart.policy': 'none' }
    await rig.create('traced-1', source({ 'task.mode': 'fails', ...none }))
    await rig.create('traced-2', source({ 'connector.mode': 'fails', ...none }))
    await rig.create('traced-3', source({ 'connector.mode': 'no-tasks', ...none }))
    await eventually(async () => (await rig.status('traced-1')).tasks[0]?.state, 'FAILED')
    for (const name of ['traced-2', 'traced-3'])
      await eventually(async () => (await rig.status(name)).connector.state, 'FAILED')
    const traces = logged.flatMap(({ fields, level, error }) =>
      error && level === 'ERROR' ? [{ ...fields, at: /^\w+: (.*)\n\s+at .*index\.js/.exec(error.stack)?.[1] }] : [],
    )
    const of = (connector: string) => traces.filter(t => t.connector === connector)
    expect(of('traced-1')).toEqual([{ connector: 'traced-1', task: 0, at: 'this cannot work' }])
    expect(of('traced-2')).toEqual([{ connector: 'traced-2', at: 'this cannot work' }])
    expect(of('traced-3')).toEqual([{ connector: 'traced-3', at: 'no tasks can be made' }])
  } finally {
    setLogSink(null)
    setLogLevel('millrace', null)
  }
  for (const name of ['traced-1', 'traced-2', 'traced-3']) await rig.call('DELETE', `/connectors/${name}`)
})

test('if a client setting fails a task, the error names the key as the connector has set it', async () => {
  const none = { 'errors.restart.policy': 'none' }
  await rig.create('overrides-1', source({ 'producer.override.linger.ms': 'soon', ...none }))
  await rig.create('overrides-2', {
    'connector.class': 'TestSink',
    topics: 't',
    'consumer.override.isolation.level': '?',
  })
  const of = async (name: string) => (await rig.status(name)).tasks[0]?.trace ?? ''
  await eventually(
    async () => (await of('overrides-1')).match(/Invalid value soon for configuration (\S+):/)?.[1],
    'producer.override.linger.ms',
  )
  await eventually(
    async () => (await of('overrides-2')).match(/Invalid value \? for configuration (\S+):/)?.[1],
    'consumer.override.isolation.level',
  )
  for (const name of ['overrides-1', 'overrides-2']) await rig.call('DELETE', `/connectors/${name}`)
})

test.each(['exits', 'throws-later', 'eats-memory'])(
  'a task that %s ends its own thread and is FAILED, and the other task is not affected',
  async mode => {
    const log = join(rig.dir, `neighbour-${mode}.log`)
    await rig.create(`neighbour-${mode}`, source({ 'log.file': log }))
    await rig.states(`neighbour-${mode}`, 'RUNNING', 'RUNNING')
    await rig.create(`bad-${mode}`, source({ 'task.mode': mode, 'errors.restart.policy': 'none' }))
    await eventually(async () => (await rig.status(`bad-${mode}`)).tasks[0]?.state, 'FAILED')
    await rig.states(`neighbour-${mode}`, 'RUNNING', 'RUNNING')
    expect(lines(log).filter(l => l.includes('start'))).toHaveLength(2)
    await rig.call('DELETE', `/connectors/bad-${mode}`)
  },
)

test('a task in an endless loop can be deleted within the grace period', async () => {
  await rig.create('spins', source({ 'task.mode': 'spins' }))
  await eventually(async () => (await rig.status('spins')).connector.state, 'RUNNING')
  expect((await rig.call('DELETE', '/connectors/spins')).status).toBe(204)
  await eventually(async () => (await rig.call('GET', '/connectors/spins/status')).status, 404)
  await rig.create('spins', source())
  await rig.states('spins', 'RUNNING', 'RUNNING')
})

test('a connector whose start hangs can be stopped', async () => {
  await rig.create('hangs', source({ 'connector.mode': 'spins' }))
  expect((await rig.call('PUT', '/connectors/hangs/stop')).status).toBe(204)
  await rig.states('hangs', 'STOPPED')
})

test('records reach the log and a sink; offsets are stored, and can be altered and reset only when the connector is STOPPED', async () => {
  const log = join(rig.dir, 'sink.log')
  const asked = join(rig.dir, 'asked.log')
  await rig.create('counts', source({ 'task.mode': 'counts', topic: 'counted', 'log.file': asked }))
  await rig.create('takes', { 'connector.class': 'TestSink', topics: 'counted', 'log.file': log })
  await eventually(() => lines(log).filter(l => l.startsWith('put')).length, 5)
  const offsets = async (name: string) => (await rig.call('GET', `/connectors/${name}/offsets`)).body
  await eventually(() => offsets('counts'), { offsets: [{ partition: { s: 'x' }, offset: { n: 5 } }] })
  await eventually(async () => (await rig.call('GET', '/connectors/counts/topics')).body, {
    counts: { topics: ['counted'] },
  })
  const patch = { offsets: [{ partition: { s: 'x' }, offset: { n: 3 } }] }
  expect((await rig.call('PATCH', '/connectors/counts/offsets', patch)).status).toBe(400)
  await rig.call('PUT', '/connectors/counts/stop')
  expect((await rig.call('PATCH', '/connectors/counts/offsets', patch)).body).toEqual({
    message: 'The offsets for this connector have been altered successfully',
  })
  // alterOffsets of the connector gets the stored values. A double stays a double.
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
  const double = { offsets: [{ partition: { s: 'y' }, offset: { n: rawJSON('3.0') } }] }
  expect((await rig.call('PATCH', '/connectors/counts/offsets', double)).status).toBe(200)
  expect(lines(asked).filter(l => l.startsWith('alter'))).toEqual([
    'alter [[{"s":"x"},{"n":3}]]',
    'alter [[{"s":"y"},{"n":3.0}]]',
  ])
  await rig.call('PUT', '/connectors/counts/resume')
  await eventually(() => lines(log).filter(l => l.startsWith('put')).length, 7)
  await rig.call('PUT', '/connectors/takes/stop')
  await rig.states('takes', 'STOPPED')
  expect((await rig.call('DELETE', '/connectors/takes/offsets')).status).toBe(200)
  await rig.call('PUT', '/connectors/takes/resume')
  await eventually(() => lines(log).filter(l => l.startsWith('put')).length, 14)
})

test('a restarted worker resumes with all connectors, states and offsets', async () => {
  await rig.create('lasting', source({ 'task.mode': 'counts', topic: 'lasting' }))
  await rig.create('resting', source())
  await rig.states('lasting', 'RUNNING', 'RUNNING')
  await rig.states('resting', 'RUNNING', 'RUNNING')
  await rig.call('PUT', '/connectors/resting/pause')
  await rig.states('resting', 'PAUSED', 'PAUSED')
  const offsets = async () => (await rig.call('GET', '/connectors/lasting/offsets')).body
  await eventually(offsets, { offsets: [{ partition: { s: 'x' }, offset: { n: 5 } }] })
  const before = (await rig.call('GET', '/connectors')).body
  await rig.worker?.close()
  await rig.startWorker()
  expect((await rig.call('GET', '/connectors')).body).toEqual(before)
  await rig.states('lasting', 'RUNNING', 'RUNNING')
  await rig.states('resting', 'PAUSED', 'PAUSED')
  await eventually(offsets, { offsets: [{ partition: { s: 'x' }, offset: { n: 5 } }] })
})

test.each(['pause', 'stop'])('a FAILED connector is started again by a %s and a resume', async way => {
  const heal = join(rig.dir, `heal-${way}`)
  const config = { 'connector.mode': 'until-healed', 'heal.file': heal, 'errors.restart.policy': 'none' }
  await rig.create(`failed-${way}`, source(config))
  await rig.states(`failed-${way}`, 'FAILED')
  await rig.call('PUT', `/connectors/failed-${way}/${way}`)
  await rig.states(`failed-${way}`, way === 'pause' ? 'PAUSED' : 'STOPPED')
  writeFileSync(heal, '')
  await rig.call('PUT', `/connectors/failed-${way}/resume`)
  await rig.states(`failed-${way}`, 'RUNNING', 'RUNNING')
})

test('while a task waits, its status says what it waits for and until when, also while the task is paused', async () => {
  const heal = join(rig.dir, 'heal-waits')
  await rig.create('waits', source({ 'task.mode': 'waits', 'heal.file': heal, 'retry.at': 4102444800000 }))
  const trace = async () => (await rig.status('waits')).tasks[0]?.trace
  await eventually(trace, 'the sea is rough\n(retries automatically at 2100-01-01T00:00:00.000Z)')
  await rig.call('PUT', '/connectors/waits/pause')
  expect((await rig.states('waits', 'PAUSED', 'PAUSED')).tasks[0]?.trace).toContain('the sea is rough')
  await rig.call('PUT', '/connectors/waits/resume')
  expect((await rig.states('waits', 'RUNNING', 'RUNNING')).tasks[0]?.trace).toContain('the sea is rough')
  writeFileSync(heal, '')
  await eventually(trace, undefined)
})

test("Java's largest delay is not treated as 0, and does not fail a task", async () => {
  const log = join(rig.dir, 'long.log')
  const longest = '9223372036854775807'
  const delays = { 'errors.restart.delay.ms': longest, 'errors.restart.delay.max.ms': longest }
  await rig.create('long', source({ 'task.mode': 'fails-retriably', 'log.file': log, ...delays }))
  await rig.states('long', 'RUNNING', 'FAILED')
  await rig.create('long-waits', source({ 'task.mode': 'waits', 'heal.file': '/none', 'retry.at': longest }))
  await eventually(async () => (await rig.status('long-waits')).tasks[0]?.trace, 'the sea is rough')
  expect(lines(log).filter(l => l.startsWith('task 0 start'))).toHaveLength(1)
})

test('a record without a topic fails its task; the task does not wait forever', async () => {
  await rig.create('nowhere', source({ 'task.mode': 'counts' }))
  const status = await rig.states('nowhere', 'RUNNING', 'FAILED')
  expect(status.tasks[0]?.trace).toContain('MR_TASK_NO_TOPIC')
})
