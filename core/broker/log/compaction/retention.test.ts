import { expect, test } from 'vitest'
import { configOf } from '../test-support/logs.ts'
import { expiredSegments } from './retention.ts'

const segment = (endOffset: number, size: number, latestTimestamp: number) => ({ endOffset, size, latestTimestamp })
const state = { now: 1000, highWatermark: 30, logStartOffset: 0 }

test('replicated segments expire by age, by size, and if they are below the log start, the oldest first', () => {
  const three = [segment(10, 100, 100), segment(20, 100, 900), segment(30, 100, 950)]
  const expired = (o: Parameters<typeof configOf>[0], s = {}) => expiredSegments(three, configOf(o), { ...state, ...s })
  expect(expired({ retentionMs: 899 })).toBe(1)
  expect(expired({ retentionMs: 900 })).toBe(0)
  expect(expired({ retentionMs: 10 })).toBe(3)
  expect(expired({ retentionMs: 10 }, { highWatermark: 25 })).toBe(2)
  expect(expired({ retentionMs: -1, retentionBytes: 200 })).toBe(1)
  expect(expired({ retentionMs: -1, retentionBytes: 201 })).toBe(0)
  expect(expired({ retentionMs: -1, retentionBytes: 0 })).toBe(3)
  expect(expired({ retentionMs: 10, retentionBytes: 0, cleanupPolicy: ['compact'] })).toBe(0)
  expect(expired({ cleanupPolicy: ['compact'] }, { logStartOffset: 20 })).toBe(2)
  expect(expired({ cleanupPolicy: ['compact'] }, { logStartOffset: 30 })).toBe(2)
})

test('an empty last segment never expires', () => {
  expect(expiredSegments([segment(0, 0, 0)], configOf({ retentionMs: 1 }), state)).toBe(0)
})
