import fc from 'fast-check'
import { Decimal, millisOf } from 'millrace/connect'
import { parseSettings } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { postgresConfig } from '../config.ts'
import { parseOptions } from '../options.ts'
import { arrayDecoder } from './arrays.ts'
import { utf8 } from './codec.ts'
import { type ColumnType, codecFor, numericModifier } from './codec-for.ts'
import { parseHstore } from './extensions.ts'

const parsed = (props: Record<string, string>) => parseOptions(parseSettings(postgresConfig, props), props)
const options = (more: Record<string, string> = {}) =>
  parsed({ 'topic.prefix': 't', 'database.hostname': 'h', 'database.user': 'u', 'database.dbname': 'd', ...more })
    .values

const type = (name: string, typmod = -1): ColumnType => ({
  oid: 1,
  name,
  builtin: true,
  labels: null,
  element: null,
  typmod,
  domain: false,
  delimiter: ',',
})

function decode(name: string, text: string, more: Record<string, string> = {}, typmod = -1): unknown {
  // surrounds the text with other bytes, as in a message
  const bytes = Buffer.from(`xx${text}yy`)
  return codecFor(type(name, typmod), options(more))!.decode(bytes, 2, bytes.length - 2)
}

test('with time.precision.mode=connect, dates beyond the range of JavaScript’s Date are exact', () => {
  const connect = { 'time.precision.mode': 'connect' }
  const number = (type: string, text: string) => millisOf(decode(type, text, connect) as Date)
  expect(number('date', 'infinity')).toBe(2_147_483_647n * 86_400_000n)
  expect(number('date', '5874897-12-31')).toBe(185_331_706_992_000_000n)
  expect(number('timestamp', '-infinity')).toBe(-9_223_372_036_832_400_000n)
  expect(number('timestamp', '294276-12-31 23:59:59.999999')).toBe(9_224_318_015_999_999n)
})

test('an unchanged TOASTed value has the placeholder of its schema, never null', () => {
  const element = (name: string, domain = false): ColumnType => ({ ...type(name), domain })
  const arrayOf = (e: ColumnType): ColumnType => ({ ...type(`_${e.name}`), element: e })
  const unavailable = (t: ColumnType, more: Record<string, string> = {}) =>
    codecFor(t, options({ 'unavailable.value.placeholder': 'ab', ...more }))!.unavailable
  expect(unavailable(type('text'))).toBe('ab')
  expect(unavailable(arrayOf(element('text')))).toEqual(['ab'])
  expect(unavailable(arrayOf(element('int2')))).toEqual([97, 98])
  expect(unavailable(arrayOf(element('float8')))).toEqual([97, 98])
  expect(unavailable(arrayOf(element('timestamp')))).toEqual([97, 98])
  expect(unavailable(arrayOf(element('timestamp')), { 'time.precision.mode': 'connect' })).toEqual([
    new Date(97),
    new Date(98),
  ])
  expect(unavailable(arrayOf(element('bytea')), { 'binary.handling.mode': 'base64' })).toEqual(['YWI='])
  expect(unavailable(arrayOf(element('uuid')))).toEqual(['187ef443-6122-31cc-af40-dc2b92f0eba0'])
  expect(unavailable(type('numeric'))).toEqual({ scale: 0, value: Buffer.from('ab') })
  expect(unavailable(type('polygon'))).toEqual({ wkb: Buffer.from('ab'), srid: null, extensions: null })
  expect(unavailable({ ...type('mood'), builtin: false, labels: ['sad'] })).toBe('ab')
})

describe('numbers', () => {
  test('every int8 is decoded exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), n => {
        expect(BigInt(decode('int8', String(n)) as number | bigint)).toBe(n)
      }),
    )
    expect(typeof decode('int8', '9007199254740991')).toBe('number')
    expect(typeof decode('int8', '9007199254740993')).toBe('bigint')
  })

  test('numeric keeps every digit', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
        fc.integer({ min: 0, max: 20 }),
        (unscaled, scale) => {
          const d = new Decimal(unscaled, scale)
          const typmod = ((60 << 16) | scale) + 4
          expect(String(decode('numeric', d.toString(), {}, typmod))).toBe(d.toString())
          const v = decode('numeric', d.toString()) as { scale: number; value: Buffer }
          expect(Decimal.fromBuffer(v.value, v.scale).toNumber()).toBe(d.toNumber())
        },
      ),
    )
  })

  test('numericModifier returns a negative scale', () => {
    expect(numericModifier(((3 << 16) | (2046 & 0x7ff)) + 4)).toEqual({ precision: 3, scale: -2 })
  })

  test('money is rounded half up to the configured digits', () => {
    expect(String(decode('money', '-$1,234.56'))).toBe('-1234.56')
    expect(String(decode('money', '-$1,234.55', { 'money.fraction.digits': '1' }))).toBe('-1234.6')
  })

  test('NaN and infinity are errors with decimal.handling.mode=precise', () => {
    expect(() => decode('numeric', 'NaN')).toThrow(/decimal\.handling\.mode/)
    expect(decode('numeric', 'NaN', { 'decimal.handling.mode': 'double' })).toBeNaN()
    expect(decode('numeric', '-Infinity', { 'decimal.handling.mode': 'string' })).toBe('NEGATIVE_INFINITY')
  })
})

