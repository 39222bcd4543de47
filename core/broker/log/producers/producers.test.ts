import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import { buildEndTransactionMarker } from '../../../protocol/records/control-records.ts'
import type { PartitionLog } from '../partition-log.ts'
import { append, openLog, readValues, removeDir, tempDir, testEnv } from '../test-support/logs.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

const producer = (sequence: number, epoch = 0, producerId = 5) => ({ producerId, epoch, sequence })
const outOfOrder = { kafkaCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER }
const marker = (log: PartitionLog, committed: boolean, coordinatorEpoch = 0, id = 5, epoch = 0) =>
  log.append(buildEndTransactionMarker({ committed, coordinatorEpoch }, { id, epoch }, 1000), {
    origin: 'coordinator',
    leaderEpoch: 0,
  })

test("an idempotent producer's retry is not written again, and gets the offsets of the first write", async () => {
  const log = await openLog(dir)
  await append(log, ['a', 'b'], producer(0))
  await append(log, ['c'], producer(2))
  const again = await append(log, ['a', 'b'], producer(0))
  expect(again).toMatchObject({ baseOffset: 0, lastOffset: 1, duplicate: true })
  expect(await readValues(log)).toEqual(['a', 'b', 'c'])
  await log.close()
})

test('a retry that is appended concurrently with the first write is a duplicate, and a sequence gap is rejected', async () => {
  const log = await openLog(dir)
  const both = await Promise.all([append(log, ['a'], producer(0)), append(log, ['a'], producer(0))])
  expect(both.map(r => [r.baseOffset, r.duplicate])).toEqual([
    [0, false],
    [0, true],
  ])
  await expect(Promise.all([append(log, ['b'], producer(1)), append(log, ['d'], producer(3))])).rejects.toMatchObject(
    outOfOrder,
  )
  expect(await readValues(log)).toEqual(['a', 'b'])
  await log.close()
})

test('a retry of one of the last five batches is a duplicate, and an older retry is out of order', async () => {
  const log = await openLog(dir)
  for (let i = 0; i < 6; i++) await append(log, [`${i}`], producer(i))
  expect(await append(log, ['1'], producer(1))).toMatchObject({ baseOffset: 1, duplicate: true })
  await expect(append(log, ['0'], producer(0))).rejects.toMatchObject(outOfOrder)
  await log.close()
})

test('a sequence gap, an old epoch, and a new epoch whose first sequence is not 0 are rejected', async () => {
  const log = await openLog(dir)
  await append(log, ['a'], producer(0, 3))
  await expect(append(log, ['x'], producer(2, 3))).rejects.toMatchObject(outOfOrder)
  await expect(append(log, ['x'], producer(1, 2))).rejects.toMatchObject({
    kafkaCode: ErrorCode.INVALID_PRODUCER_EPOCH,
  })
  await expect(append(log, ['x'], producer(1, 4))).rejects.toMatchObject(outOfOrder)
  await append(log, ['b'], producer(0, 4))
  expect(await readValues(log)).toEqual(['a', 'b'])
  await log.close()
})

test('the sequence number after 2147483647 is 0', async () => {
  const log = await openLog(dir)
  await append(log, ['a', 'b', 'c'], producer(0x7ffffffe))
  expect(await append(log, ['a', 'b', 'c'], producer(0x7ffffffe))).toMatchObject({ duplicate: true })
  expect(await append(log, ['d'], producer(1))).toMatchObject({ baseOffset: 3 })
  await log.close()
  const again = await openLog(dir, {}, { clean: true })
  expect(await append(again, ['d'], producer(1))).toMatchObject({ duplicate: true })
  await again.close()
})

