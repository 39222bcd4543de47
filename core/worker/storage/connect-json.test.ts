import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Double } from '../../connect/java-numbers.ts'
import { canonicalJson, parseJson, renderJson } from './connect-json.ts'

test('integers beyond 2^53 are parsed and rendered without losing digits', () => {
  const text = '{"lsn":9223372036854775807,"neg":-9007199254740993,"f":1.5}'
  expect(parseJson(text)).toEqual({ lsn: 9223372036854775807n, neg: -9007199254740993n, f: 1.5 })
  expect(renderJson(parseJson(text))).toBe(text)
})

test('a double without a fraction is parsed and rendered as a double', () => {
  const text = '{"a":1.0,"b":1.0E30,"c":0.0,"d":-5.0,"e":1}'
  expect(parseJson(text)).toMatchObject({ a: new Double(1), b: new Double(1e30), e: 1 })
  expect(renderJson(parseJson(text))).toBe(text)
  expect(canonicalJson(parseJson('[1.0]'))).not.toBe(canonicalJson(parseJson('[1]')))
})

test('NaN and Infinity are rendered as strings, as in JsonConverter', () => {
  expect(renderJson([Number.NaN, Number.POSITIVE_INFINITY])).toBe('["NaN","Infinity"]')
})

test('strings are rendered with the same escapes as in Jackson', () => {
  expect(renderJson({ a: 'é日😀\u001f\n"\\' })).toBe('{"a":"é日\\uD83D\\uDE00\\u001F\\n\\"\\\\"}')
})

test('a string that contains an escape sequence as text is rendered and parsed without change', () => {
  expect(renderJson('\\u001f')).toBe('"\\\\u001f"')
  expect(parseJson(renderJson('\\u001f'))).toBe('\\u001f')
})

test('canonical JSON does not depend on the order of keys', () => {
  expect(canonicalJson({ b: 1, a: [{ d: null, c: 2n }] })).toBe(canonicalJson({ a: [{ c: 2n, d: null }], b: 1 }))
  expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ a: '1' }))
})

test('rendered JSON is parsed back to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      expect(renderJson(parseJson(renderJson(value)))).toBe(renderJson(value))
      expect(JSON.parse(renderJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})
