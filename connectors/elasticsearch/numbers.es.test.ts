import { configured } from 'millrace/testing'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { JsonConverter } from '../../converters/json/json-converter.ts'
import { CastValue } from '../../transforms/cast.ts'
import { Played, uniqueName } from './test-support/play.ts'

const url = inject('elasticsearchUrl')
const played: Played[] = []
const converter = new JsonConverter()
configured(converter, { 'schemas.enable': 'false' })

afterEach(async () => {
  for (const p of played.splice(0)) await p.task.stop()
})

const json = async (path: string, method = 'GET') => (await fetch(`${url}${path}`, { method })).json()

/**
 * Writes JSON without schemas, as in a topic, and returns the mapping that Elasticsearch created.
 */
async function written(texts: readonly string[], cast?: string): Promise<{ types: unknown; sources: string[] }> {
  const p = new Played(uniqueName('numbers'))
  played.push(p)
  p.start({ 'connection.url': url!, 'schema.ignore': 'true', 'key.ignore': 'true', 'read.timeout.ms': '60000' })
  const transform = new CastValue()
  if (cast !== undefined) configured(transform, { spec: cast })
  const records = texts.map(text => p.record(null, converter.toConnectData(p.topic, Buffer.from(text)).value))
  await p.write(cast === undefined ? records : records.map(r => transform.apply(r)!))
  await json(`/${p.topic}/_refresh`, 'POST')
  const mapping = (await json(`/${p.topic}/_mapping`)) as Record<string, { mappings: { properties: object } }>
  const found = await (await fetch(`${url}/${p.topic}/_search?size=100&sort=_doc`)).text()
  const sources = [...found.matchAll(/"_source":(\{[^}]*\})/g)].map(m => m[1]!)
  const { properties } = mapping[p.topic]!.mappings
  const types = Object.entries(properties).map(([name, { type }]) => [name, type] as const)
  return { types: Object.fromEntries(types), sources }
}

describe.skipIf(!url)('numbers without schemas in Elasticsearch', () => {
  test('a field whose first double is a whole number is not an integer field and accepts later fractions', async () => {
    const texts = ['{"f":0.0,"n":1}', '{"f":0.1,"n":2}', '{"f":1.0E30,"n":9007199254740993}', '{"f":-5.0E-7,"n":3}']
    const { types, sources } = await written(texts)
    expect(types).toEqual({ f: 'double', n: 'long' })
    // exactly the bytes that were sent
    expect(sources).toEqual(texts)
  })

  test('a number that Cast converts to double is a double too', async () => {
    const { types, sources } = await written(['{"f":1}', '{"f":0.5}'], 'f:float64')
    expect(types).toEqual({ f: 'double' })
    expect(sources).toEqual(['{"f":1.0}', '{"f":0.5}'])
  })
})
