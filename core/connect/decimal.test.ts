import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Decimal } from './decimal.ts'

test('a decimal is encoded as the shortest two’s complement, big endian, like Java’s BigInteger', () => {
  for (const [text, hex] of [
    ['0', '00'],
    ['127', '7f'],
    ['128', '0080'],
    ['-128', '80'],
    ['-129', 'ff7f'],
    ['12.34', '04d2'],
    ['-1', 'ff'],
  ] as const) {
    expect(Decimal.parse(text).toBuffer().toString('hex')).toBe(hex)
  }
})

test('bytes and text of the same number are decoded to equal decimals', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
      fc.integer({ min: 0, max: 30 }),
      (unscaled, scale) => {
        const d = new Decimal(unscaled, scale)
        expect(Decimal.fromBuffer(d.toBuffer(), scale)).toEqual(d)
        expect(Decimal.parse(d.toString())).toEqual(d)
      },
    ),
  )
})

test('a change of the scale that would lose digits is rejected', () => {
  expect(Decimal.parse('1.50').withScale(1).toString()).toBe('1.5')
  expect(Decimal.parse('1.5', 4).toString()).toBe('1.5000')
  expect(() => Decimal.parse('1.55', 1)).toThrow(/without rounding/)
  expect(Decimal.parse('1.2e3').toString()).toBe('1200')
  expect(Decimal.parse('5e-3').toString()).toBe('0.005')
})

test('text that is not a number is rejected', () => {
  for (const text of ['', '.', '-', '1.2.3', 'NaN', '1e', '0x1']) expect(() => Decimal.parse(text)).toThrow(SyntaxError)
})

test('a decimal with a huge exponent takes little memory, and is printed and rescaled fast', () => {
  for (const [text, number] of [
    ['1e300000000', Number.POSITIVE_INFINITY],
    ['-1e-300000000', -0],
  ] as const) {
    const value = Decimal.parse(text)
    expect(value.toNumber()).toBe(number)
    expect(value.toString().length).toBeLessThan(20)
    expect(() => value.withScale(2)).toThrow(RangeError)
  }
  expect(Decimal.parse('123.45').toNumber()).toBe(123.45)
  expect(Decimal.parse('1e23').toNumber()).toBe(1e23)
})
