/**
 * Runs the same FileStream connectors on Apache Connect and on Millrace, with the same files. The
 * topics, the offsets topic and the files of the sinks must have the same bytes.
 */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findKafkaLibs, skipWithout } from '../peers/tools.ts'
import { eventually } from '../platform.ts'
import { type Raw, type Stack, startApache, startMillrace } from './stacks.ts'

const T = 'org.apache.kafka.connect.transforms'
const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'
const STRING_CONVERTER = 'org.apache.kafka.connect.storage.StringConverter'
const SOURCE = 'org.apache.kafka.connect.file.FileStreamSourceConnector'
const SINK = 'org.apache.kafka.connect.file.FileStreamSinkConnector'
const text = { 'key.converter': STRING_CONVERTER, 'value.converter': STRING_CONVERTER }
const json = { 'value.converter': JSON_CONVERTER, 'value.converter.schemas.enable': 'true' }
const plainJson = { 'value.converter': JSON_CONVERTER, 'value.converter.schemas.enable': 'false' }

const ASCII = [
  'one',
  'two "quoted" \\ back',
  '',
  '   ',
  '4',
  'a,b;c\ttab',
  'x'.repeat(100_000),
  '{"json":true}',
  'last',
]
const UNICODE = [
  'größe',
  '名前 😀',
  '\u2028\u0000\u0001\u007f\u0080',
  '\ufeffBOM',
  'e\u0301',
  '𝒳𝒴',
  'ü'.repeat(20_000),
  '\ud7ff\ue000',
]
/**
 * Invalid UTF-8. Encoded surrogates are not included, because the results differ. Java decodes an
 * encoded surrogate to one replacement character, and Millrace to three, as browsers do.
 */
const BROKEN = [
  [0xff, 0x41],
  [0xc3],
  [0xc3, 0x28],
  [0xe2, 0x82],
  [0xf0, 0x9f, 0x98],
  [0xf8, 0x88],
  [0xc0, 0xaf],
  [0xe2, 0x28, 0xa1],
]

interface Scenario {
  readonly config: Readonly<Record<string, string>>
  /**
   * The text that is written before the connector starts. `appended` is written after the lines of
   * `first` have arrived.
   */
  readonly first: Buffer
  readonly appended?: Buffer
  readonly lines: number
  /** The topics of the records. Default: one topic with the name of the scenario. */
  readonly topics?: readonly string[]
  /** The number of lines that a transformation drops. */
  readonly dropped?: number
}

const lines = (all: readonly string[], end = '\n') => Buffer.from(all.map(l => l + end).join(''))
const chain = (config: Record<string, string>, more: Partial<Scenario> = {}): Scenario => ({
  config,
  first: lines(['plain', '12', 'größe 😀']),
  appended: lines(['later']),
  lines: 4,
  ...more,
})
const hoist = { 'transforms.hoist.type': `${T}.HoistField$Value`, 'transforms.hoist.field': 'line' }
const statik = {
  'transforms.static.type': `${T}.InsertField$Value`,
  'transforms.static.static.field': 'origin',
  'transforms.static.static.value': 'a "file" 😀',
}

