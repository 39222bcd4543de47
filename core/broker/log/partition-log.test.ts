import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { readBatches } from '../../protocol/records/batch-reader.ts'
import {
  append,
  batchOf,
  openLog,
  readAll,
  readValues,
  removeDir,
  TO_END,
  tempDir,
  testEnv,
} from './test-support/logs.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

test('records get offsets in the order of the appends, and reads return their values', async () => {
  const log = await openLog(dir)
  const results = await Promise.all([append(log, ['a', 'b']), append(log, ['c']), append(log, ['d', 'e', 'f'])])
  expect(results.map(r => [r.baseOffset, r.lastOffset])).toEqual([
    [0, 1],
    [2, 2],
    [3, 5],
  ])
  expect(log.logEndOffset).toBe(6)
  expect(log.highWatermark).toBe(6)
  expect((await readAll(log)).map(r => `${r.offset}${r.value}`)).toEqual(['0a', '1b', '2c', '3d', '4e', '5f'])
  await log.close()
})

test('a reopened log contains all its records, whether or not it was closed cleanly', async () => {
  for (const clean of [true, false]) {
    const log = await openLog(dir, { segmentBytes: 300 }, { clean })
    const before = log.logEndOffset
    for (let i = 0; i < 10; i++) await append(log, [`${before + i}`])
    await log.close()
    const again = await openLog(dir, { segmentBytes: 300 }, { clean })
    expect(again.logEndOffset).toBe(before + 10)
    expect(await readValues(again)).toEqual(Array.from({ length: before + 10 }, (_, i) => String(i)))
    await again.close()
  }
})

test('a read from disk returns the batch that contains the offset, for every offset and read limit', async () => {
  const log = await openLog(dir, { indexIntervalBytes: 0 }, { env: testEnv({ tailCacheBytes: 0 }) })
  for (const count of [1, 5, 5, 4, 1]) await append(log, Array.from({ length: count }, String))
  for (let offset = 0; offset < log.logEndOffset; offset++) {
    for (let maxBytes = 1; maxBytes < 300; maxBytes += 13) {
      const { chunks } = await log.read(offset, maxBytes, TO_END)
      expect(chunks.flatMap(c => [...readBatches(c)])[0]?.lastOffset).toBeGreaterThanOrEqual(offset)
    }
  }
  await log.close()
})

test('a read from memory or disk returns whole batches up to maxBytes, or at least one if minOneBatch is set', async () => {
  for (const tailCacheBytes of [0, 1 << 20]) {
    const own = `${dir}/${tailCacheBytes}`
    const log = await openLog(own, {}, { env: testEnv({ tailCacheBytes }) })
    for (let i = 0; i < 5; i++) await append(log, [`${i}`, `${i}`])
    const size = batchOf(['0', '0']).length
    expect((await log.read(0, size * 2 + 10, TO_END)).size).toBe(size * 2)
    expect((await log.read(3, size * 2, TO_END)).size).toBe(size * 2)
    expect((await log.read(0, 1, TO_END)).size).toBe(size)
    expect((await log.read(0, 1, { upTo: 'logEnd', minOneBatch: false })).size).toBe(0)
    expect((await log.read(10, 1000, TO_END)).chunks).toEqual([])
    await log.close()
  }
})

test('a read up to the high watermark returns no later records, and listeners are called when it advances', async () => {
  const log = await openLog(dir, {}, { env: testEnv({ autoHighWatermark: false }) })
  await append(log, ['a'])
  await append(log, ['b'])
  let woken = 0
  const stop = log.onAdvance(() => woken++)
  const o = { upTo: 'highWatermark', minOneBatch: true } as const
  expect((await log.read(0, 1000, o)).size).toBe(0)
  log.setHighWatermark(1)
  expect(woken).toBe(1)
  expect((await log.read(0, 1000, o)).size).toBe(batchOf(['a']).length)
  stop()
  log.setHighWatermark(2)
  expect(woken).toBe(1)
  await log.close()
})

test('a read at an offset outside the log fails with OFFSET_OUT_OF_RANGE', async () => {
  const log = await openLog(dir)
  await append(log, ['a'])
  await expect(log.read(2, 100, TO_END)).rejects.toMatchObject({ kafkaCode: ErrorCode.OFFSET_OUT_OF_RANGE })
  await expect(log.read(-1, 100, TO_END)).rejects.toMatchObject({ kafkaCode: ErrorCode.OFFSET_OUT_OF_RANGE })
  await log.close()
})

test('segments roll by size, by record timestamp, and when an index is full', async () => {
  const bySize = await openLog(`${dir}/size`, { segmentBytes: 200 })
  for (let i = 0; i < 6; i++) await append(bySize, ['x'])
  expect(bySize.segmentOffsets).toEqual([0, 2, 4])
  const byTime = await openLog(`${dir}/time`, { segmentMs: 100 })
  for (const timestamp of [1000, 1100, 1101, 1150, 1300]) await append(byTime, [{ value: 'x', timestamp }])
  expect(byTime.segmentOffsets).toEqual([0, 2, 4])
  const byIndex = await openLog(`${dir}/index`, { segmentIndexBytes: 24, indexIntervalBytes: 0 })
  for (let i = 0; i < 6; i++) await append(byIndex, [{ value: 'x', timestamp: 1000 + i }])
  expect(byIndex.segmentOffsets.length).toBeGreaterThan(1)
  expect((await readValues(byIndex)).length).toBe(6)
  for (const log of [bySize, byTime, byIndex]) await log.close()
})

