import fc from 'fast-check'
import { array, Decimal, date, decimal, map, primitive, type Schema, struct, time, timestamp } from 'millrace/connect'
import { expect, test } from 'vitest'
import { jsonText } from './json-text.ts'

const at = new Date('2023-11-14T22:13:20.123Z')

const cases: [string, Schema | null, unknown, string][] = [
  ['int64 beyond 2^53', primitive('int64'), 9223372036854775807n, '9223372036854775807'],
  ['a double', primitive('double'), 0.1, '0.1'],
  ['NaN', primitive('double'), Number.NaN, '"NaN"'],
  ['Infinity', primitive('double'), Number.NEGATIVE_INFINITY, '"-Infinity"'],
  ['a decimal', decimal(20), new Decimal(123456789012345678901234567890n, 20), '1234567890.12345678901234567890'],
  ['a date', date(), new Date(Date.UTC(2022, 0, 8)), '"2022-01-08"'],
  ['a date after the year 9999', date(), new Date(Date.UTC(12022, 0, 8)), '"+012022-01-08"'],
  ['a time', time(), new Date(3_723_004), '"01:02:03.004"'],
  ['a timestamp', timestamp(), at, '"2023-11-14T22:13:20.123Z"'],
  ['bytes', primitive('bytes'), Buffer.from([0, 255]), '"AP8="'],
  ['text with line ends', primitive('string'), 'a\nb\r"ü😀', '"a\\nb\\r\\"ü😀"'],
  ['null', primitive('string', { optional: true }), null, 'null'],
  ['null for an optional schema with a default', primitive('int32', { optional: true, default: 7 }), null, 'null'],
  ['a missing value with a default', primitive('int32', { default: 7 }), undefined, '7'],
  ['a list', array(primitive('int64')), [1, 2n], '[1,2]'],
  ['a map', map(primitive('int32'), primitive('double')), new Map([[5, 1.5]]), '{"5":1.5}'],
  ['a map without a schema', null, { a: { b: [1n, null, true] } }, '{"a":{"b":[1,null,true]}}'],
  ['a tombstone', null, null, 'null'],
]

test.each(cases)('%s is written as JSON', (_, schema, value, expected) => {
  expect(jsonText(schema, value)).toBe(expected)
})

test('a struct is written as an object in the order of its fields', () => {
  const schema = struct({ b: primitive('int32'), a: struct({ c: primitive('string', { optional: true }) }) })
  expect(jsonText(schema, { a: {}, b: 1 })).toBe('{"b":1,"a":{"c":null}}')
})

test('a field may have any name, including those of inherited properties', () => {
  expect(jsonText(null, { unscaled: 1, scale: 2 })).toBe('{"unscaled":1,"scale":2}')
  const schema = struct({ constructor: primitive('string', { optional: true }) })
  expect(jsonText(schema, {})).toBe('{"constructor":null}')
})

test('a double of any size is written as a floating-point number, with or without a schema', () => {
  const double = primitive('double')
  for (const [value, text] of [
    [1, '1.0'],
    [-0, '-0.0'],
    [1e30, '1.0E30'],
    [1e-7, '1.0E-7'],
    [0.25, '0.25'],
  ] as const) {
    expect(jsonText(double, value)).toBe(text)
    if (!Number.isInteger(value)) expect(jsonText(null, value)).toBe(text)
  }
  expect(jsonText(primitive('int32'), 1)).toBe('1')
  expect(jsonText(null, 1)).toBe('1')
})

test('a float is written with the digits of a float, not with those of a double', () => {
  expect(jsonText(primitive('float'), Math.fround(0.1))).toBe('0.1')
  expect(jsonText(primitive('float'), 5)).toBe('5.0')
})

test('any value is written as one line of JSON that parses to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const line = jsonText(null, value)
      expect(line).not.toMatch(/[\n\r]/)
      // JSON.stringify writes -0 as 0, so the value is compared after a round trip.
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})