const keyed = {
  ...json,
  'key.converter': JSON_CONVERTER,
  'key.converter.schemas.enable': 'true',
  transforms: 'hoist,key,extract',
  ...hoist,
  'transforms.key.type': `${T}.ValueToKey`,
  'transforms.key.fields': 'line',
  'transforms.extract.type': `${T}.ExtractField$Key`,
  'transforms.extract.field': 'line',
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  defaults: { config: {}, first: lines(ASCII), appended: lines(['more', 'lines']), lines: ASCII.length + 2 },
  strings: { config: text, first: lines(ASCII, '\r\n'), appended: lines(['more'], '\r\n'), lines: ASCII.length + 1 },
  'old-mac': { config: text, first: Buffer.from('a\rb\r\rc\rd\n'), lines: 5 },
  mixed: {
    config: text,
    first: Buffer.from('a\r\n\nb\n\r\n\rc\r\r\nd\nheld back'),
    appended: Buffer.from(' until now\n'),
    lines: 9,
  },
  unicode: { config: text, first: lines(UNICODE), appended: lines(['später']), lines: UNICODE.length + 1 },
  'unicode-json': { config: json, first: lines(UNICODE, '\r\n'), lines: UNICODE.length },
  'unicode-plain-json': { config: plainJson, first: lines(UNICODE), lines: UNICODE.length },
  broken: { config: text, first: Buffer.concat(BROKEN.map(b => Buffer.from([...b, 10]))), lines: BROKEN.length },
  // Kafka's source returns no second batch before the file grows again.
  small: {
    config: { ...text, 'batch.size': '1', 'tasks.max': '5' },
    first: lines(['a']),
    appended: lines(['b']),
    lines: 2,
  },
  hoisted: chain({ ...json, transforms: 'hoist', ...hoist }),
  static: chain({ ...json, transforms: 'hoist,static', ...hoist, ...statik }),
  'static-plain': chain({ ...plainJson, transforms: 'hoist,static', ...hoist, ...statik }),
  'static-optional': chain({
    ...json,
    transforms: 'hoist,static',
    ...hoist,
    ...statik,
    'transforms.static.static.field': '?origin',
    'transforms.static.topic.field': '!topic',
  }),
  struct: chain({ ...text, transforms: 'hoist,static', ...hoist, ...statik }),
  masked: chain({
    ...json,
    transforms: 'hoist,static,mask',
    ...hoist,
    ...statik,
    'transforms.mask.type': `${T}.MaskField$Value`,
    'transforms.mask.fields': 'line',
  }),
  replaced: chain({
    ...plainJson,
    transforms: 'hoist,static,mask',
    ...hoist,
    ...statik,
    'transforms.mask.type': `${T}.MaskField$Value`,
    'transforms.mask.fields': 'line,origin',
    'transforms.mask.replacement': '***',
  }),
  keyed: chain(keyed),
  'hoisted-key': chain({
    ...json,
    'key.converter': JSON_CONVERTER,
    transforms: 'hoist',
    'transforms.hoist.type': `${T}.HoistField$Key`,
    'transforms.hoist.field': 'k',
  }),
  headers: chain({
    ...text,
    'header.converter': JSON_CONVERTER,
    transforms: 'one,two,three',
    'transforms.one.type': `${T}.InsertHeader`,
    'transforms.one.header': 'n',
    'transforms.one.value.literal': '1.50',
    'transforms.two.type': `${T}.InsertHeader`,
    'transforms.two.header': 'größe',
    'transforms.two.value.literal': '{"a":[1,"x"]}',
    'transforms.three.type': `${T}.InsertHeader`,
    'transforms.three.header': 'n',
    'transforms.three.value.literal': 'text "q"',
  }),
  'simple-headers': chain({
    ...text,
    transforms: 'one',
    'transforms.one.type': `${T}.InsertHeader`,
    'transforms.one.header': 'h',
    'transforms.one.value.literal': 'true',
  }),
  'predicate-holds': chain({
    ...json,
    transforms: 'hoist,static',
    ...hoist,
    ...statik,
    'transforms.static.predicate': 'is',
    predicates: 'is',
    'predicates.is.type': `${T}.predicates.TopicNameMatches`,
    'predicates.is.pattern': 'predicate-.*',
  }),
  'predicate-negated': chain({
    ...json,
    transforms: 'hoist,static',
    ...hoist,
    ...statik,
    'transforms.static.predicate': 'is',
    'transforms.static.negate': 'true',
    predicates: 'is',
    'predicates.is.type': `${T}.predicates.TopicNameMatches`,
    'predicates.is.pattern': 'predicate-.*',
  }),
  'predicate-header': chain({
    ...json,
    transforms: 'header,hoist',
    'transforms.header.type': `${T}.InsertHeader`,
    'transforms.header.header': 'h',
    'transforms.header.value.literal': '1',
    ...hoist,
    'transforms.hoist.predicate': 'has',
    predicates: 'has,tombstone',
    'predicates.has.type': `${T}.predicates.HasHeaderKey`,
    'predicates.has.name': 'h',
    'predicates.tombstone.type': `${T}.predicates.RecordIsTombstone`,
  }),
  unwrapped: chain({
    ...json,
    transforms: 'unwrap',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
  }),
  routed: chain(
    {
      ...text,
      transforms: 'route',
      'transforms.route.type': `${T}.RegexRouter`,
      'transforms.route.regex': '(rout)ed',
      'transforms.route.replacement': '$1-elsewhere',
    },
    { topics: ['rout-elsewhere'] },
  ),
  'created-topic': chain({
    ...keyed,
    'topic.creation.default.partitions': '3',
    'topic.creation.default.replication.factor': '1',
  }),
}

/**
 * The input of the sinks: the values of a topic, and the configuration of the sink that reads them.
 */
const SINKS: Readonly<Record<string, { config: Record<string, string>; values: readonly (string | null)[] }>> = {
  'sink-text': { config: text, values: ['one', '', 'größe 😀', 'two\nlines', null, '{"a":1}'] },
  'sink-plain-json': {
    config: plainJson,
    values: [
      '{"id":1,"name":"x","tags":["a",null,{"deep":1.5}],"city":null}',
      '"text"',
      '12',
      '1.25',
      'true',
      '[1,2]',
      null,
      'null',
      '{}',
    ],
  },
  'sink-json': {
    config: json,
    values: [
      '{"schema":{"type":"struct","optional":false,"fields":[{"type":"int64","optional":false,"field":"id"},{"type":"double","optional":true,"field":"x"},{"type":"string","optional":true,"field":"none"},{"type":"int32","optional":true,"default":7,"field":"n"}]},"payload":{"id":9007199254740993,"x":1e10,"none":null,"n":null}}',
      '{"schema":{"type":"map","optional":false,"keys":{"type":"string","optional":false},"values":{"type":"int32","optional":true}},"payload":{"zeta":1,"alpha":null,"mid":3}}',
      '{"schema":{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":"BHY="}',
      '{"schema":{"type":"float","optional":false},"payload":0.1}',
      '{"schema":null,"payload":{"b":1,"a":2}}',
      null,
    ],
  },
  'sink-hoisted': { config: { ...text, transforms: 'hoist', ...hoist }, values: ['a', 'b'] },
  'sink-static': {
    config: {
      ...json,
      transforms: 'static,mask',
      ...statik,
      'transforms.mask.type': `${T}.MaskField$Value`,
      'transforms.mask.fields': 'secret',
    },
    values: [
      '{"schema":{"type":"struct","optional":false,"fields":[{"type":"string","optional":false,"field":"secret"},{"type":"int8","optional":false,"field":"i"}]},"payload":{"secret":"x","i":-5}}',
    ],
  },
}