test('the last segment of a compacted log also rolls after max.compaction.lag.ms, so that it can be compacted', async () => {
  const segments = async (name: string, config: Parameters<typeof openLog>[1]) => {
    const log = await openLog(`${dir}/${name}`, { maxCompactionLagMs: 100, ...config })
    for (const timestamp of [1000, 1100, 1101]) await append(log, [{ key: 'k', value: 'v', timestamp }])
    return log.segmentOffsets
  }
  expect(await segments('compact', { cleanupPolicy: ['compact'] })).toEqual([0, 2])
  expect(await segments('delete', { cleanupPolicy: ['delete'] })).toEqual([0])
})

test('retention removes whole segments by age and size, and advances the log start', async () => {
  const log = await openLog(dir, { segmentBytes: 100, retentionMs: 1000, fileDeleteDelayMs: 0 })
  for (let i = 0; i < 5; i++) await append(log, [{ value: 'x', timestamp: 1000 + i * 500 }])
  expect(await log.runRetention(2600)).toBe(2)
  expect(log.logStartOffset).toBe(2)
  expect(log.segmentOffsets).toEqual([2, 3, 4])
  log.updateConfig({ ...log.config, retentionMs: -1, retentionBytes: 130 })
  expect(await log.runRetention(2600)).toBe(1)
  expect(log.logStartOffset).toBe(3)
  log.updateConfig({ ...log.config, retentionMs: 0, retentionBytes: -1 })
  expect(await log.runRetention(9999)).toBe(2)
  expect([log.logStartOffset, log.logEndOffset]).toEqual([5, 5])
  await append(log, ['after'])
  expect(await readValues(log)).toEqual(['after'])
  await log.close()
})

test('reads do not return deleted records, and segments with only deleted records are removed', async () => {
  const log = await openLog(dir, { segmentBytes: 100, retentionMs: -1 })
  for (let i = 0; i < 5; i++) await append(log, [`${i}`])
  expect(await log.deleteRecordsBefore(3)).toBe(3)
  expect(log.segmentOffsets[0]).toBe(3)
  await expect(log.read(2, 100, TO_END)).rejects.toMatchObject({ kafkaCode: ErrorCode.OFFSET_OUT_OF_RANGE })
  await expect(log.deleteRecordsBefore(6)).rejects.toMatchObject({ kafkaCode: ErrorCode.OFFSET_OUT_OF_RANGE })
  expect(await log.deleteRecordsBefore(1)).toBe(3)
  expect(await log.deleteRecordsBefore(-1)).toBe(5)
  expect(log.logStartOffset).toBe(5)
  expect(readdirSync(dir).filter(n => n.endsWith('.log.deleted')).length).toBe(4)
  await log.close()
})

test('offsetForTimestamp and maxTimestampOffset find records in all segments', async () => {
  const log = await openLog(
    dir,
    { segmentBytes: 400, indexIntervalBytes: 100 },
    { env: testEnv({ tailCacheBytes: 0 }) },
  )
  for (let i = 0; i < 40; i++) {
    await append(log, [
      { value: 'a', timestamp: 1000 + i * 10 },
      { value: 'b', timestamp: 1005 + i * 10 },
    ])
  }
  expect(await log.offsetForTimestamp(0)).toMatchObject({ offset: 0, timestamp: 1000 })
  expect(await log.offsetForTimestamp(1203)).toMatchObject({ offset: 41, timestamp: 1205 })
  expect(await log.offsetForTimestamp(1395)).toMatchObject({ offset: 79, timestamp: 1395 })
  expect(await log.offsetForTimestamp(1396)).toBeNull()
  expect(await log.offsetForTimestamp(1203, { maxOffset: 41 })).toBeNull()
  expect(await log.maxTimestampOffset()).toEqual({ offset: 79, timestamp: 1395, leaderEpoch: 0 })
  await log.close()
})

test('endOffsetForEpoch returns the end of each leader epoch after a restart', async () => {
  const log = await openLog(dir)
  for (const leaderEpoch of [0, 0, 3, 5]) await log.append(batchOf(['x', 'y']), { origin: 'client', leaderEpoch })
  await log.close()
  const again = await openLog(dir)
  expect(again.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: 4 })
  expect(again.endOffsetForEpoch(3)).toEqual({ epoch: 3, endOffset: 6 })
  expect(again.endOffsetForEpoch(4)).toEqual({ epoch: 3, endOffset: 6 })
  expect(again.endOffsetForEpoch(5)).toEqual({ epoch: 5, endOffset: 8 })
  expect(again.endOffsetForEpoch(6)).toEqual({ epoch: -1, endOffset: -1 })
  await again.close()
})

test('bytesAvailable returns the size of the records from an offset on, in memory and on disk', async () => {
  for (const tailCacheBytes of [0, 1 << 20]) {
    const log = await openLog(`${dir}/${tailCacheBytes}`, { segmentBytes: 400 }, { env: testEnv({ tailCacheBytes }) })
    for (let i = 0; i < 20; i++) await append(log, ['x'])
    const size = batchOf(['x']).length
    expect(log.bytesAvailable(20, 1000)).toBe(0)
    expect(log.bytesAvailable(0, 100)).toBe(100)
    expect(log.bytesAvailable(0, 1e9)).toBe(20 * size)
    expect(log.bytesAvailable(18, 1e9)).toBe(2 * size)
    await log.close()
  }
})
