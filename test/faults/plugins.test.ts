/** Tests plugins that misbehave in a running worker. Only their own task is affected. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../platform.ts'
import { type Fixture, fixture, OtherPipeline, summary } from './harness.ts'
import { WorkerProcess } from './worker-process.ts'

const MANIFEST = {
  name: 'bad-plugins',
  version: '1.0.0',
  type: 'module',
  millrace: {
    plugins: [
      { type: 'source', class: 'BadSource', module: './index.js', export: 'BadSource' },
      { type: 'sink', class: 'BadSink', module: './index.js', export: 'BadSink' },
      { type: 'transformation', class: 'BadTransform', module: './index.js', export: 'BadTransform' },
      { type: 'source', class: 'EndsOnLoad', module: './ends.js', export: 'EndsOnLoad' },
      { type: 'source', class: 'HangsOnLoad', module: './hangs.js', export: 'HangsOnLoad' },
    ],
  },
}

/**
 * The code of plugins that misbehave. The configuration says in which method they misbehave (`at`),
 * and how (`how`).
 */
const CODE = `
import { defineConfig, SinkConnector, SinkTask, SourceConnector, SourceTask } from 'millrace/connect'
const keys = defineConfig({
  at: { type: 'STRING', default: '', importance: 'HIGH', documentation: 'Where it goes wrong.' },
  how: { type: 'STRING', default: '', importance: 'HIGH', documentation: 'How it goes wrong.' },
})
const hoard = []
function act(props, at) {
  if (props.at !== at) return
  switch (props.how) {
    case 'throws': throw new Error('thrown in ' + at)
    case 'throws undefined': throw undefined
    case 'throws an error whose message throws': throw { get message() { throw new Error('even the message') }, toString() { throw new Error('even toString') } }
    case 'never settles': return new Promise(() => {})
    case 'spins': for (;;) {}
    case 'exits': process.exit(0)
    case 'has an unhandled rejection': Promise.reject(new Error('nobody hears this')); return new Promise(() => {})
    case 'throws in a timer': setTimeout(() => { throw new Error('thrown in a timer') }, 5); return new Promise(() => {})
    case 'hoards objects': for (;;) hoard.push({ n: [1, 2, 3] })
    case 'hoards buffers': hoard.push(Buffer.alloc(64 << 20, 1)); return new Promise(done => setTimeout(done, 20))
    case 'overflows the stack': { const f = () => f() + 1; return f() }
  }
}
class Task extends SourceTask {
  async start() { this.props = this.context.configs; await act(this.props, 'start') }
  async poll() {
    await act(this.props, 'poll')
    if (this.props.at === 'poll' && this.props.how === 'returns nonsense') return 'nonsense'
    if (this.props.at === 'poll' && this.props.how === 'returns bad records') return [{}, null, 5]
    if (this.props.at === 'poll' && this.props.how.startsWith('hoards')) return null
    await new Promise(done => this.context.signal.addEventListener('abort', done, { once: true }))
    return null
  }
  async stop() { await act(this.props, 'stop') }
}
class Put extends SinkTask {
  async start() { this.props = this.context.configs; await act(this.props, 'start') }
  async put(records) { if (records.length > 0) await act(this.props, 'put') }
  async flush() { await act(this.props, 'flush') }
  async stop() { await act(this.props, 'stop') }
}
const shared = Base => class extends Base {
  config = keys
  async start() { this.props = this.context.configs; await act(this.props, 'connector start') }
  async taskConfigs() { await act(this.props, 'taskConfigs'); return this.props.at === 'taskConfigs' && this.props.how === 'returns nonsense' ? [7] : [this.props] }
  async stop() { await act(this.props, 'connector stop') }
  async validate(_settings, { configs }) { await act(configs, 'validate') }
}
export class BadSource extends shared(SourceConnector) { taskClass = Task }
export class BadSink extends shared(SinkConnector) { taskClass = Put }
export class BadTransform {
  config = keys
  configure(_settings, { configs }) { this.props = configs }
  apply(record) { act(this.props, 'apply'); return record }
}
`

let f: Fixture
let worker: WorkerProcess
let otherPipeline: OtherPipeline

beforeAll(async () => {
  f = await fixture()
  const plugins = join(f.dir, 'plugins/bad')
  mkdirSync(plugins, { recursive: true })
  writeFileSync(join(plugins, 'package.json'), JSON.stringify(MANIFEST))
  writeFileSync(join(plugins, 'index.js'), CODE)
  writeFileSync(join(plugins, 'ends.js'), 'process.exit(0)')
  writeFileSync(join(plugins, 'hangs.js'), 'await new Promise(() => {})')
  await f.platform.start()
  worker = await WorkerProcess.start(f.dir, f.platform.bootstrap, {
    'plugin.path': join(f.dir, 'plugins'),
    'plugin.inspection.timeout.ms': '1500',
    'task.shutdown.graceful.timeout.ms': '1500',
    'task.max.heap.mb': '64',
  })
  f.cleanup.push(() => worker.stop())
  otherPipeline = await new OtherPipeline(f.dir, worker).start()
})
afterAll(() => f.close())

const once = { 'errors.restart.policy': 'none' }
let count = 0

async function ends(config: Record<string, string>, wanted: 'connector' | 'task'): Promise<string> {
  const name = `bad-${++count}`
  await worker.create(name, { ...once, ...config })
  let last = ''
  await eventually(
    async () => {
      const status = await worker.status(name)
      last = JSON.stringify(status)
      return (wanted === 'connector' ? status.connector : status.tasks?.[0])?.state === 'FAILED'
    },
    () => `${name} is not FAILED: ${last} ${worker.output.slice(-1500)}`,
    25_000,
  )
  const { trace } = summary(await worker.status(name))
  expect(trace.trim()).not.toBe('')
  await gone(name)
  return trace
}

