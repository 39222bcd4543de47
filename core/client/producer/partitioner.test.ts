import fc from 'fast-check'
import { expect, test } from 'vitest'
import { partitionOfKey, StickyPartition } from './partitioner.ts'

// These murmur2 hashes come from Kafka's UtilsTest.
test.for([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
] as const)('the key %s goes to the same partition as with Java', ([key, hash]) => {
  for (const n of [1, 7, 50]) expect(partitionOfKey(Buffer.from(key), n)).toBe((hash & 0x7fffffff) % n)
})

test('records without a key go to one partition until a batch is full, then to another partition', () => {
  const sticky = new StickyPartition(100, () => 0.99)
  expect(sticky.pick(4, () => true)).toBe(3)
  sticky.added(60, false)
  expect(sticky.pick(4, () => true)).toBe(3)
  sticky.added(10, true)
  expect(sticky.current).toBe(-1)
  sticky.pick(4, () => true)
  sticky.added(100, false)
  expect(sticky.current).toBe(-1)
})

test('a partition without a leader is skipped while another partition has a leader', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (leaders, r) => {
        const p = new StickyPartition(1, () => r).pick(leaders.length, n => leaders[n]!)
        expect(p).toBeGreaterThanOrEqual(0)
        expect(p).toBeLessThan(leaders.length)
        if (leaders.includes(true)) expect(leaders[p]).toBe(true)
      },
    ),
  )
})
