import { afterEach, beforeEach, expect, test } from 'vitest'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import { rulesFor } from '../append/append-check.ts'
import type { PartitionLog } from '../partition-log.ts'
import { DEADLY_EPOCH, THROWING_EPOCH } from '../test-support/faulty-check-thread.ts'
import {
  batchOf,
  configOf,
  openLog,
  readValues,
  recordingLogger,
  removeDir,
  tempDir,
  testEnv,
} from '../test-support/logs.ts'
import { CheckPool } from './check-pool.ts'

const faulty = new URL('../test-support/faulty-check-thread.ts', import.meta.url)
const rules = rulesFor('t-0', configOf(), Date.now())

let dir: string
let pool: CheckPool
let logger: ReturnType<typeof recordingLogger>
beforeEach(() => {
  dir = tempDir()
  logger = recordingLogger()
  pool = new CheckPool({ logger, module: faulty, maxThreads: 2 })
})
afterEach(async () => {
  await pool.close()
  removeDir(dir)
})

const openWithPool = (config = {}): Promise<PartitionLog> =>
  openLog(dir, config, { env: { ...testEnv(), checks: pool } })
const client = { origin: 'client' as const, leaderEpoch: 0 }

/**
 * Returns a batch that crashes the thread that checks it. The thread recognizes it by its leader
 * epoch, which the checksum does not cover.
 */
function marked(values: string[], epoch: number): Buffer {
  const batch = batchOf(values, { compression: 'gzip' })
  header.setLeaderEpoch(batch, 0, epoch)
  return batch
}

test('appends are written in the order of the calls, even if only some are checked in threads', async () => {
  const log = await openWithPool()
  const values = Array.from({ length: 300 }, (_, i) => `${i}`)
  const results = await Promise.all(
    values.map((value, i) => {
      const compression = (['none', 'gzip', 'none', 'zstd', 'lz4', 'snappy'] as const)[i % 6]!
      // Make some checks take longer than others.
      const filler = 'x'.repeat(i % 7 === 0 ? 100_000 : 1)
      return log.append(batchOf([value, filler], { compression }), client)
    }),
  )
  expect(results.map(r => r.baseOffset)).toEqual(values.map((_, i) => i * 2))
  expect((await readValues(log)).filter((_, i) => i % 2 === 0)).toEqual(values)
  await log.close()
})

test('sequence numbers are checked in the order of the appends, even if threads check some of the records', async () => {
  const log = await openWithPool()
  const send = (sequence: number, compression: 'none' | 'gzip') =>
    log.append(batchOf(['v'], { producerId: 7, epoch: 0, sequence, compression }), client)
  const results = await Promise.all(Array.from({ length: 40 }, (_, i) => send(i, i % 3 === 0 ? 'gzip' : 'none')))
  expect(results.map(r => r.baseOffset)).toEqual(Array.from({ length: 40 }, (_, i) => i))
  await log.close()
})

test('a batch that crashes its thread is rejected, and the other batches are appended in order', async () => {
  const log = await openWithPool()
  const outcomes = await Promise.allSettled([
    log.append(batchOf(['a'], { compression: 'gzip' }), client),
    log.append(marked(['bad'], DEADLY_EPOCH), client),
    log.append(batchOf(['b'], { compression: 'zstd' }), client),
    log.append(marked(['bad too'], THROWING_EPOCH), client),
    log.append(batchOf(['c']), client),
  ])
  expect(outcomes.map(o => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
  expect(outcomes[1]).toMatchObject({ reason: { kafkaCode: ErrorCode.INVALID_RECORD } })
  expect(await readValues(log)).toEqual(['a', 'b', 'c'])
  expect(logger.lines.some(l => l.startsWith('ERROR A batch validation thread exited'))).toBe(true)
  expect((await log.append(batchOf(['d'], { compression: 'gzip' }), client)).baseOffset).toBe(3)
  await log.close()
})

test('a compressed batch is rejected with a retriable error if no thread can be started', async () => {
  pool = new CheckPool({ logger, module: new URL('./is-not-there.js', import.meta.url), maxThreads: 1 })
  const log = await openWithPool()
  await expect(log.append(batchOf(['a'], { compression: 'gzip' }), client)).rejects.toMatchObject({
    kafkaCode: ErrorCode.KAFKA_STORAGE_ERROR,
  })
  expect((await log.append(batchOf(['b']), client)).baseOffset).toBe(0)
  await log.close()
})

test('closing a log waits until threads have checked the pending batches, and writes the batches', async () => {
  const log = await openWithPool()
  const appends = Array.from({ length: 20 }, (_, i) => log.append(batchOf([`${i}`], { compression: 'gzip' }), client))
  await log.close()
  expect((await Promise.all(appends)).at(-1)?.lastOffset).toBe(19)
  const again = await openLog(dir, {}, { clean: true })
  expect((await readValues(again)).length).toBe(20)
  await again.close()
})

test('closing the pool rejects all pending checks with a retriable error', async () => {
  const checks = Array.from({ length: 50 }, () => pool.check(batchOf(['x'], { compression: 'gzip' }), rules))
  await pool.close()
  for (const verdict of await Promise.all(checks)) expect(verdict).toMatchObject({ kind: 'rejected', code: 56 })
  expect(await pool.check(batchOf(['x']), rules)).toMatchObject({ kind: 'rejected', code: 56 })
})

test('a decompression bomb is rejected without ending the thread', async () => {
  const log = await openWithPool({ maxMessageBytes: 10 << 20 })
  const huge = batchOf([{ value: 'x'.repeat(140 << 20) }], { compression: 'gzip' })
  await expect(log.append(huge, client)).rejects.toMatchObject({ kafkaCode: ErrorCode.INVALID_RECORD })
  expect((await log.append(batchOf(['b'], { compression: 'gzip' }), client)).baseOffset).toBe(0)
  expect(logger.lines.filter(l => l.startsWith('ERROR'))).toEqual([])
  await log.close()
})

test('a batch that is too large after recompression is rejected in its thread', async () => {
  const batch = batchOf([{ value: 'x'.repeat(8 << 20) }], { compression: 'zstd' })
  for (const compressionType of ['uncompressed', 'lz4'] as const) {
    const limited = rulesFor('t-0', configOf({ compressionType, maxMessageBytes: 10_000 }), Date.now())
    const verdict = await pool.check(batch, limited)
    expect(verdict).toMatchObject({ kind: 'rejected', code: ErrorCode.MESSAGE_TOO_LARGE })
  }
})
