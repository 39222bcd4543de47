import fc from 'fast-check'
import {
  array,
  Decimal,
  date,
  decimal,
  map,
  primitive,
  type Schema,
  type SchemaAndValue,
  schemasEqual,
  struct,
  time,
  timestamp,
} from 'millrace/connect'
import { configured } from 'millrace/testing'
import { expect, test } from 'vitest'
import { JsonConverter } from './json-converter.ts'

function converter(props: Record<string, string> = {}, isKey = false): JsonConverter {
  const c = new JsonConverter()
  configured(c, props, { isKey: isKey })
  return c
}

/** Generates a schema and a value that conforms to it. */
const typed: fc.Arbitrary<SchemaAndValue> = fc.letrec<{ any: SchemaAndValue; leaf: SchemaAndValue }>(tie => {
  const of = <T>(schema: Schema, value: fc.Arbitrary<T>) => value.map(v => ({ schema, value: v as unknown }))
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(n => {
    const small = Number(n)
    return Number.isSafeInteger(small) ? small : n
  })
  const double = fc.double().map(n => n + 0)
  const leaf = fc.oneof(
    of(primitive('int8'), fc.integer({ min: -128, max: 127 })),
    of(primitive('int16'), fc.integer({ min: -32768, max: 32767 })),
    of(primitive('int32'), fc.integer()),
    of(primitive('int64'), int64),
    of(
      primitive('float'),
      fc.float().map(n => n + 0),
    ),
    of(primitive('double'), double),
    of(primitive('boolean'), fc.boolean()),
    of(primitive('string'), fc.string({ unit: 'grapheme' })),
    of(primitive('string', { optional: true }), fc.option(fc.string({ unit: 'binary' }))),
    of(
      primitive('bytes'),
      fc.uint8Array().map(a => Buffer.from(a)),
    ),
    of(
      decimal(3),
      fc.bigInt().map(n => new Decimal(n, 3)),
    ),
    of(timestamp({ optional: true }), fc.option(fc.integer({ min: -1e12, max: 1e12 }).map(n => new Date(n)))),
    of(
      date(),
      fc.integer({ min: -10_000, max: 100_000 }).map(n => new Date(n * 86_400_000)),
    ),
    of(
      time(),
      fc.integer({ min: 0, max: 86_399_999 }).map(n => new Date(n)),
    ),
    of(
      primitive('int32', { optional: true, default: 7, name: 'N', version: 2, doc: 'd', parameters: { p: '1' } }),
      fc.integer(),
    ),
  )
  // All values of a list or map must have the same schema, so one value is repeated.
  const several = (depth: fc.Arbitrary<SchemaAndValue>) => fc.tuple(depth, fc.nat(3))
  return {
    leaf,
    any: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      tie('leaf'),
      several(tie('any')).map(([one, n]) => ({
        schema: array(one.schema as Schema),
        value: Array.from({ length: n }, () => one.value),
      })),
      several(tie('any')).map(([one, n]) => ({
        schema: map(primitive('string'), one.schema as Schema),
        value: new Map(Array.from({ length: n }, (_, i) => [`k${i}`, one.value])),
      })),
      several(tie('any')).map(([one, n]) => ({
        schema: map(primitive('int64'), one.schema as Schema),
        value: new Map(Array.from({ length: n }, (_, i) => [i, one.value])),
      })),
      fc
        .dictionary(
          fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('constructor', '__proto__', 'toString', 'a b')),
          tie('any'),
          {
            maxKeys: 5,
            noNullPrototype: true,
          },
        )
        .map(fields => {
          const entries = Object.entries(fields)
          return {
            schema: struct(new Map(entries.map(([k, v]) => [k, v.schema as Schema])), { name: 'S' }),
            value: Object.fromEntries(entries.map(([k, v]) => [k, v.value])),
          }
        }),
    ),
  }
}).any

