import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAdmin, createConsumer, createProducer } from '../../core/client/index.ts'
import type { ConsumerRecord } from '../../core/client/types.ts'
import { eventually, Rig } from './harness.ts'

const rig = new Rig()
const servers = () => ({ bootstrapServers: [rig.broker!.address] })

/** A sink that rejects the records of its setting `poison`, and logs the others. */
const SINK = `
import { appendFileSync, existsSync } from 'node:fs'
import { DataError, defineConfig, RetriableError, SinkConnector, SinkTask } from 'millrace/connect'
class Task extends SinkTask {
  start() { this.props = this.context.configs }
  async put(records) {
    if (this.props['closed.file'] && existsSync(this.props['closed.file'])) throw new RetriableError('closed for now')
    if (records.some(r => String(r.value?.name ?? r.value).startsWith('poison'))) throw new DataError('poisoned')
    for (const r of records) appendFileSync(this.props.out, JSON.stringify({ key: r.key, value: r.value }) + '\\n')
  }
  stop() {}
}
export class PickySink extends SinkConnector {
  config = defineConfig({})
  taskClass = Task
}
`

beforeAll(async () => {
  const folder = join(rig.dir, 'plugins/picky')
  mkdirSync(folder, { recursive: true })
  const plugins = [{ type: 'sink', class: 'PickySink', module: './index.js', export: 'PickySink', version: '1.0.0' }]
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'picky', type: 'module', millrace: { plugins } }))
  writeFileSync(join(folder, 'index.js'), SINK)
  await rig.startBroker()
  await rig.startWorker()
})
afterAll(() => rig.close())

/** Waits until a topic has `count` records. Returns them. */
async function consume(topic: string, count: number): Promise<ConsumerRecord[]> {
  const consumer = createConsumer({ ...servers(), autoOffsetReset: 'earliest' })
  try {
    const partitions = await consumer.partitionsFor(topic)
    consumer.assign(partitions)
    consumer.seekToBeginning(partitions)
    const out: ConsumerRecord[] = []
    for (const end = Date.now() + 20_000; out.length < count && Date.now() < end; ) {
      for (const batch of await consumer.poll(200)) out.push(...batch.records)
    }
    return out
  } finally {
    await consumer.close()
  }
}

async function produce(topic: string, values: readonly (string | null)[]): Promise<void> {
  const producer = createProducer(servers())
  try {
    const records = values.map((v, i) => ({
      topic,
      key: Buffer.from(`"k${i}"`),
      value: v === null ? null : Buffer.from(v),
    }))
    await producer.send(records)
  } finally {
    await producer.close()
  }
}

