import { expect, test } from 'vitest'
import { JsonConverter } from './json-converter.ts'

test.each([
  ['Date', 'int32', 2_147_483_647],
  ['Timestamp', 'int64', 8_640_000_000_000_001],
])('a %s that JavaScript has no date for is refused, not read as an invalid one', (name, type, payload) => {
  const converter = new JsonConverter()
  converter.configure({})
  const schema = { type, optional: false, name: `org.apache.kafka.connect.data.${name}`, version: 1 }
  const bytes = Buffer.from(JSON.stringify({ schema, payload }))
  expect(() => converter.toConnectData('t', bytes)).toThrow(/is no value of type/)
})