test('written data is read back with equal values and schemas', () => {
  const c = converter()
  fc.assert(
    fc.property(typed, ({ schema, value }) => {
      const bytes = c.fromConnectData('t', schema, value)
      const text = c.fromConnectText('t', schema, value)
      expect(typeof text === 'string' ? Buffer.from(text) : text).toEqual(bytes)
      // The second read finds the schema by its bytes.
      for (let i = 0; i < 2; i++) {
        const read = c.toConnectData('t', bytes)
        expect(schemasEqual(read.schema, schema)).toBe(true)
        expect(read.value).toEqual(value)
      }
      expect(() => JSON.parse(bytes!.toString())).not.toThrow()
    }),
    { numRuns: 500 },
  )
})

test('decimals that are written as numbers stay exact', () => {
  const c = converter({ 'decimal.format': 'numeric' })
  const schema = struct({ price: decimal(2), other: decimal(0, { optional: true }) })
  const value = { price: new Decimal(123456789012345678901n, 2), other: null }
  const bytes = c.fromConnectData('t', schema, value)
  expect(bytes!.toString()).toContain('"price":1234567890123456789.01')
  expect(c.toConnectData('t', bytes).value).toEqual(value)
  expect(c.toConnectData('t', bytes).value).toEqual(value)
})

test('integers beyond 2^53 stay exact at any position', () => {
  const big = 9007199254740993n
  const schema = struct({
    a: primitive('int64'),
    list: array(primitive('int64')),
    text: primitive('string'),
    odd: primitive('int64', { optional: true }),
  })
  const c = converter()
  const value = { a: big, list: [1, big], text: 'x":9007199254740993,"#9007199254740993', odd: -big }
  const bytes = c.fromConnectData('t', schema, value)
  expect(c.toConnectData('t', bytes).value).toEqual(value)
  expect(c.toConnectData('t', bytes).value).toEqual(value)
  const loose = converter({ 'schemas.enable': 'false' })
  const plain = { n: big, list: [big, 'x'], s: '9007199254740993' }
  expect(loose.toConnectData('t', loose.fromConnectData('t', null, plain)).value).toEqual(plain)
})

test('the error about a value that does not fit its schema contains the path of the value', () => {
  const schema = struct({ after: struct({ items: array(struct({ price: primitive('int32') })) }) })
  const value = { after: { items: [{ price: 1 }, { price: 'x' }] } }
  expect(() => converter().fromConnectData('orders', schema, value)).toThrow(
    'cannot convert field after.items[1].price of the value for topic orders to JSON: a field of type int32 cannot contain the string x',
  )
  const missing = { after: { items: [{}] } }
  expect(() => converter({}, true).fromConnectData('orders', schema, missing)).toThrow(
    /field after\.items\[0\]\.price of the key .* null value for field that is required/,
  )
})

test('the error about plain JSON with schemas.enable contains the configuration line to add', () => {
  const plain = Buffer.from('{"id":1}')
  expect(() => converter().toConnectData('orders', plain)).toThrow(/value\.converter\.schemas\.enable=false/)
  expect(() => converter({}, true).toConnectData('orders', plain)).toThrow(/key\.converter\.schemas\.enable=false/)
  expect(() => converter().toConnectData('orders', Buffer.from('hello'))).toThrow(/is not JSON.*StringConverter/)
})

test('the error about an invalid value in an envelope contains the name of its field', () => {
  const text =
    '{"schema":{"type":"struct","optional":false,"fields":[{"type":"int32","optional":false,"field":"n"}]},"payload":{"n":"x"}}'
  expect(() => converter().toConnectData('t', Buffer.from(text))).toThrow(
    /field n: the string x is not a value of type int32/,
  )
})

