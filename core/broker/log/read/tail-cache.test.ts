import { expect, test } from 'vitest'
import { BufferPool } from '../../../common/buffer-pool.ts'
import { PartitionTail, type Slab, TailCache } from './tail-cache.ts'

const bytes = (n: number) => Buffer.allocUnsafeSlow(n)

test('a partition tail contains the most recent appends, and finds the append that contains an offset', () => {
  const tail = new PartitionTail(new TailCache(1 << 20, 100))
  for (let i = 0; i < 200; i++) tail.push(bytes(10), i * 5, i * 5 + 4)
  expect(tail.firstOffset).toBe(950)
  expect(tail.find(949)).toBe(-1)
  expect(tail.find(1000)).toBe(-1)
  expect(tail.chunk(tail.find(953))?.baseOffset).toBe(950)
  expect(tail.chunk(tail.find(999))?.baseOffset).toBe(995)
  expect([tail.bytesFrom(950), tail.bytesFrom(996), tail.bytesFrom(0)]).toEqual([100, 10, -1])
})

test('all tails together stay within the limit of the cache, which evicts the oldest append of any partition', () => {
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

test('small appends share slabs, and a slab counts in full until its last append is evicted', () => {
  const cache = new TailCache(16 * 1000, 1 << 20)
  const tail = new PartitionTail(cache)
  for (let i = 0; i < 5; i++) tail.push(bytes(250), i, i)
  expect(cache.used).toBe(2000)
  for (let i = 0; i < 3; i++) tail.evictFirst()
  expect(cache.used).toBe(2000)
  tail.evictFirst()
  expect(cache.used).toBe(1000)
  tail.push(bytes(251), 5, 5)
  expect(cache.used).toBe(1251)
  tail.clear()
  expect(cache.used).toBe(0)
})

test('the cache keeps a copy of each append', () => {
  const tail = new PartitionTail(new TailCache())
  const given = Buffer.from('abc')
  tail.push(Buffer.from('xyz'), 0, 0)
  tail.push(given, 1, 1)
  given.fill(0)
  const { slab, at, length } = tail.chunk(tail.find(1))!
  expect(slab.memory.toString('latin1', at, at + length)).toBe('abc')
})

test('a slab is returned to the pool only after all its appends are evicted and all readers have released it', () => {
  const given: number[] = []
  const pool = new BufferPool({ onGive: memory => given.push(memory.length) })
  const cache = new TailCache(16 * 8192, 1 << 20, pool)
  const tail = new PartitionTail(cache)
  const slabOf = (offset: number): Slab => tail.chunk(tail.find(offset))!.slab
  for (let i = 0; i < 8; i++) tail.push(bytes(2048), i, i)
  const [first, second] = [slabOf(0), slabOf(4)]
  expect(second).not.toBe(first)
  cache.retain(first)
  cache.retain(first)
  cache.retain(second)
  cache.release(second)
  expect(given).toEqual([])
  tail.clear()
  expect([given.length, cache.used]).toEqual([1, 0])
  cache.release(first)
  expect(given.length).toBe(1)
  cache.release(first)
  expect(given.length).toBe(2)
})

test('a cache with a size of 0 caches nothing', () => {
  const cache = new TailCache(0)
  const tail = new PartitionTail(cache)
  tail.push(bytes(10), 0, 0)
  expect([cache.used, tail.firstOffset, tail.find(0)]).toEqual([0, -1, -1])
})
