import { expect, test } from 'vitest'
import { double } from '../../../connect/java-numbers.ts'
import type { SourceOffset } from '../../../connect/record.ts'
import { positionFault } from './json-fault.ts'

const faultOf = (sourceOffset: unknown) => positionFault({ sourceOffset: sourceOffset as SourceOffset })
const cyclic: Record<string, unknown> = {}
cyclic['self'] = cyclic

test('JSON values, int64 values, doubles and undefined fields can be stored', () => {
  expect(positionFault({})).toBeNull()
  expect(positionFault({ sourcePartition: null, sourceOffset: null })).toBeNull()
  const offset = { a: 1, b: 1n, c: double(1), d: [true, null, { e: 'x' }], f: undefined }
  expect(faultOf(offset)).toBeNull()
  expect(faultOf(Object.assign(Object.create(null), { a: 1 }))).toBeNull()
})

test.each([
  ['abc', 'sourceOffset is a string, not an object'],
  [[1], 'sourceOffset is an Array, not an object'],
  [new Map(), 'sourceOffset is a Map, which JSON cannot represent'],
  [{ at: new Date(0) }, 'sourceOffset.at is a Date, which JSON cannot represent'],
  [{ n: { f: () => 1 } }, 'sourceOffset.n.f is a function, which JSON cannot represent'],
  [{ n: [1, Number.NaN] }, 'sourceOffset.n.1 is NaN, which JSON cannot represent'],
  [{ s: Symbol('x') }, 'sourceOffset.s is a symbol, which JSON cannot represent'],
  [cyclic, 'sourcePartition or sourceOffset contains itself, or has more than 100 levels'],
])('the source offset %o cannot be stored', (offset, fault) => {
  expect(faultOf(offset)).toBe(fault)
})

test('a source partition that is not an object cannot be stored', () => {
  expect(positionFault({ sourcePartition: 5 as never, sourceOffset: { n: 1 } })).toBe(
    'sourcePartition is a number, not an object',
  )
})
