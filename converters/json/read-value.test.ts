import { millisOf } from 'millrace/connect'
import { configured } from 'millrace/testing'
import { expect, test } from 'vitest'
import { JsonConverter } from './json-converter.ts'

test.each([
  ['Date', 'int32', '2147483647', 2_147_483_647n * 86_400_000n],
  ['Timestamp', 'int64', '8640000000000001', 8_640_000_000_000_001n],
  ['Timestamp', 'int64', '9224318015999999', 9_224_318_015_999_999n],
  ['Timestamp', 'int64', '-9223372036854775808', -(2n ** 63n)],
])('a %s beyond the range of JavaScript dates keeps its exact time: %s %s', (name, type, payload, millis) => {
  const converter = new JsonConverter()
  configured(converter, {})
  const schema = { type, optional: false, name: `org.apache.kafka.connect.data.${name}`, version: 1 }
  const bytes = Buffer.from(`{"schema":${JSON.stringify(schema)},"payload":${payload}}`)
  const read = converter.toConnectData('t', bytes)
  expect(millisOf(read.value as Date)).toBe(millis)
  const written = converter.fromConnectData('t', read.schema, read.value, [])!
  expect(written.toString()).toContain(`"payload":${payload}`)
})
