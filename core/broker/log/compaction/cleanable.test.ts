import { expect, test } from 'vitest'
import { configOf } from '../test-support/logs.ts'
import { cleanablePart, groupSegments, isDue } from './cleanable.ts'

test('the part to compact excludes the last segment, records after the start of an open transaction, and young records', () => {
  const view = (baseOffset: number, size: number, latestTimestamp: number) => ({
    baseOffset,
    endOffset: baseOffset + 10,
    size,
    latestTimestamp,
    firstTimestamp: latestTimestamp - 5,
  })
  const segments = [view(0, 100, 100), view(10, 300, 200), view(20, 600, 900), view(30, 50, 990)]
  const s = { now: 1000, cleanedTo: 10, logStartOffset: 0, stableOffset: 40 }
  const config = configOf({ cleanupPolicy: ['compact'] })
  expect(cleanablePart(segments, config, s)).toEqual({ from: 10, to: 30, ratio: 0.9, isOverdue: false })
  expect(cleanablePart(segments, config, { ...s, stableOffset: 29 })).toMatchObject({ to: 20, ratio: 0.75 })
  expect(cleanablePart(segments, configOf({ minCompactionLagMs: 500 }), s)).toMatchObject({ to: 20 })
  expect(cleanablePart(segments, config, { ...s, cleanedTo: 30 })).toBeNull()
  expect(cleanablePart(segments, config, { ...s, cleanedTo: 99 })).toMatchObject({ from: 0 })
  expect(cleanablePart(segments, config, { ...s, cleanedTo: -1, logStartOffset: 5 })).toMatchObject({ from: 5 })
  const overdue = cleanablePart(segments, configOf({ maxCompactionLagMs: 800 }), { ...s, cleanedTo: 10 })!
  expect(overdue.isOverdue).toBe(true)
  const config99 = configOf({ minCleanableDirtyRatio: 0.99 })
  expect([isDue(overdue, config99), isDue({ ...overdue, isOverdue: false }, config99)]).toEqual([true, false])
  expect(groupSegments(segments, configOf({ segmentBytes: 650 }))).toEqual([
    [0, 1],
    [2, 3],
  ])
})
