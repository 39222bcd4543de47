import { afterEach, describe, expect, inject, test } from 'vitest'
import { JsonConverter } from '../../converters/json/json-converter.ts'
import { CastValue } from '../../transforms/cast.ts'
import { ElasticsearchSink, uniqueName } from './test-support/elasticsearch-sink.ts'

const url = inject('elasticsearchUrl')
const sinks: ElasticsearchSink[] = []

afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.stop()
})

const json = async (path: string, method = 'GET') => (await fetch(`${url}${path}`, { method })).json()

/**
 * Writes JSON without schemas through the sink. Returns the types in the mapping that Elasticsearch
 * created, and the stored documents.
 */
async function written(texts: readonly string[], cast?: string): Promise<{ types: unknown; sources: string[] }> {
  const config = { 'connection.url': url!, 'key.ignore': 'true', 'read.timeout.ms': '60000' }
  const p = new ElasticsearchSink(uniqueName('numbers'), config, {
    valueConverter: { type: JsonConverter, config: { 'schemas.enable': 'false' } },
    transforms: cast === undefined ? [] : [{ type: CastValue, config: { spec: cast } }],
  })
  sinks.push(p)
  await p.start()
  for (const text of texts) p.log.append({ topic: p.topic, key: null, value: Buffer.from(text) })
  await p.committed()
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
    // The stored documents have exactly the bytes that were sent.
    expect(sources).toEqual(texts)
  })

  test('a number that Cast converts to double is a double too', async () => {
    const { types, sources } = await written(['{"f":1}', '{"f":0.5}'], 'f:float64')
    expect(types).toEqual({ f: 'double' })
    expect(sources).toEqual(['{"f":1.0}', '{"f":0.5}'])
  })
})
