import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Latencies } from './latencies.ts'

test('a quantile is not below the exact quantile, and at most 1/16 above it', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), times => {
      const latencies = new Latencies(0)
      for (const ms of times) latencies.record(ms, 0)
      const sorted = times.toSorted((a, b) => a - b)
      for (const fraction of [0.5, 0.95, 0.999]) {
        const exact = sorted[Math.ceil(times.length * fraction) - 1]!
        const [found] = latencies.quantiles([fraction], 0)
        expect(found).toBeGreaterThanOrEqual(Math.floor(exact * 1000) / 1000)
        expect(found).toBeLessThanOrEqual(exact * (1 + 1 / 16) + 0.001)
      }
    }),
  )
})

test('a recorded time expires from the quantiles after one to two minutes, but not from the count', () => {
  const latencies = new Latencies(0)
  latencies.record(5, 0)
  latencies.record(50, 60_000)
  expect(latencies.quantiles([1], 60_000)[0]).toBeCloseTo(50, -1)
  expect(latencies.quantiles([0.5], 60_000)[0]).toBeCloseTo(5, 0)
  expect(latencies.quantiles([0.5], 120_000)[0]).toBeCloseTo(50, -1)
  expect(latencies.quantiles([1], 180_000)).toEqual([0])
  latencies.record(7, 1_000_000)
  expect(latencies.quantiles([0.5], 1_000_000)[0]).toBeCloseTo(7, 0)
  expect(latencies.count).toBe(3)
})

test('times below and above the range of the buckets count in the first and the last bucket', () => {
  const latencies = new Latencies(0)
  for (const ms of [-1, 0, Number.MAX_VALUE]) latencies.record(ms, 0)
  expect(latencies.quantiles([0.1, 1], 0)).toEqual([0, (2 ** 32 - 1) / 1000])
})