test('any bytes are converted to a value or cause a DataError', () => {
  const c = converter()
  const json = fc.json().map(text => Buffer.from(text))
  const envelope = fc.tuple(fc.json(), fc.json()).map(([s, p]) => Buffer.from(`{"schema":${s},"payload":${p}}`))
  const schemaLike = fc
    .record({
      type: fc.constantFrom('struct', 'array', 'map', 'int64', 'bytes', 'x'),
      fields: fc.jsonValue(),
      items: fc.jsonValue(),
      optional: fc.boolean(),
    })
    .map(s => Buffer.from(`{"schema":${JSON.stringify(s)},"payload":[1,{"a":2}]}`))
  fc.assert(
    fc.property(
      fc.oneof(
        json,
        envelope,
        schemaLike,
        fc.uint8Array().map(a => Buffer.from(a)),
      ),
      bytes => {
        for (let i = 0; i < 2; i++) {
          try {
            c.toConnectData('t', bytes)
          } catch (error) {
            expect((error as Error).name).toBe('DataError')
          }
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('with a full schema cache, messages are still read', () => {
  const c = converter({ 'schemas.cache.size': '2' })
  for (let i = 0; i < 20; i++) {
    const schema = struct({ [`f${i}`]: primitive('int32') })
    expect(c.toConnectData(`t${i}`, c.fromConnectData('t', schema, { [`f${i}`]: i })).value).toEqual({ [`f${i}`]: i })
  }
})

test('deeply nested data is rejected with an error', () => {
  const deep = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000)
  const schema = `{"schema":${deep('{"type":"array","items":', '}').replace('}', '1}')},"payload":1}`
  expect(() => converter().toConnectData('t', Buffer.from(schema))).toThrow(/schema of the value/)
  const loose = converter({ 'schemas.enable': 'false' })
  expect(() => loose.toConnectData('t', Buffer.from(deep('[', ']')))).toThrow(/nested more than/)
  expect(() => loose.toConnectData('t', Buffer.from(deep('[1.0,', ']')))).toThrow(/nested more than/)
  const cycle: unknown[] = []
  cycle.push(cycle)
  expect(() => loose.fromConnectData('t', null, cycle)).toThrow(/nested more than/)
})

test('the error about a number in a string field contains all digits of the number', () => {
  const schema = {
    type: 'struct',
    fields: [
      { field: 'a', type: 'string', optional: true },
      { field: 'b', type: 'int64' },
    ],
  }
  const fixed = converter({ 'schema.content': JSON.stringify(schema) })
  const read = (text: string) => fixed.toConnectData('t', Buffer.from(text)).value
  for (const number of ['5', '-9223372036854775808', '1.0']) {
    expect(() => read(`{"a":${number},"b":1}`)).toThrow(/field a: (?!.*#).* is not a value of type string/)
  }
  const long = read('{"a":"#-9223372036854775808","b":-9223372036854775808}')
  expect(long).toEqual({ a: '#-9223372036854775808', b: -9223372036854775808n })
})

test('converting further messages of any length does not change an earlier message', () => {
  const c = converter()
  const plain = converter({ 'schemas.enable': 'false' })
  const schema = struct({ s: primitive('string') })
  const lengths = fc.oneof(fc.nat(200), fc.nat(30_000))
  fc.assert(
    fc.property(fc.array(fc.tuple(lengths, fc.constantFrom('a', 'é', '✓', '\ud800')), { maxLength: 30 }), list => {
      const texts = list.map(([n, letter]) => letter.repeat(n))
      const written = texts.map(s => [c, plain].map(one => one.fromConnectData('t', schema, { s })!))
      for (const [i, messages] of written.entries()) {
        expect(c.toConnectData('t', messages[0]!).value).toEqual({ s: texts[i] })
        expect(JSON.parse(messages[1]!.toString())).toEqual({ s: texts[i] })
      }
    }),
    { numRuns: 30 },
  )
})

test('a struct that several records share is written correctly, whether it changes or is frozen', () => {
  const c = converter({ 'schemas.enable': 'false' })
  const schema = struct({ inner: struct({ s: primitive('string'), n: primitive('int32') }) })
  const written = (inner: object) => c.fromConnectData('t', schema, { inner })!.toString()
  const inner = { s: 'x', n: 0 }
  const seen = [0, 1, 1, 2].map(n => {
    inner.n = n
    return written(inner)
  })
  expect(seen).toEqual([0, 1, 1, 2].map(n => `{"inner":{"s":"x","n":${n}}}`))
  const frozen = Object.freeze({ s: 'y', n: 7 })
  const other = { s: 'z', n: 8 }
  expect([frozen, frozen, frozen, other, frozen].map(written)).toEqual(
    ['y', 'y', 'y', 'z', 'y'].map(s => `{"inner":{"s":"${s}","n":${s === 'z' ? 8 : 7}}}`),
  )
})
