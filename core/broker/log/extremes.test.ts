import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { KafkaError } from '../../protocol/error-codes.ts'
import * as header from '../../protocol/records/batch-header.ts'
import { readBatches } from '../../protocol/records/batch-reader.ts'
import { MAX32, MAX64, MIN32, MIN64, type RawBatch, type RawRecord, rawBatch } from '../test-support/raw-batch.ts'
import { NEVER } from './log-config.ts'
import type { PartitionLog } from './partition-log.ts'
import { indexProblems } from './test-support/check-indexes.ts'
import {
  append,
  batchOf,
  configOf,
  openLog,
  readAll,
  recordingLogger,
  removeDir,
  TO_END,
  tempDir,
  testEnv,
} from './test-support/logs.ts'
import { singleBatch } from './validation/check-header.ts'
import { CheckPool } from './validation/check-pool.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 30)

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

/** All logs share one pool, because starting a thread takes a moment. */
const checks = new CheckPool({ logger: recordingLogger() })
afterAll(() => checks.close())

const envAt = (now: number, logger = recordingLogger()) => ({ ...testEnv({ now: () => now, logger }), checks })

const NOW = 1_750_000_000_000
const extreme64 = fc.oneof(
  fc.constantFrom(MIN64, MIN64 + 1n, -(2n ** 53n) - 1n, -2n, -1n, 0n, 1n, 2n ** 53n - 1n, 2n ** 53n + 1n),
  fc.constantFrom(MAX64 - 1n, MAX64, BigInt(NOW), 2n ** 32n, -(2n ** 31n)),
  fc.bigInt({ min: MIN64, max: MAX64 }),
)
const extreme32 = fc.oneof(fc.constantFrom(MIN32, MIN32 + 1, -2, -1, 0, 1, MAX32 - 1, MAX32), fc.integer())
const extreme16 = fc.oneof(fc.constantFrom(-32768, -2, -1, 0, 1, 32767), fc.integer({ min: -32768, max: 32767 }))

/** Generates one or two header fields with arbitrary values. Many of the values are extreme. */
const oddHeader: fc.Arbitrary<RawBatch> = fc
  .tuple(
    fc.record(
      {
        baseOffset: extreme64,
        baseTimestamp: extreme64,
        maxTimestamp: extreme64,
        producerId: extreme64,
        producerEpoch: extreme16,
        baseSequence: extreme32,
        leaderEpoch: extreme32,
        lastOffsetDelta: extreme32,
        count: extreme32,
        length: extreme32,
        magic: fc.integer({ min: -128, max: 127 }),
        attributes: extreme16,
      },
      { requiredKeys: [] },
    ),
    fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 2 }),
  )
  .map(([fields, chosen]) => {
    const entries = Object.entries(fields)
    return Object.fromEntries(chosen.flatMap(i => (entries.length === 0 ? [] : [entries[i % entries.length]!])))
  })

const oddRecord: fc.Arbitrary<RawRecord> = fc.oneof(
  fc.record({ timestampDelta: extreme64 }),
  fc.record({ offsetDelta: extreme32 }),
  fc.record({ length: extreme32 }),
  fc.record({ keyLength: extreme32 }),
  fc.record({ valueLength: extreme32 }),
  fc.record({ headerCount: extreme32 }),
  fc.record({ key: fc.constantFrom(null, '', 'k1'), value: fc.constantFrom(null, '', 'v') }),
  fc.record({ bytes: fc.uint8Array({ maxLength: 40 }).map(b => Buffer.from(b)) }),
)

/**
 * Generates producer fields that are often valid, so that the log accepts many batches. Many of the
 * values are extreme.
 */
const producer = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  {
    weight: 3,
    arbitrary: fc.record({
      producerId: fc.constantFrom(0n, 9n, 2n ** 53n, 2n ** 53n + 1n, MAX64 - 1n, MAX64),
      producerEpoch: fc.constantFrom(0, 32767, -1),
      baseSequence: fc.constantFrom(0, 5, MAX32 - 1, MAX32),
      attributes: fc.constantFrom(0, header.TRANSACTIONAL_FLAG, header.DELETE_HORIZON_FLAG, 0x700),
    }),
  },
)

const batch: fc.Arbitrary<RawBatch> = fc
  .record({
    codec: fc.constantFrom<RawBatch['codec']>('none', 'none', 'gzip', 'snappy', 'lz4', 'zstd'),
    producer,
    fields: fc.oneof(fc.constant({}), oddHeader),
    records: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: oddRecord }), {
      minLength: 1,
      maxLength: 4,
    }),
  })
  .map(({ codec, producer: p, fields, records }) => ({
    ...p,
    ...('attributes' in p && codec !== 'none' ? { attributes: undefined } : {}),
    ...fields,
    ...(codec && { codec }),
    records,
  }))
  .map(b => Object.fromEntries(Object.entries(b).filter(([, value]) => value !== undefined)))

