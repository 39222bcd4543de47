import { expect, test } from 'vitest'
import { isoTime, timerMs } from './timer.ts'

const LONG_MAX = 2 ** 63

test('a timer never gets what it would take for "at once"', () => {
  expect([0, -5, 0.2, 7.1, 2 ** 31, LONG_MAX, Number.POSITIVE_INFINITY].map(timerMs)).toEqual([
    1,
    1,
    1,
    8,
    2 ** 31 - 1,
    2 ** 31 - 1,
    2 ** 31 - 1,
  ])
})

test('what is beyond all dates has no text', () => {
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z')
  for (const none of [LONG_MAX, Number.NaN, Number.NEGATIVE_INFINITY, null]) expect(isoTime(none)).toBeNull()
})
