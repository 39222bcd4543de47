import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyDate, FarDate, millisOf } from './far-date.ts'
import { civil, epochDay, isoDate, isoTime } from './iso-time.ts'

test('a number of days is converted to a date and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -3_000_000, max: 3_000_000 }), days => {
      const { year, month, day } = civil(days)
      expect(epochDay(year, month, day)).toBe(days)
      expect(new Date(days * 86_400_000).toISOString()).toContain(isoDate(days).replace(/^[+-]/, ''))
    }),
  )
})

test('dates and times are printed as java.time prints them', () => {
  expect([isoDate(-735160), isoDate(3789391), isoTime(45296100000), isoTime(0, 3)]).toEqual([
    '-0043-03-15',
    '+12345-01-01',
    '12:34:56.1',
    '00:00:00.000',
  ])
})

test('a date beyond the range of Date keeps its milliseconds and its ISO text', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), ms => {
      expect(BigInt(millisOf(anyDate(ms)))).toBe(ms)
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), ms => {
      expect(new FarDate(BigInt(ms)).toISOString().slice(-20)).toBe(new Date(ms).toISOString().slice(-20))
    }),
  )
  expect(anyDate(8.64e15)).toEqual(new Date(8.64e15))
  const last = anyDate(9_224_318_015_999_999n)
  expect([last instanceof Date, last.toISOString(), JSON.stringify(last)]).toEqual([
    true,
    '+294276-12-31T23:59:59.999Z',
    '"+294276-12-31T23:59:59.999Z"',
  ])
})