const settings = fc.record({
  messageTimestampAfterMaxMs: fc.constantFrom(3_600_000, NEVER),
  messageTimestampType: fc.constantFrom<'CreateTime' | 'LogAppendTime'>('CreateTime', 'LogAppendTime'),
  compressionType: fc.constantFrom<'producer' | 'gzip' | 'uncompressed'>(
    'producer',
    'producer',
    'gzip',
    'uncompressed',
  ),
  cleanupPolicy: fc.constantFrom<('compact' | 'delete')[]>(['compact'], ['delete']),
})

const MAP = { maxMapBytes: 1 << 20 }

/** With these settings, a log rolls and compacts as often as possible. */
const config = { segmentBytes: 500, indexIntervalBytes: 0, minCleanableDirtyRatio: 0, retentionMs: -1 }

/**
 * Writes valid records before, between and after the generated batches. Checks that the log always
 * contains them, and that a lookup by timestamp finds them.
 */
class Markers {
  readonly #log: () => PartitionLog
  readonly #marks: { offset: number; timestamp: number; value: string }[] = []

  constructor(log: () => PartitionLog) {
    this.#log = log
  }

  async add(): Promise<void> {
    const value = `mark ${this.#marks.length}`
    const timestamp = NOW + this.#marks.length
    const { baseOffset, logAppendTime } = await append(this.#log(), [{ key: value, value, timestamp }])
    this.#marks.push({ offset: baseOffset, timestamp: logAppendTime < 0 ? timestamp : logAppendTime, value })
  }

  async check(): Promise<void> {
    const log = this.#log()
    for (const { offset, timestamp, value } of this.#marks) {
      const { chunks } = await log.read(offset, 1, TO_END)
      const found = chunks.find(c => header.baseOffset(c, 0) === offset)
      const records = [...readBatches(found!)][0]!.records()
      expect(records.map(r => String(r.value))).toEqual([value])
      const byTime = await log.offsetForTimestamp(timestamp)
      expect(byTime, value).not.toBeNull()
      expect(byTime!.timestamp).toBeGreaterThanOrEqual(timestamp)
      if (log.config.messageTimestampType === 'CreateTime') expect(byTime!.offset).toBeLessThanOrEqual(offset)
    }
    // Only check that this lookup does not throw. As in Kafka, compaction may have removed the
    // record with the highest timestamp.
    await log.maxTimestampOffset()
  }
}

/**
 * Returns the states of the producers without timestamps, because compaction changes the maximum
 * timestamp of a batch.
 */
const statesOf = (log: PartitionLog) =>
  log
    .producerStates()
    .map(s => ({ ...s, lastTimestamp: 0 }))
    // Several producers may have the same rounded id, so the last sequence number also determines
    // the order.
    .sort((a, b) => a.producerId - b.producerId || a.lastSequence - b.lastSequence)

/**
 * Applies retention and compaction to the log, closes it, and reopens it as after a clean and an
 * unclean shutdown. Checks that the records and the producers remain.
 */
async function exerciseLog(
  path: string,
  log: PartitionLog,
  options: object,
  markers: (l: PartitionLog) => Promise<void>,
) {
  const end = log.logEndOffset
  const states = statesOf(log)
  await log.runRetention(NOW)
  await log.compact(NOW, MAP)
  await markers(log)
  await log.tick(NOW)
  await log.close()
  expect(indexProblems(path)).toEqual([])
  for (const clean of [true, false]) {
    const env = envAt(NOW)
    const again = await openLog(path, options, { clean, env })
    expect(again.logEndOffset).toBe(end)
    expect(statesOf(again)).toEqual(states)
    await markers(again)
    await again.compact(NOW + 100_000_000, MAP)
    await markers(again)
    await again.close()
  }
}

test(`the log accepts or rejects any batch from a client, and continues to work (seed ${seed})`, {
  timeout: 120_000,
}, async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(settings, fc.array(batch, { minLength: 1, maxLength: 6 }), async (s, batches) => {
      const path = join(dir, `${run++}`)
      const env = envAt(NOW)
      const options = { ...config, ...s }
      const log = await openLog(path, options, { env })
      let current = log
      const markers = new Markers(() => current)
      await markers.add()
      for (const b of batches) {
        try {
          const bytes = singleBatch(rawBatch(b, BigInt(NOW)), 12)
          await log.append(bytes, { origin: 'client', leaderEpoch: 3 })
        } catch (error) {
          expect(error).toBeInstanceOf(KafkaError)
          expect((error as KafkaError).kafkaCode).not.toBe(-1)
          expect((error as KafkaError).kafkaCode).not.toBe(56)
        }
        await markers.add()
      }
      expect((await readAll(log)).map(r => r.offset)).toEqual(Array.from({ length: log.logEndOffset }, (_, i) => i))
      await markers.check()
      await exerciseLog(path, log, options, async l => {
        current = l
        await markers.check()
      })
      removeDir(path)
    }),
    { numRuns: RUNS, seed },
  )
})

