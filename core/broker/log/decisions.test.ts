import { expect, test } from 'vitest'
import { cleanablePart, groupSegments, isDue } from './compaction/cleanable.ts'
import { expiredSegments } from './compaction/retention.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { parseLogFileName, parsePartitionDir, renamedPartitionDir } from './segment/log-files.ts'
import { configOf } from './test-support/logs.ts'

const segment = (endOffset: number, size: number, latestTimestamp: number) => ({ endOffset, size, latestTimestamp })
const state = { now: 1000, highWatermark: 30, logStartOffset: 0 }

test('segments expire by age, by size and below the log start, the oldest first, only when replicated', () => {
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

test('the dirty part ends before the last segment, before an open transaction and before young records', () => {
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

test('an epoch ends where the next one begins, also after the log was truncated at either end', () => {
  const epochs = new LeaderEpochs('unused', [])
  for (const [epoch, start] of [
    [0, 0],
    [2, 10],
    [2, 15],
    [5, 20],
  ] as const)
    epochs.assign(epoch, start)
  const end = (epoch: number) => epochs.endOffsetFor(epoch, 30)
  expect([end(0), end(1), end(2), end(4), end(5), end(6), end(-1)].map(e => [e.epoch, e.endOffset])).toEqual([
    [0, 10],
    [0, 10],
    [2, 20],
    [2, 20],
    [5, 30],
    [-1, -1],
    [-1, -1],
  ])
  epochs.truncateFromStart(12)
  expect(epochs.entries).toEqual([
    { epoch: 2, startOffset: 12 },
    { epoch: 5, startOffset: 20 },
  ])
  expect(end(0)).toEqual({ epoch: 0, endOffset: 12 })
  epochs.truncateFromEnd(20)
  expect(epochs.entries).toEqual([{ epoch: 2, startOffset: 12 }])
})

test('an epoch that begins exactly at the new log start replaces the older ones', () => {
  const of = (...starts: number[]) =>
    new LeaderEpochs(
      'unused',
      starts.map((startOffset, epoch) => ({ epoch, startOffset })),
    )
  const after = (offset: number, ...starts: number[]) => {
    const epochs = of(...starts)
    epochs.truncateFromStart(offset)
    return epochs.entries.map(e => [e.epoch, e.startOffset])
  }
  expect(after(20, 0, 10, 20, 30)).toEqual([
    [2, 20],
    [3, 30],
  ])
  expect(after(19, 0, 10, 20, 30)).toEqual([
    [1, 19],
    [2, 20],
    [3, 30],
  ])
  expect(after(21, 0, 10, 20, 30)).toEqual([
    [2, 21],
    [3, 30],
  ])
  expect(after(30, 0, 10, 20, 30)).toEqual([[3, 30]])
  expect(after(99, 0, 10, 20, 30)).toEqual([[3, 99]])
  expect(after(5, 10, 20)).toEqual([
    [0, 10],
    [1, 20],
  ])
  expect(after(10, 10, 20)).toEqual([
    [0, 10],
    [1, 20],
  ])
  // Epochs without records have the same start offset. The last of them is the current one.
  expect(after(10, 0, 10, 10, 20)).toEqual([
    [2, 10],
    [3, 20],
  ])
})

test('names of files and directories are parsed as Kafka writes them', () => {
  expect(parseLogFileName('00000000000000000017.log')).toEqual({ offset: 17, type: '.log', state: '' })
  expect(parseLogFileName('00000000000000000017.timeindex.deleted')).toEqual({
    offset: 17,
    type: '.timeindex',
    state: '.deleted',
  })
  expect(parseLogFileName('leader-epoch-checkpoint')).toBeNull()
  expect(parsePartitionDir('my-topic-1.x-12')).toEqual({ topic: 'my-topic-1.x', partition: 12 })
  for (const other of ['t-0.abc-delete', 't-0.abc-stray', 't-x', 'plain', '-0'])
    expect(parsePartitionDir(other)).toBeNull()
  const long = renamedPartitionDir('t'.repeat(249), 12, 'a'.repeat(32), '-delete')
  expect([long.length, long.endsWith(`-12.${'a'.repeat(32)}-delete`)]).toEqual([255, true])
})
