/** Tests plugins that block their thread, end it, or send messages from it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAdmin, createProducer } from '../../core/client/index.ts'
import { eventually, Rig } from './harness.ts'

const rig = new Rig()
const servers = () => ({ bootstrapServers: [rig.broker!.address] })

const CODE = `
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { defineConfig, SinkConnector, SinkTask } from 'millrace/connect'
const once = file => !existsSync(file) && (writeFileSync(file, ''), true)
class Task extends SinkTask {
  start() { this.props = this.context.configs; if (this.props.how === 'spins in start' && once(this.props.once)) for (;;) {} }
  put(records) {
    if (records.length === 0) return
    const { how, out } = this.props
    appendFileSync(out, records.map(r => r.value + '\\n').join(''))
    if (!once(this.props.once)) return
    if (how === 'waits') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(this.props.ms))
    if (how === 'spins') for (;;) {}
    if (how === 'ends') process.exit(7)
    if (how === 'speaks') {
      for (const text of [null, 5, 'x', {}, { type: 'event' }, { type: 'event', event: null }, { type: 'event', event: { type: 'topics', unit: 'task:' + this.props.name + '-0', topics: 7 } },
        { type: 'log' }, { type: 'log', entry: { level: 'ERROR' } }, { type: 'reject', id: 1 }, { type: 'answer' }, { type: 'call' },
        { type: 'event', event: { type: 'degraded', unit: 'task:' + this.props.name + '-0', message: {}, retryAt: 'never' } }])
        parentPort.postMessage(text)
    }
  }
  stop() {}
}
export class Slow extends SinkConnector {
  config = defineConfig({})
  taskClass = Task
  taskConfigs() { return [this.context.configs] }
}
`

beforeAll(async () => {
  const folder = join(rig.dir, 'plugins/slow')
  mkdirSync(folder, { recursive: true })
  const plugins = [{ type: 'sink', class: 'Slow', module: './index.js', export: 'Slow', version: '1.0.0' }]
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'slow', type: 'module', millrace: { plugins } }))
  writeFileSync(join(folder, 'index.js'), CODE)
  await rig.startBroker()
  await rig.startWorker({ 'task.blocked.timeout.ms': '3000' })
})
afterAll(() => rig.close())

const out = (name: string) => join(rig.dir, `${name}.out`)
const taken = (name: string) =>
  existsSync(out(name))
    ? readFileSync(out(name), 'utf8')
        .split('\n')
        .filter(l => l !== '')
    : []

async function slow(name: string, more: Record<string, unknown>): Promise<void> {
  const files = { out: out(name), once: join(rig.dir, `${name}.once`) }
  const converters = { 'key.converter': 'StringConverter', 'value.converter': 'StringConverter' }
  await rig.create(name, { 'connector.class': 'Slow', topics: name, ...files, ...converters, ...more })
}

async function produce(topic: string, ...values: string[]): Promise<void> {
  const producer = createProducer(servers())
  await producer.send(values.map(value => ({ topic, key: null, value: Buffer.from(value) })))
  await producer.close()
}

/** Returns the committed offset of the sink. */
async function committed(name: string): Promise<number | undefined> {
  const { body } = await rig.call('GET', `/connectors/${name}/offsets`)
  return (body as { offsets: { offset: { kafka_offset: number } }[] }).offsets[0]?.offset.kafka_offset
}

test('a sink whose put blocks for longer than the session timeout stays in its group, and reads nothing twice', async () => {
  const times = { 'consumer.override.session.timeout.ms': 6000, 'consumer.override.heartbeat.interval.ms': 2000 }
  await produce('blocks', 'a')
  await slow('blocks', { how: 'waits', ms: 10_000, ...times })
  await eventually(() => taken('blocks'), ['a'])
  const admin = createAdmin(servers())
  const member = async () => (await admin.describeGroups(['connect-blocks']))[0]?.members[0]?.memberId
  const before = await member()
  await produce('blocks', 'b')
  await eventually(() => taken('blocks'), ['a', 'b'])
  await eventually(() => committed('blocks'), 2)
  expect(taken('blocks')).toEqual(['a', 'b'])
  expect(await member()).toBe(before)
  await admin.close()
})

test('a sink whose put ends its thread restarts at once, although its session timeout is long', async () => {
  const restart = { 'errors.restart.delay.ms': 10, 'consumer.override.session.timeout.ms': 60_000 }
  await produce('ends', 'a')
  await slow('ends', { how: 'ends', ...restart })
  await eventually(() => taken('ends'), ['a', 'a'])
  await eventually(() => committed('ends'), 1)
})

test.each(['spins', 'spins in start'])(
  'a task that %s without end becomes FAILED after task.blocked.timeout.ms, and can be restarted',
  async how => {
    const name = how.replaceAll(' ', '-')
    const polls = { 'consumer.override.max.poll.interval.ms': 2000, 'consumer.override.session.timeout.ms': 6000 }
    await produce(name, 'a')
    await slow(name, { how, 'errors.restart.policy': 'none', ...polls })
    await eventually(async () => (await rig.status(name)).tasks[0]?.state, 'FAILED')
    expect((await rig.status(name)).tasks[0]?.trace).toContain('MR_TASK_BLOCKED')
    await rig.call('POST', `/connectors/${name}/restart?includeTasks=true`)
    await eventually(() => committed(name), 1)
  },
)

test('messages that a plugin sends from its thread are ignored', async () => {
  await produce('speaks', 'a')
  await slow('speaks', { how: 'speaks' })
  await eventually(() => committed('speaks'), 1)
  await produce('speaks', 'b')
  await eventually(() => taken('speaks'), ['a', 'b'])
  expect((await rig.call('GET', '/health')).status).toBe(200)
})