test(`a log with invalid replicated batches can be opened, read and compacted (seed ${seed})`, {
  timeout: 120_000,
}, async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), async batches => {
      const path = join(dir, `${run++}`)
      const env = envAt(NOW)
      const options = { ...config, cleanupPolicy: ['compact' as const] }
      const log = await openLog(path, options, { env })
      let current = log
      const markers = new Markers(() => current)
      await markers.add()
      for (const b of batches) {
        const bytes = rawBatch({ ...b, baseOffset: BigInt(log.logEndOffset), leaderEpoch: 3 }, BigInt(NOW))
        try {
          // A leader with an older version may replicate invalid batches. The log does not check
          // their records.
          await log.append(bytes, { origin: 'replication', leaderEpoch: 3 })
        } catch (error) {
          expect(error).toBeInstanceOf(KafkaError)
          expect((error as KafkaError).kafkaCode).not.toBe(-1)
          expect((error as KafkaError).kafkaCode).not.toBe(56)
        }
        await markers.add()
      }
      await markers.check()
      await exerciseLog(path, log, options, async l => {
        current = l
        await markers.check()
      })
      removeDir(path)
    }),
    { numRuns: RUNS, seed },
  )
})

test('producer ids above 2^53 are distinguished, also after they are read from a snapshot', async () => {
  const ids = [2n ** 53n, 2n ** 53n + 1n, MAX64 - 1n, MAX64]
  const send = (l: PartitionLog, producerId: bigint, baseSequence: number) =>
    l.append(rawBatch({ producerId, producerEpoch: 0, baseSequence, records: [{}] }, BigInt(NOW)), {
      origin: 'client',
      leaderEpoch: 0,
    })
  const env = envAt(NOW)
  let log = await openLog(dir, { segmentBytes: 400 }, { env })
  for (const id of ids) for (let i = 0; i < 3; i++) await send(log, id, i)
  for (const clean of [true, false]) {
    await log.close()
    log = await openLog(dir, { segmentBytes: 400 }, { env, clean })
    for (const id of ids) {
      expect(await send(log, id, 2)).toMatchObject({ duplicate: true })
      await expect(send(log, id, 7)).rejects.toMatchObject({ kafkaCode: 45 })
    }
  }
  await log.close()
})

test('a log with the largest possible timestamp can be reopened, and a lookup by timestamp finds its records', async () => {
  const options = { messageTimestampAfterMaxMs: NEVER, segmentBytes: 300, indexIntervalBytes: 0 }
  const env = envAt(NOW)
  let log = await openLog(dir, options, { env })
  await append(log, [{ value: 'now', timestamp: NOW }])
  for (const baseTimestamp of [MAX64, MAX64 - 1n, 2n ** 53n + 1n]) {
    const bytes = rawBatch({ baseTimestamp, maxTimestamp: 0n, records: [{ timestampDelta: 0n }] }, 0n)
    await log.append(bytes, { origin: 'client', leaderEpoch: 0 })
    // The log corrects the maximum timestamp in the header, without rounding it.
    const { chunks } = await log.read(log.logEndOffset - 1, 1, TO_END)
    expect(chunks[0]!.readBigInt64BE(header.MAX_TIMESTAMP)).toBe(baseTimestamp)
  }
  await append(log, [{ value: 'later', timestamp: NOW + 1 }])
  for (const clean of [true, false]) {
    await log.close()
    log = await openLog(dir, options, { env, clean })
    expect(await log.offsetForTimestamp(NOW)).toMatchObject({ offset: 0 })
    expect(await log.offsetForTimestamp(NOW + 1)).toMatchObject({ offset: 1 })
    expect(await log.maxTimestampOffset()).toMatchObject({ offset: 1 })
    expect(log.logEndOffset).toBe(5)
  }
  await log.close()
})

