import { readFileSync } from 'node:fs'
import type { Converter, HeaderConverter, Props, SchemaAndValue } from 'millrace/connect'
import { configured } from 'millrace/testing'
import { expect, test } from 'vitest'
import { JsonConverter } from '../json/json-converter.ts'

interface Case {
  name: string
  op: 'write' | 'read' | 'header-write' | 'header-read' | 'header-round'
  class: string
  props: Props
  isKey?: boolean
  data?: string | null
  text?: string
  /** The data in base64 if it is not UTF-8. */
  bytes?: string
  /** Our result, if it intentionally differs from Connect's. */
  ours?: string | null
  why?: string
}

interface Answer {
  name: string
  bytes?: string | null
  data?: string | null
  error?: string
}

const here = new URL('.', import.meta.url)
const FOLDERS = ['.', 'encodings', 'table']
const read = <T>(name: string): T[] =>
  FOLDERS.flatMap(folder => JSON.parse(readFileSync(new URL(`${folder}/${name}`, here), 'utf8')) as T[])
const cases = read<Case>('cases.json')
const expected = read<Answer>('expected.json')

interface Manifest {
  plugins: { type: string; aliases: string[]; module: string; export: string }[]
}
const manifest = JSON.parse(readFileSync(new URL('../plugins.json', here), 'utf8')) as Manifest

async function load<T>(javaClass: string): Promise<T> {
  const entry = manifest.plugins.find(p => p.aliases.includes(javaClass))
  if (!entry) throw new Error(`no plugin has the alias ${javaClass}`)
  const module = await import(new URL(`../${entry.module.replace(/\.js$/, '.ts')}`, here).href)
  return new module[entry.export]() as T
}

// This converter reads and writes the data of the fixtures. It keeps nulls.
const envelope = new JsonConverter()
configured(envelope, { 'replace.null.with.default': 'false' })
const data = (text: string | null | undefined): SchemaAndValue =>
  envelope.toConnectData('t', text === null || text === undefined ? null : Buffer.from(text))
const written = ({ schema, value }: SchemaAndValue): string | null =>
  envelope.fromConnectData('t', schema, value)?.toString() ?? null

const bytesOf = (c: Case): Buffer =>
  c.bytes === undefined ? Buffer.from(c.text ?? '') : Buffer.from(c.bytes, 'base64')

async function answer(c: Case): Promise<string | null> {
  if (c.op.startsWith('header')) {
    const converter = await load<HeaderConverter>(c.class)
    configured(converter, c.props)
    if (c.op === 'header-round') {
      const { schema, value } = converter.toConnectHeader('t', 'h', Buffer.from(c.text ?? ''))
      return converter.fromConnectHeader('t', 'h', schema, value)?.toString('latin1') ?? null
    }
    if (c.op === 'header-read') return written(converter.toConnectHeader('t', 'h', bytesOf(c)))
    const { schema, value } = data(c.data)
    return converter.fromConnectHeader('t', 'h', schema, value)?.toString('latin1') ?? null
  }
  const converter = await load<Converter>(c.class)
  configured(converter, c.props, { isKey: c.isKey })
  if (c.op === 'read') return written(converter.toConnectData('t', bytesOf(c), []))
  const { schema, value } = data(c.data)
  return converter.fromConnectData('t', schema, value, [])?.toString('latin1') ?? null
}

test.each(cases.map((c, i) => [c.name, c, expected[i]!] as const))('same as Connect: %s', async (_name, c, java) => {
  expect(java.name).toBe(c.name)
  if (
    c.ours === undefined &&
    /DataException|SerializationException|SchemaBuilderException|Schema.parameters/.test(java.error ?? '')
  ) {
    await expect(answer(c)).rejects.toMatchObject({ name: expect.stringMatching(/^(DataError|ConfigError)$/) })
    return
  }
  const bytes = java.bytes == null ? (java.bytes ?? null) : Buffer.from(java.bytes, 'base64').toString('latin1')
  const theirs = c.op.endsWith('write') || c.op === 'header-round' ? bytes : (java.data ?? null)
  expect(await answer(c)).toBe(c.ours === undefined ? theirs : c.ours)
})
