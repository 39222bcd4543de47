// Micro-benchmark of the converters and transformations: records per second on one thread.
// Usage: node --conditions=millrace-source bench/micro/json-converter.ts
import { parseArgs } from 'node:util'
import { type ConnectRecord, primitive, type Schema, struct } from 'millrace/connect'
import { configured } from 'millrace/testing'
import { JsonConverter } from '../../converters/json/json-converter.ts'
import { StringConverter } from '../../converters/string-converter.ts'
import { InsertFieldValue } from '../../transforms/insert-field.ts'
import { MaskFieldValue } from '../../transforms/mask-field.ts'

const { values } = parseArgs({ options: { count: { type: 'string', default: '400000' } } })
const count = Number(values.count)

const optional = { optional: true }
const row: Schema = struct(
  {
    id: primitive('int32'),
    customer: primitive('int64'),
    name: primitive('string', optional),
    email: primitive('string', optional),
    price: primitive('double', optional),
    paid: primitive('boolean', optional),
    quantity: primitive('int32', optional),
    note: primitive('string', optional),
    created_at: primitive('int64', { optional: true, name: 'io.debezium.time.MicroTimestamp', version: 1 }),
    status: primitive('string'),
  },
  { name: 'shop.public.orders.Value' },
)
const rows = Array.from({ length: 1000 }, (_, i) => ({
  id: i,
  customer: 1_000_000 + i,
  name: `Customer number ${i}`,
  email: `customer${i}@example.org`,
  price: i + 0.5,
  paid: i % 2 === 0,
  quantity: i % 7,
  note: null,
  created_at: 1_700_000_000_000_000 + i,
  status: 'shipped',
}))
const lines = rows.map(
  r => `${r.id} ${r.name} ${r.email} and some more text to make about 100 bytes of it, as a log has`,
)

function measure(name: string, run: (i: number) => void): void {
  for (let i = 0; i < 20_000; i++) run(i % 1000)
  const start = performance.now()
  const cpu = process.cpuUsage()
  for (let i = 0; i < count; i++) run(i % 1000)
  const seconds = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  const rate = (s: number) => (count / s / 1000).toFixed(0).padStart(6)
  // The rate per CPU second is also valid on a busy machine.
  console.log(`${name.padEnd(42)} ${rate(seconds)} k/s ${rate((used.user + used.system) / 1e6)} k per CPU second`)
}

const json = (props: Record<string, string>): JsonConverter => {
  const converter = new JsonConverter()
  configured(converter, props)
  return converter
}
const withSchemas = json({})
const plain = json({ 'schemas.enable': 'false' })
const text = new StringConverter()
configured(text, {})
const schema = primitive('string')
const written = rows.map(r => withSchemas.fromConnectData('t', row, r)!)
const writtenPlain = rows.map(r => plain.fromConnectData('t', row, r)!)
// JSON.parse cannot read these values exactly: a double that is a whole number, and an integer
// above 2^53.
const whole = rows.map(r => Buffer.from(plain.fromConnectData('t', row, r)!.toString().replace('.5,', '.0,')))
const nested = rows.map(r => plain.fromConnectData('t', null, { before: null, after: r, source: { name: 'shop', r } })!)
const long = struct({ ...Object.fromEntries(row.fields!.map(f => [f.name, f.schema])), ts_ns: primitive('int64') })
const writtenLong = rows.map(r => withSchemas.fromConnectData('l', long, { ...r, ts_ns: 1_700_000_000_000_000_001n })!)
const writtenLines = lines.map(l => Buffer.from(l))

console.log(
  `10 fields: ${written[0]!.length} bytes with schema, ${writtenPlain[0]!.length} without; lines of ${writtenLines[0]!.length} bytes`,
)
measure('JSON with schemas, write', i => withSchemas.fromConnectData('t', row, rows[i]))
measure('JSON with schemas, read', i => withSchemas.toConnectData('t', written[i]!))
measure('JSON without schemas, write', i => plain.fromConnectData('t', row, rows[i]))
measure('JSON without schemas, read', i => plain.toConnectData('t', writtenPlain[i]!))
measure('JSON with schemas, read, a long integer', i => withSchemas.toConnectData('l', writtenLong[i]!))
measure('JSON without schemas, read, a whole double', i => plain.toConnectData('t', whole[i]!))
measure('JSON without schemas, read, nested', i => plain.toConnectData('t', nested[i]!))
const read = writtenPlain.map(bytes => plain.toConnectData('t', bytes).value)
measure('JSON without schemas, write what was read', i => plain.fromConnectData('t', null, read[i]))
const maskPlain = new MaskFieldValue()
configured(maskPlain, { fields: 'email' })
const schemaless = {
  topic: 't',
  partition: 0,
  keySchema: null,
  key: null,
  valueSchema: null,
  timestamp: 1,
  headers: [],
}
measure('MaskField without schemas', i => maskPlain.apply({ ...schemaless, value: read[i] }))
measure('String, write', i => text.fromConnectData('t', schema, lines[i]))
measure('String, read', i => text.toConnectData('t', writtenLines[i]!))

const record = (i: number): ConnectRecord => ({
  topic: 't',
  partition: 0,
  keySchema: null,
  key: null,
  valueSchema: row,
  value: rows[i],
  timestamp: 1,
  headers: [],
})
const insert = new InsertFieldValue()
configured(insert, { 'static.field': 'source', 'static.value': 'shop' })
const mask = new MaskFieldValue()
configured(mask, { fields: 'email' })
measure('InsertField', i => insert.apply(record(i)))
measure('MaskField', i => mask.apply(record(i)))
measure('InsertField, MaskField, JSON with schemas', i => {
  const out = mask.apply(insert.apply(record(i))!)!
  withSchemas.fromConnectData('t', out.valueSchema, out.value)
})