test('retention uses the timestamps of the records, not the maximum timestamp that a producer sent', async () => {
  const day = 86_400_000
  const env = envAt(NOW)
  const log = await openLog(dir, { segmentBytes: 300, retentionMs: day }, { env })
  for (let i = 0; i < 3; i++) {
    const bytes = rawBatch({ records: [{}, { timestampDelta: -100n }], maxTimestamp: 1n }, BigInt(NOW))
    await log.append(bytes, { origin: 'client', leaderEpoch: 0 })
  }
  await append(log, [{ value: 'x'.repeat(220), timestamp: NOW }])
  expect(await log.runRetention(NOW)).toBe(0)
  expect(await log.offsetForTimestamp(NOW)).toMatchObject({ offset: 0 })
  expect(await log.maxTimestampOffset()).toMatchObject({ offset: 0, timestamp: NOW })
  expect(await log.runRetention(NOW + 2 * day)).toBe(2)
  await log.close()
})

test('a gzip batch whose header and records do not match is rejected', async () => {
  const log = await openLog(dir, {}, { env: envAt(NOW) })
  const two: RawBatch = { codec: 'gzip', records: [{}, {}] }
  for (const b of [
    { ...two, count: 1000, lastOffsetDelta: 999 },
    { ...two, count: 1, lastOffsetDelta: 0 },
    { ...two, body: () => Buffer.from('garbage that is no gzip') },
    { ...two, records: [{}, { offsetDelta: 7 }] },
  ]) {
    const done = log.append(rawBatch(b, BigInt(NOW)), { origin: 'client', leaderEpoch: 0 })
    await expect(done).rejects.toMatchObject({ kafkaCode: 87 })
  }
  expect(log.logEndOffset).toBe(0)
  await log.close()
})

test('invalid offset deltas of uncompressed records and invalid lengths of compressed records are corrected', async () => {
  const log = await openLog(dir, {}, { env: envAt(NOW) })
  const batches: RawBatch[] = [
    { records: [{ offsetDelta: 0 }, { offsetDelta: 0 }, { offsetDelta: MAX32 }] },
    { codec: 'gzip', records: [{ length: 3 }, {}, { length: 1000, timestampDelta: 5n }] },
  ]
  for (const b of batches)
    await log.append(rawBatch({ ...b, maxTimestamp: 0n }, BigInt(NOW)), { origin: 'client', leaderEpoch: 0 })
  const records = await readAll(log)
  expect(records.map(r => [r.offset, String(r.key), String(r.value), r.timestamp])).toEqual([
    ...[0, 1, 2].map(i => [i, `k${i}`, `v${i}`, NOW]),
    ...[0, 1, 2].map(i => [3 + i, `k${i}`, `v${i}`, i === 2 ? NOW + 5 : NOW]),
  ])
  await log.close()
})

test('the error for a rejected batch of 100 records lists all ten invalid records', async () => {
  const log = await openLog(dir, { cleanupPolicy: ['compact'] }, { env: envAt(NOW) })
  for (const compression of ['none', 'zstd'] as const) {
    const records = Array.from({ length: 100 }, (_, i) => ({
      key: i % 10 === 3 ? null : `k${i}`,
      value: 'v',
      timestamp: NOW,
    }))
    const done = log.append(batchOf(records, { compression }), { origin: 'client', leaderEpoch: 0 })
    const error = await done.catch((e: unknown) => e)
    expect(error).toMatchObject({ name: 'RecordsRejected', kafkaCode: 87 })
    const { recordErrors } = error as { recordErrors: { index: number }[] }
    expect(recordErrors.map(e => e.index)).toEqual([3, 13, 23, 33, 43, 53, 63, 73, 83, 93])
  }
  await log.close()
})

test('compaction keeps an unreadable batch, logs a warning and compacts the other batches', async () => {
  const logger = recordingLogger()
  const log = await openLog(dir, { ...config, cleanupPolicy: ['compact'] }, { env: envAt(NOW, logger) })
  for (let i = 0; i < 20; i++) {
    await append(log, [{ key: 'same', value: 'x'.repeat(50), timestamp: NOW }])
    if (i !== 5) continue
    const bad = rawBatch({ codec: 'gzip', baseOffset: 6n, body: b => Buffer.alloc(b.length, 0x55) }, BigInt(NOW))
    await log.append(bad, { origin: 'replication', leaderEpoch: 0 })
  }
  await log.compact(NOW, MAP)
  expect(logger.lines.some(l => /^WARN t-0: compaction kept 1 unreadable batches unchanged/.test(l))).toBe(true)
  const { chunks } = await log.read(6, 1, TO_END)
  expect([header.baseOffset(chunks[0]!, 0), header.lastOffset(chunks[0]!, 0)]).toEqual([6, 7])
  expect(configOf().cleanupPolicy).toEqual(['delete'])
  await log.close()
})
