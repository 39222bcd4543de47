/**
 * Runs the same connectors on Apache Connect and Kafka, and on Millrace. The topics and files must
 * have the same bytes.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAdmin, createConsumer, createProducer } from '../../core/client/index.ts'
import { createLogger } from '../../core/common/log.ts'
import { GroupWait } from '../../core/worker/task/sink/group-wait.ts'
import { type PeerConnect, type PeerKafka, startPeerConnect, startPeerKafka } from '../peers/servers.ts'
import { eventually, Rig, rest, type Status } from './harness.ts'
import { killMember } from './killed-member.ts'

const rig = new Rig()
let kafka: PeerKafka
let connect: PeerConnect

interface Side {
  readonly name: 'java' | 'ours'
  readonly bootstrap: string
  readonly url: string
}
const sides = (): readonly Side[] => [
  { name: 'java', bootstrap: kafka.bootstrap, url: connect.url },
  { name: 'ours', bootstrap: rig.broker!.address, url: rig.worker!.restUrl },
]

beforeAll(async () => {
  kafka = await startPeerKafka()
  connect = await startPeerConnect(kafka.bootstrap, { set: { 'offset.flush.interval.ms': '100' }, topics: 'rig' })
  await rig.startBroker()
  await rig.startWorker()
})
afterAll(async () => {
  await rig.close()
  await connect?.stop()
  await kafka?.stop()
})

interface Results {
  key: string | null
  value: string | null
  headers: [string, string | null][]
  timestamp: number
}

async function consume(side: Side, topic: string, count: number): Promise<Results[]> {
  const consumer = createConsumer({ bootstrapServers: [side.bootstrap], autoOffsetReset: 'earliest' })
  try {
    const partitions = await consumer.partitionsFor(topic)
    consumer.assign(partitions)
    consumer.seekToBeginning(partitions)
    const out: Results[] = []
    for (const end = Date.now() + 30_000; out.length < count && Date.now() < end; ) {
      for (const batch of await consumer.poll(200)) {
        for (const r of batch.records) {
          const text = (b: Buffer | null) => b?.toString('latin1') ?? null
          const headers = r.headers.map(h => [h.key, text(h.value)] as [string, string | null])
          out.push({ key: text(r.key), value: text(r.value), headers, timestamp: r.timestamp })
        }
      }
    }
    return out
  } finally {
    await consumer.close()
  }
}

async function create(side: Side, name: string, config: Record<string, string>): Promise<void> {
  const answer = await rest(side.url, 'POST', '/connectors', { name, config })
  expect(answer.status, `${side.name}: ${JSON.stringify(answer.body)}`).toBe(201)
}

const T = 'org.apache.kafka.connect.transforms'
const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'
const STRING_CONVERTER = 'org.apache.kafka.connect.storage.StringConverter'

test('a file through a chain of transformations gives the same keys, values, headers and offsets', async () => {
  const input = join(rig.dir, 'in.txt')
  writeFileSync(input, '12\nplain\nquote " and \\ back\n\n7\n')
  const config = {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    'tasks.max': '1',
    file: input,
    topic: 'lines',
    transforms: 'hoist,static,mask,key,header,ascii,route',
    'transforms.hoist.type': `${T}.HoistField$Value`,
    'transforms.hoist.field': 'line',
    'transforms.static.type': `${T}.InsertField$Value`,
    'transforms.static.static.field': 'origin!',
    'transforms.static.static.value': 'a "file" 😀',
    'transforms.static.topic.field': 'topic',
    'transforms.mask.type': `${T}.MaskField$Value`,
    'transforms.mask.fields': 'topic',
    'transforms.key.type': `${T}.ValueToKey`,
    'transforms.key.fields': 'line',
    'transforms.header.type': `${T}.InsertHeader`,
    'transforms.header.header': 'n',
    'transforms.header.value.literal': '1.50',
    'transforms.ascii.type': `${T}.HeaderFrom$Value`,
    'transforms.ascii.fields': 'line',
    'transforms.ascii.headers': 'line',
    'transforms.ascii.operation': 'copy',
    'transforms.route.type': `${T}.RegexRouter`,
    'transforms.route.regex': String.raw`(?i)(L)([^\-&&\p{Alpha}]++\Q\E)\z`,
    'transforms.route.replacement': String.raw`routed\-$2`,
    'transforms.route.predicate': 'lines',
    predicates: 'lines',
    'predicates.lines.type': `${T}.predicates.TopicNameMatches`,
    'predicates.lines.pattern': String.raw`\Ql\E[a-z&&[^x]]*+`,
    'key.converter': JSON_CONVERTER,
    'key.converter.schemas.enable': 'true',
    'value.converter': JSON_CONVERTER,
    'value.converter.schemas.enable': 'true',
  }
  const results: Results[][] = []
  for (const side of sides()) {
    await create(side, 'chain', config)
    await eventually(
      async () =>
        ((await rest(side.url, 'GET', '/connectors/chain/offsets')).body as { offsets?: unknown[] }).offsets?.length ??
        0,
      1,
    )
    results.push(await consume(side, 'routed-ines', 5))
  }
  const [java, ours] = results
  const timeless = (records: Results[] | undefined) => records?.map(r => ({ ...r, timestamp: 0 }))
  expect(timeless(ours)).toEqual(timeless(java))
  expect(java).toHaveLength(5)
  const offsets = await Promise.all(
    sides().map(async side => (await rest(side.url, 'GET', '/connectors/chain/offsets')).body),
  )
  expect(offsets[1]).toEqual(offsets[0])
})

test('the offsets topic has the same bytes', async () => {
  const stored = await Promise.all(
    sides().map(async side => {
      const records = await consume(side, 'rig-offsets', 1)
      return records.filter(r => r.key?.startsWith('["chain"')).map(r => [r.key, r.value])
    }),
  )
  expect(stored[1]?.at(-1)).toEqual(stored[0]?.at(-1))
  expect(stored[0]?.at(-1)?.[0]).toContain('"filename"')
})

const VALUES = [
  '{"schema":{"type":"struct","optional":false,"fields":[{"type":"int32","optional":false,"field":"id"},{"type":"double","optional":true,"field":"x"},{"type":"array","optional":true,"items":{"type":"string","optional":false},"field":"tags"}]},"payload":{"id":1,"x":1e10,"tags":["a","b"]}}',
  'not json at all',
  '{"plain":true}',
  '{"schema":{"type":"int64","optional":false},"payload":9007199254740993}',
  '{"schema":null,"payload":{"a":1}}',
]

// Replaces the message and the stack trace of exceptions, which depend on the language.
const worded = (r: Results) => ({
  ...r,
  headers: r.headers.map(([key, value]) =>
    /\.exception\.(message|stacktrace)$/.test(key) ? [key, '...'] : [key, value],
  ),
})

test('a sink writes the same lines, and invalid records go to the dead letter queue with the same headers', async () => {
  const files: string[] = []
  const dead: Results[][] = []
  for (const side of sides()) {
    const producer = createProducer({ bootstrapServers: [side.bootstrap] })
    const records = VALUES.map((v, i) => ({
      topic: 'mixed',
      key: Buffer.from(`k${i}`),
      value: Buffer.from(v),
      timestamp: 1000 + i,
      headers: [{ key: 'own', value: Buffer.from(`h${i}`) }],
    }))
    await producer.send(records)
    await producer.close()
    const file = join(rig.dir, `${side.name}.out`)
    await create(side, 'sink', {
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
      'tasks.max': '1',
      topics: 'mixed',
      file,
      'key.converter': STRING_CONVERTER,
      'value.converter': JSON_CONVERTER,
      'value.converter.schemas.enable': 'true',
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': 'dead',
      'errors.deadletterqueue.topic.replication.factor': '1',
      'errors.deadletterqueue.context.headers.enable': 'true',
    })
    dead.push(await consume(side, 'dead', 2))
    const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0)
    await eventually(lines, 3)
    files.push(readFileSync(file, 'utf8'))
  }
  expect(files[1]).toBe(files[0])
  expect(dead[1]?.map(worded)).toEqual(dead[0]?.map(worded))
  expect(dead[0]?.map(r => r.value)).toEqual([VALUES[1], VALUES[2]])
})

/** Sinks whose records all fail: their configurations and records. */
const FAILING: Readonly<Record<string, { config: Record<string, string>; values: string[]; header?: string }>> = {
  'long-converter': {
    config: { 'value.converter': 'org.apache.kafka.connect.converters.LongConverter' },
    values: ['abc'],
  },
  'boolean-converter': {
    config: { 'value.converter': 'org.apache.kafka.connect.converters.BooleanConverter' },
    values: ['x'],
  },
  'json-converter': {
    config: { 'value.converter': JSON_CONVERTER, 'value.converter.schemas.enable': 'true' },
    values: [
      '{bad',
      '{"a":1}',
      '{"schema":{"type":"nope"},"payload":1}',
      '{"schema":{"type":"string"},"payload":null}',
    ],
  },
  'key-converter': { config: { 'key.converter': JSON_CONVERTER }, values: ['v'] },
  'header-converter': { config: { 'header.converter': JSON_CONVERTER }, values: ['v'], header: '{bad' },
  cast: { config: transform('Cast$Value', { spec: 'int8' }), values: ['x', '300'] },
  extract: {
    config: { 'value.converter': JSON_CONVERTER, ...transform('ExtractField$Value', { field: 'a' }) },
    values: [
      '{"schema":{"type":"struct","fields":[{"type":"int8","field":"b"}]},"payload":{"b":1}}',
      '{"schema":{"type":"string"},"payload":"x"}',
    ],
  },
  timestamp: {
    config: transform('TimestampConverter$Value', { 'target.type': 'unix', format: 'yyyy' }),
    values: ['x'],
  },
  'router-group': { config: transform('RegexRouter', { regex: '(.*)', replacement: '$2' }), values: ['x'] },
  'router-text': { config: transform('RegexRouter', { regex: '(.*)', replacement: 'a$' }), values: ['x'] },
  'value-to-key': { config: transform('ValueToKey', { fields: 'a' }), values: ['x'] },
  'insert-field': { config: transform('InsertField$Value', { 'topic.field': 'a' }), values: ['x'] },
  'set-schema': { config: transform('SetSchemaMetadata$Value', { 'schema.name': 'n' }), values: ['x'] },
}

