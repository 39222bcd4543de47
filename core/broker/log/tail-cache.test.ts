import { expect, test } from 'vitest'
import { detached, PartitionTail, TailCache } from './tail-cache.ts'

const bytes = (n: number) => Buffer.allocUnsafeSlow(n)

test('a tail holds the most recent appends, without a gap, and finds the one with an offset', () => {
  const tail = new PartitionTail(new TailCache(1 << 20, 100))
  for (let i = 0; i < 200; i++) tail.push(bytes(10), i * 5, i * 5 + 4)
  expect(tail.firstOffset).toBe(950)
  expect(tail.find(949)).toBe(-1)
  expect(tail.find(1000)).toBe(-1)
  expect(tail.chunk(tail.find(953))?.baseOffset).toBe(950)
  expect(tail.chunk(tail.find(999))?.baseOffset).toBe(995)
  expect([tail.bytesFrom(950), tail.bytesFrom(996), tail.bytesFrom(0)]).toEqual([100, 10, -1])
})

test('all tails together hold no more than the limit: the oldest append goes first, whosever it is', () => {
  const cache = new TailCache(100, 100)
  const [a, b] = [new PartitionTail(cache), new PartitionTail(cache)]
  for (let i = 0; i < 5; i++) a.push(bytes(10), i, i)
  for (let i = 0; i < 8; i++) b.push(bytes(10), i, i)
  expect(cache.used).toBe(100)
  expect([a.firstOffset, b.firstOffset]).toEqual([3, 0])
  a.clear()
  expect(cache.used).toBe(80)
  b.evictBelow(6)
  expect([cache.used, b.firstOffset]).toEqual([20, 6])
  b.clear()
  expect(cache.used).toBe(0)
})

test('slices of one buffer count it once, as long as any of them is held', () => {
  const cache = new TailCache(1 << 20, 1 << 20)
  const tail = new PartitionTail(cache)
  const frame = bytes(12_000)
  for (let i = 0; i < 3; i++) tail.push(frame.subarray(i * 4000, i * 4000 + 4000), i, i)
  expect(cache.used).toBe(12_000)
  tail.evictFirst()
  tail.evictFirst()
  expect(cache.used).toBe(12_000)
  tail.evictFirst()
  expect(cache.used).toBe(0)
})

test('a small part of a large buffer is copied, so that it does not hold all of it', () => {
  const large = bytes(1 << 20)
  expect(detached(large.subarray(0, 1000)).buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize)
  expect(detached(large.subarray(0, 1 << 19)).buffer).toBe(large.buffer)
})

test('with a size of 0 nothing is kept', () => {
  const cache = new TailCache(0)
  const tail = new PartitionTail(cache)
  tail.push(bytes(10), 0, 0)
  expect([cache.used, tail.firstOffset, tail.find(0)]).toEqual([0, -1, -1])
})
