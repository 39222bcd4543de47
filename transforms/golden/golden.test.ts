import { readFileSync } from 'node:fs'
import type {
  CompleteSourceRecord,
  Predicate,
  Props,
  SchemaAndValue,
  SinkRecord,
  Transformation,
} from 'millrace/connect'
import { configured } from 'millrace/testing'
import { expect, test } from 'vitest'
import { JsonConverter } from '../../converters/json/json-converter.ts'

interface RecordText {
  topic: string
  partition?: number | null
  key: string | null
  value: string | null
  timestamp?: number | null
  headers?: [string, string | null][]
  source?: boolean
}

interface Case {
  name: string
  op: 'transform' | 'predicate'
  class: string
  props: Props
  record: RecordText
  /** Our result, if it intentionally differs from Connect's. */
  ours?: { record?: RecordText | null; error?: true }
  why?: string
}

interface Answer {
  name: string
  record?: RecordText | null
  result?: boolean
  error?: string
}

const here = new URL('.', import.meta.url)
const FOLDERS = ['.', 'table', 'times']
const read = <T>(name: string): T[] =>
  FOLDERS.flatMap(folder => JSON.parse(readFileSync(new URL(`${folder}/${name}`, here), 'utf8')) as T[])
const cases = read<Case>('cases.json')
const expected = read<Answer>('expected.json')

interface Manifest {
  plugins: { aliases: string[]; module: string; export: string }[]
}
const manifest = JSON.parse(readFileSync(new URL('../plugins.json', here), 'utf8')) as Manifest

async function load<T>(javaClass: string): Promise<T> {
  const entry = manifest.plugins.find(p => p.aliases.includes(javaClass))
  if (!entry) throw new Error(`no plugin has the alias ${javaClass}`)
  const module = await import(new URL(`../${entry.module.replace(/\.js$/, '.ts')}`, here).href)
  return new module[entry.export]() as T
}

const envelope = new JsonConverter()
configured(envelope, { 'replace.null.with.default': 'false' })
/** Data that several cases share. A case refers to it as `@name`. */
const shared = JSON.parse(readFileSync(new URL('table/records.json', here), 'utf8')) as Record<string, string>
const data = (text: string | null | undefined): SchemaAndValue => {
  if (text === null || text === undefined) return envelope.toConnectData('t', null)
  return envelope.toConnectData('t', Buffer.from(text.startsWith('@') ? shared[text.slice(1)]! : text))
}
const textOf = (schema: SchemaAndValue['schema'], value: unknown): string | null =>
  envelope.fromConnectData('t', schema, value)?.toString() ?? null

function record(text: RecordText): SinkRecord | CompleteSourceRecord {
  const key = data(text.key)
  const value = data(text.value)
  const common = {
    topic: text.topic,
    partition: 0,
    keySchema: key.schema,
    key: key.value,
    valueSchema: value.schema,
    value: value.value,
    timestamp: text.timestamp ?? null,
    headers: (text.headers ?? []).map(([k, v]) => ({ key: k, ...data(v) })),
  }
  if (text.source) return { ...common, sourcePartition: { p: '1' }, sourceOffset: { o: 1 } }
  const original = { originalTopic: text.topic, originalPartition: 0, originalOffset: 42 }
  return { ...common, offset: 42, timestampType: 'CreateTime', ...original }
}

function describe(r: SinkRecord | CompleteSourceRecord): RecordText {
  return {
    topic: r.topic,
    partition: r.partition,
    key: textOf(r.keySchema, r.key),
    value: textOf(r.valueSchema, r.value),
    timestamp: r.timestamp,
    headers: r.headers.map(h => [h.key, textOf(h.schema, h.value)]),
  }
}

test('a date beyond JavaScript’s range is an error and does not become text with NaN', async () => {
  const converter = await load<Transformation>('org.apache.kafka.connect.transforms.TimestampConverter$Value')
  configured(converter, { 'target.type': 'string', format: 'yyyy' })
  const value = '{"schema":{"type":"int64"},"payload":9223372036854775807}'
  expect(() => converter.apply(record({ topic: 't', key: null, value }))).toThrow('beyond the year 275760')
})

test.each(cases.map((c, i) => [c.name, c, expected[i]!] as const))('same as Connect: %s', async (_name, c, java) => {
  expect(java.name).toBe(c.name)
  if (c.op === 'predicate') {
    const predicate = await load<Predicate>(c.class)
    if (java.error) {
      expect(() => configured(predicate, c.props)).toThrow(expect.objectContaining({ name: 'ConfigError' }))
      return
    }
    configured(predicate, c.props)
    expect(predicate.test(record(c.record))).toBe(java.result)
    return
  }
  const run = async () => {
    const transformation = await load<Transformation>(c.class)
    configured(transformation, c.props)
    const input = record(c.record)
    const before = describe(input)
    const out = transformation.apply(input)
    expect(describe(input), 'the transformation must not change its input').toEqual(before)
    return out && describe(out)
  }
  if (c.ours?.error || (java.error && !c.ours)) {
    await expect(run()).rejects.toMatchObject({ name: expect.stringMatching(/^(DataError|ConfigError)$/) })
    return
  }
  expect(await run()).toEqual(c.ours ? c.ours.record : java.record)
})