async function gone(name: string): Promise<void> {
  expect((await worker.rest('DELETE', `/connectors/${name}`)).status).toBe(204)
  await eventually(
    async () => (await worker.rest('GET', `/connectors/${name}/status`)).status === 404,
    () => `${name} is not gone`,
  )
  await otherPipeline.moves()
  expect(worker.alive).toBe(true)
}

const HOWS = [
  'throws',
  'throws undefined',
  'throws an error whose message throws',
  'exits',
  'has an unhandled rejection',
  'throws in a timer',
  'overflows the stack',
]

test.each(HOWS)('a source whose start or poll %s is FAILED', async how => {
  for (const at of ['start', 'poll']) await ends({ 'connector.class': 'BadSource', at, how }, 'task')
})

test.each(HOWS)('a connector whose start or taskConfigs %s is FAILED', async how => {
  for (const at of ['connector start', 'taskConfigs']) {
    if (at === 'taskConfigs' && (how === 'has an unhandled rejection' || how === 'throws in a timer')) continue
    await ends({ 'connector.class': 'BadSource', at, how }, 'connector')
  }
})

test.each(HOWS)('a sink whose put %s is FAILED', async how => {
  await ends(
    {
      'connector.class': 'BadSink',
      topics: 'otherPipeline',
      at: 'put',
      how,
      'value.converter': 'StringConverter',
      'consumer.override.auto.offset.reset': 'earliest',
    },
    'task',
  )
})

test.each(['hoards objects', 'hoards buffers'])(
  'a source that %s is FAILED with an error that names the limit',
  async how => {
    const trace = await ends({ 'connector.class': 'BadSource', at: 'poll', how }, 'task')
    expect(trace).toMatch(/MR_TASK_(THREAD|EXTERNAL)_MEMORY/)
  },
)

test.each(['returns nonsense', 'returns bad records'])('a source whose poll %s is FAILED', async how => {
  await ends({ 'connector.class': 'BadSource', at: 'poll', how }, 'task')
})
test('a connector whose taskConfigs returns something invalid is FAILED', async () => {
  await ends({ 'connector.class': 'BadSource', at: 'taskConfigs', how: 'returns nonsense' }, 'connector')
})

test.each([...HOWS, 'never settles', 'spins'])(
  'a validation that %s returns an error, and other requests succeed',
  async how => {
    const { status, body } = await worker.rest('POST', '/connectors', {
      name: 'v',
      config: { 'connector.class': 'BadSource', at: 'validate', how },
    })
    expect(status).toBeGreaterThanOrEqual(400)
    expect((body as { message: string }).message).not.toBe('')
    expect((await worker.rest('GET', '/connectors/v')).status).toBe(404)
    await otherPipeline.moves()
  },
)

test.each(['EndsOnLoad', 'HangsOnLoad'])(
  'a request for a plugin whose module %s returns an error, and other requests succeed',
  async plugin => {
    const { status, body } = await worker.rest('POST', '/connectors', {
      name: 'l',
      config: { 'connector.class': plugin },
    })
    expect(status).toBeGreaterThanOrEqual(400)
    expect((body as { message: string }).message).toMatch(/MR_/)
    await otherPipeline.moves()
  },
)

test.each(['never settles', 'spins'])('a task whose start, poll or stop %s can be deleted', async how => {
  for (const at of ['connector start', 'start', 'poll', 'stop', 'connector stop']) {
    const name = `hung-${++count}`
    await worker.create(name, { ...once, 'connector.class': 'BadSource', at, how })
    if (at.includes('stop'))
      await eventually(
        async () => (await worker.status(name)).tasks?.[0]?.state === 'RUNNING',
        () => 'not running',
      )
    await otherPipeline.moves()
    await gone(name)
  }
})

test.each(['never settles', 'spins'])('a sink whose put or flush %s can be deleted', async how => {
  for (const at of ['put', 'flush']) {
    const name = `hung-sink-${++count}`
    await worker.create(name, {
      ...once,
      'connector.class': 'BadSink',
      topics: 'otherPipeline',
      at,
      how,
      'value.converter': 'StringConverter',
      'consumer.override.auto.offset.reset': 'earliest',
    })
    await eventually(
      async () => (await worker.status(name)).tasks?.[0]?.state === 'RUNNING',
      () => 'not running',
    )
    await otherPipeline.moves()
    await gone(name)
  }
})

test.each([
  ['start', 'connector start', 'UNASSIGNED'],
  ['taskConfigs', 'taskConfigs', 'RUNNING'],
])('the status of a connector says that its %s has not returned', async (method, at, state) => {
  const name = `bad-${++count}`
  await worker.create(name, { ...once, 'connector.class': 'BadSource', at, how: 'never settles' })
  let last = ''
  await eventually(
    async () => {
      const { connector } = await worker.status(name)
      last = JSON.stringify(connector)
      const trace = `${connector?.trace}`
      return connector?.state === state && trace.includes(`${method} of the connector has not returned since`)
    },
    () => `the status does not say that ${method} hangs: ${last}`,
    20_000,
  )
  await gone(name)
})

test('the worker exits cleanly while a plugin hangs', async () => {
  await worker.create('hung', { ...once, 'connector.class': 'BadSource', at: 'poll', how: 'spins' })
  await otherPipeline.moves()
  expect(await worker.stop()).toBe(0)
})
