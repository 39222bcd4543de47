import { expect, test } from 'vitest'
import { Windowed } from './windowed.ts'

test('average, maximum and rate include the recent samples only', () => {
  const w = new Windowed({ windowMs: 1000, samples: 2 })
  expect(w.average(0)).toBeNaN()
  expect(w.maximum(0)).toBeNaN()
  expect(w.rate(0)).toBe(0)
  w.record(10, 0)
  w.record(30, 500)
  expect(w.average(500)).toBe(20)
  expect(w.maximum(500)).toBe(30)
  // As in Kafka, the missing sample counts as an empty window, so the rate is 40 in 1.5 s.
  expect(w.rate(500)).toBeCloseTo(40 / 1.5)
  w.record(2, 1000)
  expect(w.average(1999)).toBe(14)
  expect(w.rate(1999)).toBeCloseTo(42 / 1.999)
  w.record(4, 2000)
  expect(w.average(2000)).toBe(3)
  expect(w.maximum(2000)).toBe(4)
})

test('old samples are no longer included', () => {
  const w = new Windowed({ windowMs: 1000, samples: 2 })
  w.record(10, 0)
  expect(w.maximum(1999)).toBe(10)
  expect(w.maximum(2000)).toBeNaN()
  expect(w.rate(2000)).toBe(0)
})
