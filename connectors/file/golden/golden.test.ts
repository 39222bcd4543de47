import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { javaToString } from 'millrace/connect/java'
import { configured } from 'millrace/testing'
import { expect, test } from 'vitest'
import { JsonConverter } from '../../../converters/json/json-converter.ts'

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, `${name}.json`), 'utf8'))
const cases: { name: string; schemas: boolean; text: string; ours?: string }[] = read('file-sink.cases')
const expected: string[] = read('file-sink.expected')

test.each(cases.map((c, i) => ({ ...c, expected: c.ours ?? expected[i] })))(
  "same text as Apache's file sink: $name",
  ({ schemas, text, expected }) => {
    const converter = new JsonConverter()
    configured(converter, { 'schemas.enable': String(schemas) })
    const { schema, value } = converter.toConnectData('t', Buffer.from(text), [])
    expect(`${javaToString(schema, value)}\n`).toBe(expected)
  },
)