function transform(type: string, keys: Record<string, string>): Record<string, string> {
  const named = Object.entries(keys).map(([key, value]) => [`transforms.t.${key}`, value])
  return { transforms: 't', 'transforms.t.type': `${T}.${type}`, ...Object.fromEntries(named) }
}

test('the headers of dead letters name the same stage, class and exception as in Connect', async () => {
  const dead: Results[][][] = []
  for (const side of sides()) {
    const producer = createProducer({ bootstrapServers: [side.bootstrap] })
    for (const [topic, { values, header }] of Object.entries(FAILING)) {
      const headers = header === undefined ? [] : [{ key: 'own', value: Buffer.from(header) }]
      await producer.send(
        values.map(v => ({ topic, key: Buffer.from('{k'), value: Buffer.from(v), timestamp: 1, headers })),
      )
      await create(side, topic, {
        'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
        ...(topic === 'cast' ? { 'topics.regex': String.raw`\Qca\Es\w++\z` } : { topics: topic }),
        file: join(rig.dir, `${side.name}-${topic}.out`),
        'key.converter': STRING_CONVERTER,
        'value.converter': STRING_CONVERTER,
        ...FAILING[topic]!.config,
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': `dead-${topic}`,
        'errors.deadletterqueue.topic.replication.factor': '1',
        'errors.deadletterqueue.context.headers.enable': 'true',
      })
    }
    await producer.close()
    const results: Results[][] = []
    for (const [topic, { values }] of Object.entries(FAILING))
      results.push(await consume(side, `dead-${topic}`, values.length))
    dead.push(results)
    for (const topic of Object.keys(FAILING)) await rest(side.url, 'DELETE', `/connectors/${topic}`)
  }
  expect(dead[1]!.map(records => records.map(worded))).toEqual(dead[0]!.map(records => records.map(worded)))
})

