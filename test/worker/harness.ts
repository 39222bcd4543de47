/** Runs a broker and a worker in this process, with plugins for tests. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Broker, startBroker } from '../../core/broker/broker.ts'
import { sleep } from '../../core/common/async/sleep.ts'
import { startWorker, type Worker } from '../../core/worker/worker.ts'

const MANIFEST = {
  name: 'test-plugins',
  version: '1.0.0',
  type: 'module',
  millrace: {
    plugins: [
      {
        type: 'source',
        class: 'TestSource',
        aliases: ['org.test.TestSourceConnector'],
        module: './index.js',
        export: 'TestSource',
      },
      { type: 'sink', class: 'TestSink', module: './index.js', export: 'TestSink' },
      { type: 'source', class: 'Unloadable', module: './absent.js', export: 'Unloadable' },
    ],
  },
}

/**
 * The code of the plugins. Their configuration determines their behaviour: `connector.mode`,
 * `task.mode`, `validate.mode`.
 */
const CODE = `
import { appendFileSync, existsSync } from 'node:fs'
import { defineConfig, nonEmpty, RetriableError, SinkConnector, SinkTask, SourceConnector, SourceTask } from 'millrace/connect'

const keys = defineConfig({
  'connector.mode': { type: 'STRING', default: 'ok', importance: 'HIGH', documentation: 'What the connector does.' },
  'task.mode': { type: 'STRING', default: 'idle', importance: 'HIGH', documentation: 'What its tasks do.' },
  'validate.mode': { type: 'STRING', default: 'ok', importance: 'LOW', documentation: 'What its validation does.' },
  'tasks.wanted': { type: 'INT', default: 1, importance: 'LOW', documentation: 'How many tasks it makes.' },
  'log.file': { type: 'STRING', default: null, importance: 'LOW', documentation: 'Where it notes what happens.' },
  'heal.file': { type: 'STRING', default: null, importance: 'LOW', documentation: 'While it is absent tasks fail.' },
  topic: { type: 'STRING', default: 't', importance: 'LOW', documentation: 'Where records go.', validator: nonEmpty },
  secret: { type: 'PASSWORD', default: null, importance: 'LOW', documentation: 'Nobody may see it.', group: 'Secrets' },
})

const forever = () => { for (;;) {} }

function note(props, line) {
  if (props['log.file']) appendFileSync(props['log.file'], line + '\\n')
}

function act(mode, props) {
  if (mode === 'fails') throw new Error('this cannot work')
  if (mode === 'tells') throw new Error('cannot connect with ' + props.secret + ' to db://me:' + props.secret + '@host')
  if (mode === 'fails-retriably') throw new RetriableError('this may work later')
  if (mode === 'until-healed' && !existsSync(props['heal.file'])) throw new RetriableError('not healed yet')
  if (mode === 'exits') process.exit(3)
  if (mode === 'spins') forever()
  if (mode === 'throws-later') setTimeout(() => { throw new Error('nobody catches this') }, 20)
  if (mode === 'eats-memory') { const all = []; for (;;) all.push(new Array(100000).fill(Math.random())) }
}

class TestTask extends SourceTask {
  start() {
    const props = (this.props = this.context.configs)
    note(props, 'task ' + this.context.taskId + ' start ' + (props.extra ?? ''))
    act(props['task.mode'], props)
  }
  async poll() {
    if (this.props['task.mode'] === 'poll-fails') throw new Error('poll cannot work')
    if (this.props['task.mode'] === 'waits') {
      const healed = existsSync(this.props['heal.file'])
      this.context.waits(healed ? null : 'the sea is rough', healed ? undefined : Number(this.props['retry.at']))
      await new Promise(resolve => setTimeout(resolve, 20))
      return null
    }
    if (this.props['task.mode'] === 'ignores-stop') return new Promise(() => {})
    if (this.props['task.mode'] === 'counts') {
      if (this.props['heal.file'] && !existsSync(this.props['heal.file'])) return new Promise(resolve => setTimeout(resolve, 20, null))
      const n = (this.n ??= Number((await this.context.offsets.offset({ s: 'x' }))?.n ?? 0))
      if (n < 5) {
        this.n = n + 1
        return [{ topic: this.props.topic, value: { n }, sourcePartition: { s: 'x' }, sourceOffset: { n: n + 1 } }]
      }
    }
    const { signal } = this.context
    if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    return null
  }
  stop() { note(this.props ?? {}, 'task ' + this.context.taskId + ' stop') }
}

class TestPut extends SinkTask {
  start() { this.props = this.context.configs; act(this.props['task.mode'], this.props) }
  async put(records) { for (const r of records) note(this.props, 'put ' + JSON.stringify(r.value)) }
}

const shared = Base => class extends Base {
  config = keys
  start() {
    const props = (this.props = this.context.configs)
    note(props, 'connector start')
    act(props['connector.mode'], props)
    if (props['connector.mode'] === 'raises') setTimeout(() => this.context.raiseError(new Error('it came later')), 50)
    if (props['connector.mode'] === 'grows')
      setTimeout(() => { this.wanted = 2; this.context.requestTaskReconfiguration() }, 100)
    if (props['connector.mode'] === 'nags')
      this.timer = setInterval(() => this.context.requestTaskReconfiguration(), 20)
  }
  taskConfigs(max) {
    if (this.props['connector.mode'] === 'no-tasks') throw new Error('no tasks can be made')
    const n = this.wanted ?? Number(this.props['tasks.wanted'] ?? 1)
    return Array.from({ length: n }, (_, i) => ({ ...this.props, n: String(i) }))
  }
  stop() { clearInterval(this.timer); note(this.props ?? {}, 'connector stop') }
  async validate(_settings, { configs: props, addError }) {
    if (props['validate.mode'] === 'spins') forever()
    if (props['validate.mode'] === 'throws') throw new Error('validation itself is broken')
    if (props['validate.mode'] === 'tells') throw new Error('refused: ' + props.secret)
    if (props['validate.mode'] === 'exits') process.exit(4)
    if (props['validate.mode'] === 'complains') addError('topic', 'that topic is not nice')
  }
}
export class TestSource extends shared(SourceConnector) {
  taskClass = TestTask
  async alterOffsets(settings, offsets) { note(settings, 'alter ' + JSON.stringify(offsets)); return true }
}
export class TestSink extends shared(SinkConnector) { taskClass = TestPut }
`