describe('times', () => {
  test('dates are those of the proleptic Gregorian calendar', () => {
    fc.assert(
      fc.property(fc.integer({ min: -700_000, max: 2_900_000 }), days => {
        const [, sign, year, rest] = /^([+-]?)(\d+)(-\d\d-\d\d)T/.exec(new Date(days * 86_400_000).toISOString())!
        const y = Number(`${sign}${year}`)
        const text = y > 0 ? `${String(y).padStart(4, '0')}${rest}` : `${String(1 - y).padStart(4, '0')}${rest} BC`
        expect(decode('date', text)).toBe(days)
      }),
    )
  })

  test('timestamps keep their microseconds, before 1970 too', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 15), max: 10 ** 15 }), us => {
        const ms = Math.floor(us / 1000)
        const text = new Date(ms)
          .toISOString()
          .replace('T', ' ')
          .replace('Z', String(us - ms * 1000).padStart(3, '0'))
        expect(decode('timestamp', text)).toBe(us)
      }),
    )
  })

  test('a time with a zone is converted to UTC', () => {
    expect(decode('timetz', '00:30:00+02')).toBe('22:30:00Z')
    expect(decode('timetz', '23:00:00.5-03:30')).toBe('02:30:00.5Z')
    expect(decode('timetz', '24:00:00+00')).toBe('24:00:00Z')
  })

  test('an interval with too many microseconds becomes the largest or smallest int64', () => {
    expect(decode('interval', 'P1Y2M3DT4H5M6.789S')).toBe(37091106789000)
    expect(decode('interval', 'P178000000Y')).toBe(2n ** 63n - 1n)
    expect(decode('interval', '-infinity')).toBe(-(2n ** 63n))
    expect(decode('interval', 'infinity', { 'interval.handling.mode': 'string' })).toBe('infinity')
    expect(decode('interval', 'PT2147483648H')).toBe(7730941132800000000n)
  })
})

describe('arrays', () => {
  const quote = (s: string) => `"${s.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`

  test('quoted elements of an array are decoded, and NULL becomes null', () => {
    const element = fc.option(
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('NULL', 'null', '', 'a b', '{', ',', '\\', '"')),
    )
    fc.assert(
      fc.property(fc.array(element), list => {
        const text = `{${list.map(e => (e === null ? 'NULL' : quote(e))).join(',')}}`
        const bytes = Buffer.from(text)
        expect(arrayDecoder(utf8)(bytes, 0, bytes.length)).toEqual(list)
      }),
    )
  })

  test('bounds in the text of an array are skipped, and all dimensions are flattened', () => {
    const ints = arrayDecoder((b, s, e) => Number(b.toString('latin1', s, e)))
    const run = (text: string) => ints(Buffer.from(text), 0, text.length)
    expect(run('[0:2]={1,2,3}')).toEqual([1, 2, 3])
    expect(run('{}')).toEqual([])
    expect(run('{{1,NULL},{3,4}}')).toEqual([1, null, 3, 4])
    expect(run('[0:0][1:1][5:6]={{{5,6}}}')).toEqual([5, 6])
  })

  test('an array element that the schema cannot represent becomes null, and the other elements are kept', () => {
    const numbers: ColumnType = { ...type('_numeric'), element: type('numeric') }
    const bytes = Buffer.from('{1,NaN}')
    const run = () => codecFor(numbers, options())!.decode(bytes, 0, bytes.length)
    const nearest = [{ scale: 0, value: Buffer.from([1]) }, null]
    expect(run).toThrow(expect.objectContaining({ nearest, always: true }))
  })
})

test('hstore pairs keep quotes, backslashes and nulls', () => {
  expect([...parseHstore('"a"=>"1", "b"=>NULL, "c \\"d\\\\"=>"x, \\"y\\"=>", "NULL"=>"NULL"')]).toEqual([
    ['a', '1'],
    ['b', null],
    ['c "d\\', 'x, "y"=>'],
    ['NULL', 'NULL'],
  ])
})

test('bit strings become little-endian bytes without trailing zeros', () => {
  expect(decode('bit', '10110', {}, 5)).toEqual(Buffer.from([0x16]))
  expect(decode('bit', '1', {}, 1)).toBe(true)
  expect(decode('varbit', '1000000000', {}, 20)).toEqual(Buffer.from([0, 2]))
})

test('a pgvector vector becomes a list of numbers, and a sparse vector a map with its dimensions', () => {
  const vector = codecFor({ ...type('vector'), builtin: false }, options())!
  expect(vector.decode(Buffer.from('[1,2.5,-3]'), 0, 10)).toEqual([1, 2.5, -3])
  const sparse = codecFor({ ...type('sparsevec'), builtin: false }, options())!
  expect(sparse.decode(Buffer.from('{1:0.5,3:2}/5'), 0, 13)).toEqual({
    dimensions: 5,
    vector: new Map([
      [1, 0.5],
      [3, 2],
    ]),
  })
})

test('a type without a mapping is excluded, or represented as the bytes of its text', () => {
  expect(codecFor(type('tsquery'), options())).toBeNull()
  expect(decode('tsquery', "'a'", { 'include.unknown.datatypes': 'true' })).toEqual(Buffer.from("'a'"))
})