/**
 * Returns the state of the first task. Returns undefined if the connector has no task yet. In a
 * Java worker, this is the case for a moment after the connector was created.
 */
const stateOf = (status: Partial<Status>) => status.tasks?.[0]?.state

test('a sink with an invalid topic name is accepted, and then its task fails with an error that names the topic', async () => {
  const entries = ['event.member.*', 'a b', '..']
  for (const [i, entry] of entries.entries()) {
    for (const side of sides()) {
      const name = `impossible-${i}`
      const sink = { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector', 'tasks.max': '1' }
      await create(side, name, { ...sink, topics: `lines,${entry}`, file: join(rig.dir, `${side.name}-${i}.txt`) })
      const status = async () => (await rest(side.url, 'GET', `/connectors/${name}/status`)).body as Status
      await eventually(async () => stateOf(await status()), 'FAILED')
      expect((await status()).connector.state).toBe('RUNNING')
      expect((await status()).tasks[0]!.trace, side.name).toMatch(/invalid topics: \[/i)
      expect((await status()).tasks[0]!.trace, side.name).toContain(`[${entry}]`)
      await rest(side.url, 'DELETE', `/connectors/${name}`)
    }
  }
})

test('lines after a line that is too large for the topic are not produced', async () => {
  const input = join(rig.dir, 'large.txt')
  writeFileSync(input, `one\ntwo\n${'x'.repeat(1500)}\nfour\nfive\n`)
  for (const side of sides()) {
    await create(side, 'large', {
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
      'tasks.max': '1',
      file: input,
      topic: 'large',
      'value.converter': STRING_CONVERTER,
      'producer.override.max.request.size': '1000',
    })
    const status = async () => (await rest(side.url, 'GET', '/connectors/large/status')).body as Status
    await eventually(async () => stateOf(await status()), 'FAILED')
    for (let restart = 0; restart < 2; restart++) {
      await rest(side.url, 'POST', '/connectors/large/restart?includeTasks=true')
      await eventually(async () => stateOf(await status()), 'FAILED')
    }
    const results = await consume(side, 'large', 2)
    expect([...new Set(results.map(r => r.value))], side.name).toEqual(['one', 'two'])
    await rest(side.url, 'DELETE', '/connectors/large')
  }
})

test("a consumer that joins a group with a killed member gets the member's id from Apache's broker", async () => {
  const { bootstrap } = kafka
  const admin = createAdmin({ bootstrapServers: [bootstrap] })
  await admin.createTopics([{ name: 'held', partitions: 1, replicationFactor: 1 }])
  const memberId = await killMember({ bootstrap, groupId: 'held', topic: 'held', sessionTimeoutMs: 10_000 })
  const consumer = createConsumer({ bootstrapServers: [bootstrap], groupId: 'held' })
  const wait = new GroupWait({
    sessionTimeoutMs: 10_000,
    describe: async () => (await admin.describeGroups(['held']))[0]!,
    logger: createLogger('test.group-wait'),
  })
  try {
    consumer.subscribe(['held'])
    const messages = new Set<string>()
    while (consumer.assignment().length === 0) {
      await consumer.poll(100)
      const message = wait.check(consumer.joining())
      if (message !== null) messages.add(message)
    }
    expect([...messages].join('\n')).toContain(`the other members are ${memberId} (/`)
    expect(wait.check(consumer.joining())).toBe(null)
  } finally {
    await consumer.close()
    await admin.close()
  }
}, 60_000)
