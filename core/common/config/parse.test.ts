import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defineConfig } from './define.ts'
import { ConfigError, parseConfig, parseType, validateConfig } from './parse.ts'
import { HIDDEN, type Password } from './password.ts'
import { parseProperties } from './properties.ts'
import { all, listOf, nonEmpty, oneOf, range, regex } from './validators.ts'

const def = defineConfig({
  topic: { type: 'STRING', importance: 'HIGH', documentation: '', validator: nonEmpty },
  'tasks.max': { type: 'INT', default: 1, importance: 'HIGH', documentation: '', validator: range(1, 10) },
  password: { type: 'PASSWORD', default: null, importance: 'HIGH', documentation: '' },
  mode: { type: 'STRING', default: 'fast', importance: 'LOW', documentation: '', validator: oneOf(['fast', 'safe']) },
  fields: { type: 'LIST', default: '', importance: 'LOW', documentation: '', aliases: ['fields.whitelist'] },
  on: { type: 'BOOLEAN', default: false, importance: 'LOW', documentation: '' },
})

test('values are parsed to their types, with defaults and aliases', () => {
  const parsed = parseConfig(def, { topic: ' lines ', 'tasks.max': '3', 'fields.whitelist': 'a, b ,c', on: 'TRUE' })
  expect(parsed).toEqual({
    topic: 'lines',
    'tasks.max': 3,
    password: null,
    mode: 'fast',
    fields: ['a', 'b', 'c'],
    on: true,
  })
})

test("all errors are reported together, by key, with Kafka's messages", () => {
  const wrong = () => parseConfig(def, { 'tasks.max': 'x', mode: 'slow', on: 'yes' })
  expect(wrong).toThrow(ConfigError)
  try {
    wrong()
  } catch (error) {
    expect((error as ConfigError).errors).toEqual([
      { key: 'topic', message: 'Missing required configuration "topic" which has no default value.' },
      { key: 'tasks.max', message: 'Invalid value x for configuration tasks.max: Not a number of type INT' },
      { key: 'mode', message: 'Invalid value slow for configuration mode: String must be one of: fast, safe' },
      { key: 'on', message: 'Invalid value yes for configuration on: Expected value to be either true or false' },
    ])
  }
})

test('a password is hidden in values, errors, JSON, logs and inspection', () => {
  const secret = 's3cr3t'
  const strict = defineConfig({
    password: {
      type: 'PASSWORD',
      importance: 'HIGH',
      documentation: '',
      validator: { describe: 'none', check: () => 'Value is weak' },
    },
  })
  const [value] = validateConfig(strict, { password: secret })
  const parsed = parseConfig(def, { topic: 't', password: secret })
  for (const shown of [JSON.stringify(value), JSON.stringify(parsed), inspect(parsed), `${parsed.password}`]) {
    expect(shown).not.toContain(secret)
    expect(shown).toContain(HIDDEN)
  }
  expect(() => parseConfig(strict, { password: secret })).toThrow(
    /Invalid value \[hidden\] for configuration password: Value is weak/,
  )
  expect((parsed.password as Password).value).toBe(secret)
})

test('integers outside the range of their Java type are rejected', () => {
  for (const [type, limit] of [
    ['SHORT', 2 ** 15],
    ['INT', 2 ** 31],
  ] as const) {
    expect(parseType(type, String(limit - 1))).toBe(limit - 1)
    expect(parseType(type, String(-limit))).toBe(-limit)
    for (const text of [String(limit), String(-limit - 1), '1.5', '', '0x10', '1e3'])
      expect(() => parseType(type, text)).toThrow(`Not a number of type ${type}`)
  }
  expect(parseType('LONG', '9223372036854775807')).toBe(2 ** 63)
})

test('validation never throws', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom(...Object.keys(def), 'other'),
        fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null)),
      ),
      raw => {
        const values = validateConfig(def, raw)
        expect(values.map(v => v.name)).toEqual(Object.keys(def))
        const faults = values.some(v => v.errors.length > 0)
        if (faults) expect(() => parseConfig(def, raw)).toThrow(ConfigError)
        else parseConfig(def, raw)
      },
    ),
  )
})

test('validators accept valid values and reject invalid ones', () => {
  expect(range(0).check(-1, 'k')).toBe('Value must be at least 0')
  expect(range(0, 5).check(6, 'k')).toBe('Value must be no more than 5')
  expect(oneOf(['A'], { ignoreCase: true }).check('a', 'k')).toBeNull()
  expect(listOf(['a', 'b']).check(['a', 'c'], 'k')).toBe('c is not one of a, b')
  expect(regex.check('(', 'k')).toMatch(/^Invalid regex: Unclosed group/)
  expect(regex.check('(?i)abc.*', 'k')).toBeNull()
  expect(all(nonEmpty, oneOf(['x'])).check(' ', 'k')).toBe('String must be non-empty')
})

test('a Java properties file is parsed, with comments, separators, escapes and continued lines', () => {
  const text = '# a comment\n! another\na=1\nb : 2\nc 3\nlong = one,\\\n   two\nletter=\\u00e9\nempty=\npath=C:\\\\x\n'
  expect(parseProperties(text)).toEqual({
    a: '1',
    b: '2',
    c: '3',
    long: 'one,two',
    letter: 'é',
    empty: '',
    path: 'C:\\x',
  })
})
