import { afterEach, beforeEach, expect, test } from 'vitest'
import { compressionName } from '../../../protocol/compression/index.ts'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import { buildEndTransactionMarker } from '../../../protocol/records/control-records.ts'
import type { PartitionLog } from '../partition-log.ts'
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
} from '../test-support/logs.ts'
import type { LogConfig } from '../types.ts'

let dir: string
let log: PartitionLog
beforeEach(() => {
  dir = tempDir()
})
afterEach(async () => {
  await log.close()
  removeDir(dir)
})

async function refused(bytes: Buffer, code: number, config: Partial<LogConfig> = {}): Promise<void> {
  log = await openLog(dir, config)
  await expect(log.append(bytes, { origin: 'client', leaderEpoch: 0 })).rejects.toMatchObject({ kafkaCode: code })
  expect(log.logEndOffset).toBe(0)
  expect((await append(log, [{ key: 'k', value: 'v', timestamp: Date.now() }])).baseOffset).toBe(0)
}

test('a batch with an invalid checksum is rejected', async () => {
  const bytes = batchOf(['a'])
  bytes[bytes.length - 1]! ^= 1
  await refused(bytes, ErrorCode.CORRUPT_MESSAGE)
})

test('a truncated batch is rejected', () => refused(batchOf(['abc']).subarray(0, -1), ErrorCode.INVALID_RECORD))

test('an empty records field is rejected', () => refused(Buffer.alloc(0), ErrorCode.INVALID_RECORD))

test('a batch that claims more records than it contains is rejected, even with a correct checksum', async () => {
  const bytes = batchOf(['a', 'b'])
  bytes.writeInt32BE(3, header.RECORD_COUNT)
  bytes.writeInt32BE(2, header.LAST_OFFSET_DELTA)
  header.updateCrc(bytes, 0)
  await refused(bytes, ErrorCode.INVALID_RECORD)
})

test("a client's batch with gaps in its offsets is rejected", async () => {
  const bytes = batchOf(['a', 'b'])
  bytes.writeInt32BE(7, header.LAST_OFFSET_DELTA)
  header.updateCrc(bytes, 0)
  await refused(bytes, ErrorCode.INVALID_RECORD)
})

test('a control batch from a client is rejected', () =>
  refused(
    buildEndTransactionMarker({ committed: true, coordinatorEpoch: 0 }, { id: 1, epoch: 0 }, 0),
    ErrorCode.INVALID_RECORD,
  ))

test('a batch larger than max.message.bytes is rejected', () =>
  refused(batchOf(['x'.repeat(200)]), ErrorCode.MESSAGE_TOO_LARGE, { maxMessageBytes: 200 }))

test('a batch larger than a segment is rejected', () =>
  refused(batchOf(['x'.repeat(500)]), ErrorCode.RECORD_LIST_TOO_LARGE, { segmentBytes: 400 }))

test('a timestamp further in the future than message.timestamp.after.max.ms is rejected', () =>
  refused(batchOf([{ value: 'a', timestamp: Date.now() + 7_200_000 }]), ErrorCode.INVALID_TIMESTAMP))

test('a timestamp further in the past than message.timestamp.before.max.ms is rejected', () =>
  refused(
    batchOf([
      { key: 'k', value: 'a', timestamp: Date.now() },
      { key: 'k', value: 'a', timestamp: Date.now() - 9000 },
    ]),
    ErrorCode.INVALID_TIMESTAMP,
    { messageTimestampBeforeMaxMs: 5000 },
  ))

test('a compacted topic rejects a record without a key', () =>
  refused(batchOf([{ key: 'k', value: 'a' }, 'b'], { compression: 'zstd' }), ErrorCode.INVALID_RECORD, {
    cleanupPolicy: ['compact'],
  }))

test("with LogAppendTime, the records get the broker's time and the checksum of the batch is updated", async () => {
  const config = { messageTimestampType: 'LogAppendTime' } as const
  log = await openLog(dir, config, { env: testEnv({ now: () => 123456789 }) })
  expect(await append(log, [{ value: 'a', timestamp: 5 }, 'b'])).toMatchObject({ logAppendTime: 123456789 })
  expect((await readAll(log)).map(r => r.timestamp)).toEqual([123456789, 123456789])
})

test("batches are recompressed if the topic's compression differs from the producer's", async () => {
  for (const compressionType of ['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed'] as const) {
    log = await openLog(`${dir}/${compressionType}`, { compressionType })
    const values = Array.from({ length: 50 }, (_, i) => `value ${i}`)
    await append(log, values, { compression: 'none' })
    await append(log, values, { compression: 'lz4' })
    const { chunks } = await log.read(0, 1e6, TO_END)
    const wanted = compressionType === 'uncompressed' ? 'none' : compressionType
    for (const chunk of chunks) expect(compressionName(header.compressionOf(chunk, 0))).toBe(wanted)
    expect(await readValues(log)).toEqual([...values, ...values])
    await log.close()
  }
})