interface Results {
  readonly topics: Record<string, Raw[]>
  readonly offsets: Record<string, [string, { partition: number; value: string | null }][]>
  readonly files: Record<string, string>
  readonly groups: Record<string, string>
}

describe.skipIf(skipWithout('Apache Kafka', findKafkaLibs() !== null))('FileStream compared with Apache', () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-compare-files-'))
  const results: { apache?: Results; ours?: Results } = {}

  async function play(start: () => Promise<Stack>): Promise<Results> {
    // Both stacks use the same paths, because the offsets contain the paths.
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir)
    const stack = await start()
    try {
      const out: Results = { topics: {}, offsets: {}, files: {}, groups: {} }
      await sources(stack, out)
      await sinks(stack, out)
      return out
    } finally {
      await stack.stop()
    }
  }

  async function sources(stack: Stack, out: Results): Promise<void> {
    const count = (s: Scenario) => s.lines
    for (const [name, s] of Object.entries(SCENARIOS)) {
      writeFileSync(join(dir, name), s.first)
      await stack.create(name, {
        'connector.class': SOURCE,
        'tasks.max': '1',
        file: join(dir, name),
        topic: name,
        ...s.config,
      })
    }
    for (const [name, s] of Object.entries(SCENARIOS)) {
      const topic = s.topics?.[0] ?? name
      const later = s.appended ? s.appended.toString('latin1').split('\n').length - 1 : 0
      await stack.arrived(topic, s.lines - later)
      if (s.appended) appendFileSync(join(dir, name), s.appended)
    }
    for (const [name, s] of Object.entries(SCENARIOS)) {
      const topic = s.topics?.[0] ?? name
      out.topics[name] = await stack.read(topic, count(s))
      await stack.stopConnector(name)
    }
    for (const name of Object.keys(SCENARIOS)) out.offsets[name] = [...(await stack.storedOffsets(name))]
  }

  async function sinks(stack: Stack, out: Results): Promise<void> {
    for (const [name, { config, values }] of Object.entries(SINKS)) {
      await stack.produce(
        values.map((v, i) => ({
          topic: name,
          partition: 0,
          key: Buffer.from(`k${i}`),
          value: v === null ? null : Buffer.from(v),
        })),
      )
      const file = join(dir, `${name}.out`)
      await stack.create(name, { 'connector.class': SINK, 'tasks.max': '1', file, topics: name, ...text, ...config })
      const lines = values.reduce((sum, v) => sum + (v ?? '').split('\n').length, 0)
      await eventually(
        () => existsSync(file) && readFileSync(file, 'utf8').split('\n').length > lines,
        () => `${stack.name}: ${name} has ${existsSync(file) ? readFileSync(file, 'utf8') : 'no file'}`,
      )
      await stack.stopConnector(name)
      out.files[name] = readFileSync(file, 'utf8')
      const committed = async () => JSON.stringify((await stack.rest('GET', `/connectors/${name}/offsets`)).body)
      await eventually(
        async () => (await committed()).includes('kafka_offset'),
        () => `${stack.name}: ${name} has committed nothing`,
      )
      out.groups[name] = await committed()
    }
  }

  beforeAll(async () => {
    results.apache = await play(() => startApache())
    results.ours = await play(startMillrace)
  }, 420_000)
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  test.each(Object.keys(SCENARIOS))('%s: keys, values and headers are the same, in the same order', name => {
    expect(results.ours!.topics[name]).toEqual(results.apache!.topics[name])
    expect(results.apache!.topics[name]).toHaveLength(SCENARIOS[name]!.lines)
  })

  test.each(Object.keys(SCENARIOS))('%s: the offsets topic has the same bytes', name => {
    const theirs = results.apache!.offsets[name]!
    const bytes = Buffer.concat([SCENARIOS[name]!.first, SCENARIOS[name]!.appended ?? Buffer.alloc(0)])
    // Kafka counts UTF-16 code units, and resumes at the wrong position. Millrace counts bytes.
    const isAscii = bytes.every(b => b < 128)
    const expected = isAscii ? theirs : theirs.map(([key, o]) => [key, { ...o, value: `{"position":${bytes.length}}` }])
    expect(results.ours!.offsets[name]).toEqual(expected)
    expect(theirs).toHaveLength(1)
  })

  test.each(Object.keys(SINKS))('%s: the file and the committed offsets are the same', name => {
    expect(results.ours!.files[name]).toBe(results.apache!.files[name])
    expect(results.ours!.groups[name]).toBe(results.apache!.groups[name])
  })
})