const lines = (file: string): string[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(l => l !== '')
    : []

const text = { 'key.converter': 'StringConverter', 'value.converter': 'StringConverter' }

test('lines of a file pass through transformations and predicates into a topic, and then into a file', async () => {
  const input = join(rig.dir, 'orders.in')
  const output = join(rig.dir, 'orders.out')
  writeFileSync(input, 'one\nzwölf\nskip me\n')
  await rig.create('lines-in', {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    file: input,
    topic: 'raw',
    transforms: 'drop,hoist,static,mask,route',
    'transforms.drop.type': 'org.apache.kafka.connect.transforms.Filter',
    'transforms.drop.predicate': 'tombstone',
    'transforms.drop.negate': 'false',
    'transforms.hoist.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
    'transforms.hoist.field': 'line',
    'transforms.static.type': 'InsertField$Value',
    'transforms.static.static.field': 'from!',
    'transforms.static.static.value': 'file',
    'transforms.mask.type': 'MaskField$Value',
    'transforms.mask.fields': 'from',
    'transforms.mask.replacement': 'xxx',
    'transforms.mask.predicate': 'other',
    'transforms.mask.negate': 'true',
    'transforms.route.type': 'RegexRouter',
    'transforms.route.regex': 'r(.*)',
    'transforms.route.replacement': 'cook$1ed',
    predicates: 'tombstone,other',
    'predicates.tombstone.type': 'org.apache.kafka.connect.transforms.predicates.RecordIsTombstone',
    'predicates.other.type': 'TopicNameMatches',
    'predicates.other.pattern': 'something-else',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'true',
  })
  await rig.states('lines-in', 'RUNNING', 'RUNNING')
  const records = await consume('cookawed', 3)
  expect(records.map(r => r.value?.toString())).toEqual(
    ['one', 'zwölf', 'skip me'].map(
      line =>
        '{"schema":{"type":"struct","fields":[{"type":"string","optional":false,"field":"line"},' +
        '{"type":"string","optional":false,"field":"from"}],"optional":false},"payload":' +
        `{"line":"${line}","from":"xxx"}}`,
    ),
  )
  await rig.create('lines-out', {
    'connector.class': 'FileStreamSink',
    topics: 'cookawed',
    file: output,
    transforms: 'line',
    'transforms.line.type': 'ExtractField$Value',
    'transforms.line.field': 'line',
    'value.converter': 'JsonConverter',
    'value.converter.schemas.enable': 'true',
  })
  await eventually(() => lines(output), ['one', 'zwölf', 'skip me'])
  appendFileSync(input, 'later\n')
  await eventually(() => lines(output).at(-1), 'later')
})

test('a restarted source resumes after its committed offset', async () => {
  const input = join(rig.dir, 'again.in')
  writeFileSync(input, 'a\nb\n')
  await rig.create('again', { 'connector.class': 'FileStreamSource', file: input, topic: 'again', ...text })
  expect((await consume('again', 2)).length).toBe(2)
  const offsets = async () => (await rig.call('GET', '/connectors/again/offsets')).body
  await eventually(offsets, { offsets: [{ partition: { filename: input }, offset: { position: 4 } }] })
  await rig.call('POST', '/connectors/again/restart?includeTasks=true')
  appendFileSync(input, 'c\n')
  const records = await consume('again', 3)
  expect(records.map(r => r.value?.toString())).toEqual(['a', 'b', 'c'])
})

test('records that cannot be converted or that the sink rejects go to the dead letter queue, the others to the sink', async () => {
  const out = join(rig.dir, 'picky.out')
  await produce('mixed', [
    '{"name":"a"}',
    'no json',
    '{"name":"poison 1"}',
    '{"name":"b"}',
    '{"name":"poison 2"}',
    '{"name":"c"}',
  ])
  await rig.create('picky', {
    'connector.class': 'PickySink',
    topics: 'mixed',
    out,
    'value.converter': 'JsonConverter',
    'value.converter.schemas.enable': 'false',
    'key.converter': 'StringConverter',
    'errors.tolerance': 'all',
    'errors.deadletterqueue.topic.name': 'mixed-dead',
    'errors.deadletterqueue.context.headers.enable': 'true',
  })
  await eventually(() => lines(out).map(l => JSON.parse(l).value.name), ['a', 'b', 'c'])
  const dead = await consume('mixed-dead', 3)
  expect(dead.map(r => r.value?.toString())).toEqual(['no json', '{"name":"poison 1"}', '{"name":"poison 2"}'])
  const header = (r: ConsumerRecord, key: string) =>
    r.headers.find(h => h.key === `__connect.errors.${key}`)?.value?.toString()
  expect(dead.map(r => [header(r, 'stage'), header(r, 'topic'), header(r, 'connector.name')])).toEqual([
    ['VALUE_CONVERTER', 'mixed', 'picky'],
    ['TASK_PUT', 'mixed', 'picky'],
    ['TASK_PUT', 'mixed', 'picky'],
  ])
  const committed = async () => {
    const admin = createAdmin(servers())
    try {
      return (await admin.listGroupOffsets('connect-picky')).map(o => o.offset)
    } finally {
      await admin.close()
    }
  }
  await eventually(committed, [6])
})

test('without errors.tolerance the first invalid record fails the task; its trace names the record and what to do', async () => {
  await produce('strict', ['{"id":1}'])
  await rig.create('strict', {
    'connector.class': 'FileStreamSink',
    topics: 'strict',
    file: join(rig.dir, 'strict.out'),
    'value.converter': 'JsonConverter',
    'value.converter.schemas.enable': 'true',
    'key.converter': 'StringConverter',
  })
  const status = await rig.states('strict', 'RUNNING', 'FAILED')
  expect(status.tasks[0]?.trace).toMatch(/VALUE_CONVERTER .* failed on the record strict-0@0/)
  expect(status.tasks[0]?.trace).toMatch(/value\.converter\.schemas\.enable=false/)
})

test('a sink whose target is unavailable for a while loses nothing, and its status says that it waits', async () => {
  const out = join(rig.dir, 'closed.out')
  const closed = join(rig.dir, 'closed')
  writeFileSync(closed, '')
  await produce('waits', ['1', '2'])
  await rig.create('waits', {
    'connector.class': 'PickySink',
    topics: 'waits',
    out,
    'closed.file': closed,
    ...text,
  })
  await rig.states('waits', 'RUNNING', 'RUNNING')
  await produce('waits', ['3'])
  expect(lines(out)).toEqual([])
  const { rmSync } = await import('node:fs')
  rmSync(closed)
  await eventually(() => lines(out).map(l => JSON.parse(l).value), ['1', '2', '3'])
})

test('topic.creation settings create the topic', async () => {
  const input = join(rig.dir, 'made.in')
  writeFileSync(input, 'a\n')
  await rig.create('made', {
    'connector.class': 'FileStreamSource',
    file: input,
    topic: 'made-topic',
    'topic.creation.groups': 'many',
    'topic.creation.default.replication.factor': '1',
    'topic.creation.default.partitions': '1',
    'topic.creation.many.include': 'made-.*',
    'topic.creation.many.partitions': '3',
    'topic.creation.many.cleanup.policy': 'compact',
    ...text,
  })
  const admin = createAdmin(servers())
  try {
    const partitions = async () => (await admin.describeTopics(['made-topic']))[0]?.partitions.length
    await eventually(partitions, 3)
    const configs = await admin.describeConfigs({ type: 'topic', name: 'made-topic' })
    expect(configs.find(c => c.name === 'cleanup.policy')?.value).toBe('compact')
  } finally {
    await admin.close()
  }
})

test('two tasks of a sink share the partitions of its topic', async () => {
  const admin = createAdmin(servers())
  await admin.createTopics([{ name: 'shared', partitions: 4, replicationFactor: 1 }])
  await admin.close()
  const out = join(rig.dir, 'shared.out')
  await rig.create('shared', { 'connector.class': 'PickySink', 'tasks.max': 2, topics: 'shared', out, ...text })
  await rig.states('shared', 'RUNNING', 'RUNNING', 'RUNNING')
  const values = Array.from({ length: 100 }, (_, i) => `v${i}`)
  await produce('shared', values)
  await eventually(() => lines(out).length, 100)
  expect(new Set(lines(out).map(l => JSON.parse(l).value))).toEqual(new Set(values))
})