export interface Status {
  readonly connector: { readonly state: string; readonly trace?: string; readonly worker_id: string }
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly trace?: string }[]
}

export interface RestAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** Sends a request to the REST API. A `body` that is not a string is sent as JSON. */
export async function rest(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<RestAnswer> {
  const payload = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
  const answer = await fetch(url + path, {
    method,
    headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(payload === undefined ? {} : { body: payload }),
    signal: AbortSignal.timeout(60_000),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
  }
}

export class Rig {
  readonly dir = mkdtempSync(join(tmpdir(), 'millrace-worker-'))
  broker: Broker | null = null
  worker: Worker | null = null

  constructor() {
    mkdirSync(join(this.dir, 'plugins/test-plugins'), { recursive: true })
    writeFileSync(join(this.dir, 'plugins/test-plugins/package.json'), JSON.stringify(MANIFEST))
    writeFileSync(join(this.dir, 'plugins/test-plugins/index.js'), CODE)
  }

  async startBroker(port = 0, more: Readonly<Record<string, string>> = {}): Promise<Broker> {
    this.broker = await startBroker({
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      'log.dirs': join(this.dir, 'logs'),
      'offsets.topic.num.partitions': '2',
      'offsets.topic.replication.factor': '1',
      'group.initial.rebalance.delay.ms': '0',
      ...more,
    })
    return this.broker
  }

  properties(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      'bootstrap.servers': this.broker?.address ?? '127.0.0.1:1',
      'group.id': 'rig',
      'key.converter': 'JsonConverter',
      'value.converter': 'JsonConverter',
      'value.converter.schemas.enable': 'false',
      'config.storage.topic': 'rig-configs',
      'offset.storage.topic': 'rig-offsets',
      'status.storage.topic': 'rig-status',
      'config.storage.replication.factor': '1',
      'offset.storage.replication.factor': '1',
      'status.storage.replication.factor': '1',
      'offset.storage.partitions': '2',
      'offset.flush.interval.ms': '100',
      'plugin.path': join(this.dir, 'plugins'),
      'task.shutdown.graceful.timeout.ms': '4000',
      listeners: 'http://127.0.0.1:0',
      ...more,
    }
  }

  async startWorker(more: Readonly<Record<string, string>> = {}): Promise<Worker> {
    this.worker = await startWorker(this.properties(more), { mode: 'distributed' })
    return this.worker
  }

  async close(): Promise<void> {
    await this.worker?.close()
    await this.broker?.close()
    rmSync(this.dir, { recursive: true, force: true })
  }

  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<RestAnswer> {
    return rest(this.worker!.restUrl, method, path, body, headers)
  }

  /** Creates a connector. Fails the test if the REST API rejects it. */
  async create(name: string, config: Readonly<Record<string, unknown>>): Promise<void> {
    const { status, body } = await this.call('POST', '/connectors', { name, config })
    expect(status, JSON.stringify(body)).toBe(201)
  }

  async status(name: string): Promise<Status> {
    return (await this.call('GET', `/connectors/${encodeURIComponent(name)}/status`)).body as Status
  }

  /** Waits until the connector and its tasks have these states, in this order. */
  async states(name: string, ...expected: string[]): Promise<Status> {
    let last: Status | undefined
    let states: (string | undefined)[] = []
    for (const end = Date.now() + 40_000; Date.now() < end; await sleep(20)) {
      last = await this.status(name)
      states = [last.connector?.state, ...(last.tasks ?? []).map(t => t.state)]
      if (JSON.stringify(states) === JSON.stringify(expected)) return last
    }
    expect(states, JSON.stringify(last)).toEqual(expected)
    throw new Error('unreachable')
  }
}

/**
 * Polls until the value is as expected. If that takes too long, the failure shows the last value.
 */
export async function eventually<T>(get: () => Promise<T> | T, expected: T): Promise<void> {
  let last = await get()
  for (const end = Date.now() + 40_000; Date.now() < end; await sleep(20)) {
    last = await get()
    if (JSON.stringify(last) === JSON.stringify(expected)) return
  }
  expect(last).toEqual(expected)
}
