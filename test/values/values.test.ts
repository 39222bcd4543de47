import { readFileSync } from 'node:fs'
import type { Props, Schema, SinkRecord, Transformation } from 'millrace/connect'
import { javaToString } from 'millrace/connect/java'
import { configured, parseSettings } from 'millrace/testing'
import { expect, test } from 'vitest'
import { config as elasticsearchConfig } from '../../connectors/elasticsearch/config.ts'
import { DocumentWriter, isDocument } from '../../connectors/elasticsearch/document.ts'
import { readSettings } from '../../connectors/elasticsearch/settings.ts'
import { JsonConverter } from '../../converters/json/json-converter.ts'
import { SimpleHeaderConverter } from '../../converters/simple-header-converter.ts'
import { StringConverter } from '../../converters/string-converter.ts'

interface Chain {
  name: string
  transforms: { class: string; props: Props }[]
}

/** The bytes of a value in a topic, a file and headers. `error` is the class of an exception. */
interface Outcome {
  json?: string | null
  text?: string
  key?: string | null
  headers?: string[]
  dropped?: true
  error?: string
}

/**
 * A value for which Millrace deliberately differs from Connect: only Millrace rejects it, only
 * Millrace accepts it, or the order of its fields differs.
 */
interface Difference {
  value: string
  chains: string[] | 'all'
  ours: 'refused' | 'taken' | 'order'
  why: string
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8'))
/** Values with or without schemas, chains of transformations, and Connect's results. */
interface Table {
  schemas?: true
  values: string[]
  chains: Chain[]
  expected: Record<string, Outcome[]>
}

const table = (name: string): Table => ({
  ...(read(`${name}.cases.json`) as Omit<Table, 'expected'>),
  expected: read(`${name}.expected.json`) as Table['expected'],
})
const schemaless = table('schemaless')
const typed = table('typed')
const differences = read('differences.json') as Difference[]

const manifest = JSON.parse(readFileSync(new URL('../../transforms/plugins.json', import.meta.url), 'utf8')) as {
  plugins: { aliases: string[]; module: string; export: string }[]
}

async function load(javaClass: string, props: Props): Promise<Transformation> {
  const entry = manifest.plugins.find(p => p.aliases.includes(javaClass))
  if (!entry) throw new Error(`no plugin has the alias ${javaClass}`)
  const module = await import(new URL(`../../transforms/${entry.module.replace(/\.js$/, '.ts')}`, import.meta.url).href)
  const made = new module[entry.export]() as Transformation
  configured(made, props)
  return made
}

const converters = { schemaless: new JsonConverter(), typed: new JsonConverter() }
configured(converters.schemaless, { 'schemas.enable': 'false' })
const strings = new StringConverter()
configured(strings, {})
const headerConverter = new SimpleHeaderConverter()
const elasticsearchProps = { 'connection.url': 'http://127.0.0.1:9200' }
const documents = new DocumentWriter(
  readSettings(parseSettings(elasticsearchConfig, elasticsearchProps), elasticsearchProps),
)

function run(
  { schemas }: Pick<Table, 'schemas'>,
  chain: readonly Transformation[],
  text: string,
): { outcome: Outcome; record: SinkRecord | null } {
  const converter = schemas ? converters.typed : converters.schemaless
  try {
    const { schema, value } = converter.toConnectData('t', Buffer.from(text))
    let record: SinkRecord | null = {
      ...{ topic: 't', partition: 3, offset: 42, keySchema: null, key: null, valueSchema: schema, value },
      ...{ timestamp: 1_700_000_000_000, timestampType: 'CreateTime', headers: [] },
      ...{ originalTopic: 't', originalPartition: 3, originalOffset: 42 },
    }
    for (const transformation of chain) {
      record = transformation.apply(record)
      if (record === null) return { outcome: { dropped: true }, record }
    }
    return { outcome: outcomeOf(converter, record), record }
  } catch (error) {
    if (!(error instanceof Error) || !['DataError', 'ConfigError'].includes(error.name)) throw error
    return { outcome: { error: error.message }, record: null }
  }
}

function outcomeOf(converter: JsonConverter, record: SinkRecord): Outcome {
  const json = (schema: Schema | null, given: unknown) =>
    converter.fromConnectData('t', schema, given)?.toString() ?? null
  const { key, keySchema, value, valueSchema, headers } = record
  const outcome: Outcome = { json: json(valueSchema, value), text: javaToString(valueSchema, value) }
  if (key !== null) outcome.key = json(keySchema, key)
  if (headers.length > 0) {
    outcome.headers = headers.map(h => {
      const bytes = headerConverter.fromConnectHeader('t', h.key, h.schema, h.value)
      return `${h.key}=${bytes?.toString() ?? 'null'}`
    })
  }
  return outcome
}

const NUMBER = /-?\d+\.\d+(?:E-?\d+)?/g

/**
 * Returns Java's result with each number in its shortest form, as Java writes it since version 19.
 * Java 17, which wrote the expected results, sometimes writes more digits.
 */
function withFewestDigits(java: Outcome, ours: Outcome, floats: boolean): Outcome {
  const texts = JSON.stringify(ours).match(NUMBER) ?? []
  let i = 0
  const shortened = JSON.stringify(java).replace(NUMBER, theirs => {
    const text = texts[i++] ?? theirs
    const read = floats ? (digits: string) => Math.fround(Number(digits)) : Number
    const isSame = read(text) === read(theirs)
    return isSame && text.length < theirs.length ? text : theirs
  })
  return JSON.parse(shortened) as Outcome
}

const sorted = (outcome: Outcome) => Object.values(outcome).map(text => [...String(text)].sort().join(''))

function compare({ values, expected }: Table, chain: string, value: string, outcome: Outcome): void {
  const java = expected[chain]![values.indexOf(value)]!
  const difference = differences.find(d => d.value === value && (d.chains === 'all' || d.chains.includes(chain)))
  if (difference?.ours === 'taken') {
    expect(java, value).toHaveProperty('error')
    expect(outcome, value).toHaveProperty('json')
    return
  }
  if (java.error !== undefined || difference?.ours === 'refused') {
    expect(outcome, `${value}: Connect answers ${java.error}`).toHaveProperty('error')
    return
  }
  const asked = withFewestDigits(java, outcome, chain.includes('float32'))
  // Java prints the address of a byte array, and Millrace prints its text.
  if (asked.text?.includes('[B@')) asked.text = outcome.text!
  if (difference?.ours === 'order') expect(sorted(outcome), value).toEqual(sorted(asked))
  else expect(outcome, value).toEqual(asked)
}

async function check(of: Table, { name, transforms }: Chain, each?: (record: SinkRecord, outcome: Outcome) => void) {
  const chain = await Promise.all(transforms.map(t => load(t.class, t.props)))
  for (const value of of.values) {
    const { outcome, record } = run(of, chain, value)
    compare(of, name, value, outcome)
    if (!record || outcome.json == null) continue
    // The file sink writes the same text as StringConverter.
    const line = strings.fromConnectData('t', record.valueSchema, record.value)
    expect(line?.toString() ?? 'null', value).toBe(outcome.text)
    each?.(record, outcome)
  }
}

test.each(schemaless.chains)("values without schemas give Connect's bytes: $name", async chain => {
  await check(schemaless, chain, (record, { json }) => {
    if (record.valueSchema !== null || !isDocument(record)) return
    const document = documents.write(record)
    // Characters outside of the BMP are escaped differently, so only the parsed values are
    // compared.
    if (json!.includes('\\uD83D')) expect(JSON.parse(document)).toEqual(JSON.parse(json!))
    else expect(document).toBe(json)
  })
})

test.each(typed.chains)("values with schemas give Connect's bytes: $name", async chain => {
  await check(typed, chain)
})

test('integers of more than 64 bits keep their digits; Connect silently truncates them', () => {
  for (const value of [
    '{"f":9223372036854775808}',
    '{"f":-18446744073709551615}',
    '{"f":[123456789012345678901234567890]}',
  ]) {
    const { outcome, record } = run({}, [], value)
    expect(outcome.json).toBe(value)
    expect(documents.write(record!)).toBe(value)
  }
})

test('every published difference occurs in the test cases', async () => {
  for (const d of differences) {
    const of = typed.values.includes(d.value) ? typed : schemaless
    const named = of.chains.filter(c => d.chains === 'all' || d.chains.includes(c.name))
    const differing = await Promise.all(
      named.map(async ({ name, transforms }) => {
        const chain = await Promise.all(transforms.map(t => load(t.class, t.props)))
        const { outcome } = run(of, chain, d.value)
        return JSON.stringify(outcome) !== JSON.stringify(of.expected[name]![of.values.indexOf(d.value)])
      }),
    )
    expect(differing, `${d.value}: ${d.why}`).toContain(true)
  }
})