test('producer states are restored after a restart, from a snapshot or from the batches', async () => {
  for (const how of ['clean', 'crash', 'no snapshots']) {
    const path = join(dir, how)
    const log = await openLog(path, { segmentBytes: 200 })
    for (let i = 0; i < 9; i++) await append(log, [`${i}`], producer(i))
    await append(log, ['other'], producer(0, 7, 6))
    const states = log.producerStates()
    await log.close()
    for (const name of readdirSync(path)) {
      if (how === 'no snapshots' && name.endsWith('.snapshot')) rmSync(join(path, name))
      if (how === 'crash' && name.startsWith('0000000000000000001') && name.endsWith('.snapshot'))
        rmSync(join(path, name))
    }
    const again = await openLog(path, { segmentBytes: 200 }, { clean: how === 'clean' })
    expect(again.producerStates()).toEqual(states)
    expect(await append(again, ['8'], producer(8))).toMatchObject({ baseOffset: 8, duplicate: true })
    await expect(append(again, ['x'], producer(12))).rejects.toMatchObject(outOfOrder)
    expect(await append(again, ['9'], producer(9))).toMatchObject({ baseOffset: 10 })
    await again.close()
  }
})

test('a producer that has not written for producer.id.expiration.ms may continue with any sequence number', async () => {
  let now = 1e12
  const log = await openLog(dir, {}, { env: testEnv({ now: () => now, producerIdExpirationMs: 1000 }) })
  await append(log, ['a'], producer(0))
  await append(log, ['open'], { ...producer(0, 0, 6), transactional: true })
  now += 1000
  await log.tick(now)
  expect(log.producerStates().map(p => p.producerId)).toEqual([6])
  expect(await append(log, ['b'], producer(17))).toMatchObject({ baseOffset: 2 })
  await log.close()
})

test('the last stable offset does not pass an open transaction, and abortedTransactions lists aborted ones', async () => {
  const log = await openLog(dir, { segmentBytes: 300 })
  const transactional = (sequence: number, id: number) => ({ ...producer(sequence, 0, id), transactional: true })
  await append(log, ['plain'])
  await append(log, ['t5'], transactional(0, 5))
  await append(log, ['t6'], transactional(0, 6))
  await append(log, ['plain'])
  expect([log.lastStableOffset, log.highWatermark]).toEqual([1, 4])
  expect((await log.read(0, 1e6, { upTo: 'lastStable', minOneBatch: true })).lastStableOffset).toBe(1)
  await marker(log, false)
  expect(log.lastStableOffset).toBe(2)
  await append(log, ['t6'], transactional(1, 6))
  await marker(log, true, 0, 6)
  expect(log.lastStableOffset).toBe(7)
  expect(await log.abortedTransactions(0, 7)).toEqual([{ producerId: 5, firstOffset: 1 }])
  expect(await log.abortedTransactions(5, 7)).toEqual([])
  await append(log, ['t5'], transactional(1, 5))
  await log.close()
  for (const clean of [true, false]) {
    const again = await openLog(dir, { segmentBytes: 300 }, { clean })
    expect([again.lastStableOffset, again.logEndOffset]).toEqual([7, 8])
    expect(await again.abortedTransactions(0, 8)).toEqual([{ producerId: 5, firstOffset: 1 }])
    await again.close()
  }
})

test('a marker from an older transaction coordinator is rejected', async () => {
  const log = await openLog(dir)
  await append(log, ['t'], { ...producer(0), transactional: true })
  await marker(log, true, 3)
  await append(log, ['t'], { ...producer(1), transactional: true })
  await expect(marker(log, true, 2)).rejects.toMatchObject({ kafkaCode: ErrorCode.TRANSACTION_COORDINATOR_FENCED })
  await log.close()
})

test("a follower accepts the leader's records at their offsets, without checking sequence numbers", async () => {
  const leader = await openLog(join(dir, 'leader'))
  for (let i = 0; i < 4; i++) await append(leader, [`${i}`], producer(i))
  const follower = await openLog(join(dir, 'follower'))
  const { chunks } = await leader.read(2, 1e6, { upTo: 'logEnd', minOneBatch: true })
  const result = await follower.append(Buffer.concat(chunks), { origin: 'replication', leaderEpoch: 0 })
  expect(result).toMatchObject({ baseOffset: 2, lastOffset: 3 })
  expect(await readValues(follower, 2)).toEqual(['2', '3'])
  await expect(follower.append(Buffer.concat(chunks), { origin: 'replication', leaderEpoch: 0 })).rejects.toMatchObject(
    {
      kafkaCode: ErrorCode.OFFSET_OUT_OF_RANGE,
    },
  )
  await leader.close()
  await follower.close()
})
