import fc from 'fast-check'
import { Double } from 'millrace/connect'
import { parseExactJson } from 'millrace/connect/java'
import { describe, expect, test } from 'vitest'
import { NumberText, parseJson } from './parse.ts'

const parse = (text: string, precision: Parameters<typeof parseJson>[1] = 'schemaless') =>
  parseJson(Buffer.from(text), precision)

test.each([
  ['1.0', new Double(1)],
  ['-5.00', new Double(-5)],
  ['0.0', new Double(0)],
  ['-0.0', new Double(0)],
  ['-0', 0],
  ['1e3', new Double(1000)],
  ['1E-3', 0.001],
  ['1.5', 1.5],
  ['1.50e1', new Double(15)],
  ['12345678901234567890', 12345678901234567890n],
  ['9007199254740993', 9007199254740993n],
  ['9007199254740991', 9007199254740991],
  ['-9007199254740993', -9007199254740993n],
  ['9007199254740993.0', new Double(9007199254740992)],
  ['123456789012345.9999', new Double(123456789012346)],
  ['1.00000000000000000001', new Double(1)],
  ['9007199254740992.5', new Double(9007199254740992)],
  ['1e400', Number.POSITIVE_INFINITY],
  ['007', 7],
  ['-01.50', -1.5],
])('without a schema %s keeps its type at any position', (text, value) => {
  const same = (got: unknown) => {
    expect(got).toStrictEqual(value)
    expect(Object.is(Number(got), Number(value))).toBe(true)
  }
  same(parse(text))
  same((parse(`{"a":${text}}`) as { a: unknown }).a)
  same((parse(`{ "a" : ${text} }`) as { a: unknown }).a)
  same((parse(`["x",\n${text}]`) as unknown[])[1])
  same((parse(`[[${text},1]]`) as unknown[][])[0]![0])
})

test('strings that look like numbers stay strings', () => {
  const text = '{"a":"1.0","b":"x: 1e5, 1.0","c":"10.0.0.1","d":"550e8400-e29b","e":"12345678901234567890","1.0":"#-9"}'
  expect(parse(text)).toStrictEqual(JSON.parse(text))
})

test('with the precision `text`, every number keeps all digits', () => {
  expect(parse('[1.10,2,"3"]', 'text')).toStrictEqual([new NumberText('1.10'), new NumberText('2'), '3'])
})

test('a part of a buffer is parsed like a complete buffer', () => {
  const bytes = Buffer.from('1.0{"a":2}5.0')
  expect(parseJson(bytes, 'schemaless', 3, 10)).toEqual({ a: 2 })
  expect(parseJson(Buffer.from('91.0,'), 'schemaless', 1, 4)).toEqual(new Double(1))
})

const likeJsonParse = (text: string) => parseExactJson(text, Number)

describe('the exact parser', () => {
  const json = fc.json({ maxDepth: 4 })

  test('parseExactJson accepts everything that JSON.parse accepts', () => {
    fc.assert(
      fc.property(json, text => {
        expect(likeJsonParse(text)).toStrictEqual(JSON.parse(text))
      }),
      { numRuns: 2000 },
    )
  })

  test('parseExactJson rejects everything that JSON.parse rejects, except leading zeros', () => {
    const strange = fc.constantFrom(
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '.',
      'e',
      '-',
      '+',
      '0',
      ' ',
      '\u0001',
      'n',
      'é',
    )
    fc.assert(
      fc.property(json, fc.nat(), strange, (text, at, character) => {
        const i = at % (text.length + 1)
        const changed = text.slice(0, i) + character + text.slice(i + (at % 2))
        let valid = true
        try {
          JSON.parse(changed)
        } catch {
          valid = /(^|[^\d.eE+-])-?0\d/.test(changed)
          if (valid) return
        }
        if (valid) expect(likeJsonParse(changed)).toStrictEqual(JSON.parse(changed))
        else expect(() => likeJsonParse(changed), changed).toThrow(SyntaxError)
      }),
      { numRuns: 5000 },
    )
  })

  test('parseExactJson keeps a field named __proto__', () => {
    const value = parseExactJson('{"__proto__":{"x":1.0},"a":[{"__proto__":null}]}')
    expect(JSON.stringify(value)).toBe('{"__proto__":{"x":1.0},"a":[{"__proto__":null}]}')
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  test('parseExactJson rejects a number of more than 1000 characters, as Connect does', () => {
    for (const number of ['1'.repeat(1001), `0.${'1'.repeat(1000)}`, `-${'9'.repeat(1_000_000)}`]) {
      expect(() => parse(`{"a":${number}}`)).toThrow(/more than 1000 characters/)
    }
    expect(parse('1'.repeat(1000))).toBe(BigInt('1'.repeat(1000)))
  })

  test('parseExactJson rejects deeply nested JSON', () => {
    expect(() => parseExactJson('['.repeat(100_000))).toThrow(/nested more than/)
  })
})
