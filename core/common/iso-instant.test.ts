import { expect, test } from 'vitest'
import { isoInstant } from './iso-instant.ts'

test('a time that no Date can hold has no text', () => {
  expect(isoInstant(0)).toBe('1970-01-01T00:00:00.000Z')
  for (const none of [2 ** 63, Number.NaN, Number.NEGATIVE_INFINITY, null]) expect(isoInstant(none)).toBeNull()
})
