import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, parseJson, renderJson } from './connect-json.ts'

test('integers beyond 2^53 keep every digit', () => {
  const text = '{"lsn":9223372036854775807,"neg":-9007199254740993,"f":1.5,"e":1e3}'
  expect(parseJson(text)).toEqual({ lsn: 9223372036854775807n, neg: -9007199254740993n, f: 1.5, e: 1000 })
  expect(renderJson(parseJson(text))).toBe('{"lsn":9223372036854775807,"neg":-9007199254740993,"f":1.5,"e":1000}')
})

test('text is escaped as Jackson does: letters raw, beyond the BMP as two escapes, control characters in upper case', () => {
  expect(renderJson({ a: 'é日😀\u001f\n"\\' })).toBe('{"a":"é日\\uD83D\\uDE00\\u001F\\n\\"\\\\"}')
})

test('a backslash before something that looks like an escape stays what it is', () => {
  expect(renderJson('\\u001f')).toBe('"\\\\u001f"')
  expect(parseJson(renderJson('\\u001f'))).toBe('\\u001f')
})

test('canonical text does not depend on the order of keys', () => {
  expect(canonicalJson({ b: 1, a: [{ d: null, c: 2n }] })).toBe(canonicalJson({ a: [{ c: 2n, d: null }], b: 1 }))
  expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ a: '1' }))
})

test('what is rendered is read back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      expect(renderJson(parseJson(renderJson(value)))).toBe(renderJson(value))
      expect(JSON.parse(renderJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})
