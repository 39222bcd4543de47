import { expect, test } from 'vitest'
import { Double, double, Float, FloatingNumber } from './java-numbers.ts'
import { getField, setField } from './own.ts'
import type { Struct } from './schema.ts'

test('double() returns a Double only if a plain number would look like an integer', () => {
  for (const plain of [0.5, -1.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(double(plain)).toBe(plain)
  for (const whole of [0, -0, 1, 1e30, -(2 ** 53)]) {
    expect(double(whole)).toBeInstanceOf(Double)
    expect(Object.is((double(whole) as Double).value, whole)).toBe(true)
  }
})

test('a Double works in arithmetic and comparisons, and prints as in Java', () => {
  const two = new Double(2) as unknown as number
  expect([two + 1, two * 2, two < 3, two > 3, Math.max(two, 1), Number(two)]).toEqual([3, 4, true, false, 2, 2])
  expect(`${new Double(1e30)} ${new Float(0.1)} ${new Double(-0)} ${new Float(16_777_217)}`).toBe(
    '1.0E30 0.1 -0.0 1.6777216E7',
  )
  expect(new Float(0.1).value).toBe(Math.fround(0.1))
  expect(new Float(1)).toBeInstanceOf(FloatingNumber)
})

test('JSON.stringify writes a Double as Java does, and NaN and Infinity as text', () => {
  expect(JSON.stringify({ a: new Double(1), b: [new Float(0.1)], c: new Float(Number.NaN) })).toBe(
    '{"a":1.0,"b":[0.1],"c":"NaN"}',
  )
})

test('fields with the names of inherited properties are read and set like any other field', () => {
  const struct: Struct = {}
  for (const name of ['__proto__', 'constructor', 'toString', 'a']) {
    expect(getField(struct, name)).toBeUndefined()
    setField(struct, name, null)
    expect(getField(struct, name)).toBeNull()
    setField(struct, name, name)
    expect(getField(struct, name)).toBe(name)
  }
  expect(Object.keys(struct)).toEqual(['__proto__', 'constructor', 'toString', 'a'])
  expect(Object.getPrototypeOf(struct)).toBe(Object.prototype)
})
