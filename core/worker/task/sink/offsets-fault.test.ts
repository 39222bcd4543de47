import { expect, test } from 'vitest'
import { offsetsFault } from './offsets-fault.ts'

const at = (offset: unknown) => [{ topic: 't', partition: 0, offset }]

test('a valid list of offsets has no fault', () => {
  expect(offsetsFault([])).toBeNull()
  expect(offsetsFault(at(0))).toBeNull()
})

test.each([
  [undefined, 'undefined'],
  [null, 'null'],
  ['x', 'a string'],
  [new Map(), 'a Map'],
  [[3], 'a list with a number at index 0'],
  [[{ offset: 1 }], 'a list without a topic and a partition at index 0'],
  [at(-1), 'a list in which the offset of t-0 is -1'],
  [at(Number.NaN), 'a list in which the offset of t-0 is NaN'],
  [at(1n), 'a list in which the offset of t-0 is a bigint'],
  [at('2'), 'a list in which the offset of t-0 is a string'],
])('%o is rejected as a list of offsets', (returned, fault) => {
  expect(offsetsFault(returned)).toBe(fault)
})
