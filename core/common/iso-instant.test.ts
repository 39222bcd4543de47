import { expect, test } from 'vitest'
import { isoInstant } from './iso-instant.ts'

test('isoInstant returns null for a time that a Date cannot hold', () => {
  expect(isoInstant(0)).toBe('1970-01-01T00:00:00.000Z')
  for (const none of [2 ** 63, Number.NaN, Number.NEGATIVE_INFINITY, null]) expect(isoInstant(none)).toBeNull()
})
