import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BufferPool } from './buffer-pool.ts'

test('a returned buffer is reused for a request of a similar size', () => {
  const pool = new BufferPool()
  const first = pool.take(100_000)
  expect(first.length).toBe(100_000)
  pool.give(first.subarray(10, 20))
  const second = pool.take(110_000)
  expect([second.length, second.buffer === first.buffer]).toEqual([110_000, true])
  expect(pool.take(100_000).buffer).not.toBe(first.buffer)
})

test('a buffer that was not taken from the pool, or was already returned, is rejected', () => {
  const pool = new BufferPool()
  const taken = pool.take(5000)
  expect([pool.owns(taken.subarray(7)), pool.owns(Buffer.alloc(5000))]).toEqual([true, false])
  pool.give(taken)
  expect(pool.owns(taken)).toBe(false)
  expect(() => pool.give(taken)).toThrow('twice')
  expect(() => pool.give(Buffer.alloc(10))).toThrow('not taken')
})

test('a full pool first drops buffers of the size that was returned least recently', () => {
  const pool = new BufferPool({ maxIdleBytes: 100_000 })
  const small = [1, 2, 3].map(() => pool.take(16_384))
  const large = pool.take(65_536)
  for (const b of small) pool.give(b)
  pool.give(large)
  expect(pool.idleBytes).toBe(2 * 16_384 + 65_536)
  expect(pool.take(65_536).buffer).toBe(large.buffer)
  pool.give(pool.take(200_000))
  expect(pool.idleBytes).toBeLessThanOrEqual(100_000)
})

test('taken buffers never share memory, and exceed the requested size by at most a quarter or 2 KiB', () => {
  const steps = fc.array(fc.record({ size: fc.integer({ min: 0, max: 3e6 }), back: fc.nat({ max: 3 }) }), {
    maxLength: 100,
  })
  fc.assert(
    fc.property(steps, given => {
      const pool = new BufferPool({ maxIdleBytes: 4e6 })
      const out: Buffer[] = []
      for (const { size, back } of given) {
        const b = pool.take(size)
        expect(b.length).toBe(size)
        expect(out.some(o => o.buffer === b.buffer)).toBe(false)
        expect(b.buffer.byteLength).toBeLessThanOrEqual(Math.max(size * 1.25, size + 2048))
        out.push(b)
        for (const o of out.splice(0, back)) pool.give(o)
      }
    }),
  )
})
