import { readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ErrorCode } from '../protocol/error-codes.ts'
import { DEFAULT_LOG_CONFIG, LogManager } from './log/index.ts'
import { MetadataLog } from './quorum/metadata-log.ts'
import { record } from './quorum/records.ts'
import { batchOf, valuesIn } from './test-support/batches.ts'
import { RawClient } from './test-support/raw-client.ts'
import { silentLogger, startTestBroker, type TestBroker } from './test-support/test-broker.ts'

let b: TestBroker
let c: RawClient
beforeEach(async () => {
  b = await startTestBroker()
  c = await RawClient.connect(b.port)
  await c.call('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1 }], timeoutMs: 5000 })
})
afterEach(async () => {
  c.close()
  await b.close()
})

/** Returns the only partition in a response, for any API. */
function only(value: unknown): Record<string, unknown> {
  const { topics, responses, partitions, partitionResponses } = value as Record<string, unknown[] | undefined>
  const inner = (topics ?? responses ?? partitions ?? partitionResponses)?.[0]
  return inner === undefined ? (value as Record<string, unknown>) : only(inner)
}

const produce = async (value: string) => {
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: batchOf(value) }] }]
  return only(await c.call('Produce', { acks: -1, timeoutMs: 5000, topicData }, 12))
}
const fetch = async (fetchOffset: number, currentLeaderEpoch: number) => {
  const partitions = [{ partition: 0, fetchOffset, currentLeaderEpoch, partitionMaxBytes: 1 << 20 }]
  return only(await c.call('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions }] }, 12))
}
const leaderEpoch = async () => only(await c.call('Metadata', { topics: [{ name: 't' }] }))['leaderEpoch']
const endOf = async (epoch: number) => {
  const partitions = [{ partition: 0, leaderEpoch: epoch }]
  const { leaderEpoch, endOffset } = only(
    await c.call('OffsetForLeaderEpoch', { replicaId: -1, topics: [{ topic: 't', partitions }] }),
  )
  return { epoch: leaderEpoch, endOffset }
}
const offsetAt = async (timestamp: number) => {
  const partitions = [{ partitionIndex: 0, timestamp }]
  return only(await c.call('ListOffsets', { replicaId: -1, topics: [{ name: 't', partitions }] }))
}
const inDir = (name: string) => join(b.dir, 't-0', name)
const checkpoint = () => readFileSync(inDir('leader-epoch-checkpoint'), 'utf8')

/**
 * Simulates a power failure: there is no clean shutdown, and the log's last bytes are not on disk.
 */
async function crash(lostBytes: number): Promise<void> {
  await b.stop()
  rmSync(join(b.dir, '.kafka_cleanshutdown'))
  const log = inDir('00000000000000000000.log')
  truncateSync(log, statSync(log).size - lostBytes)
  await b.restart()
  c = await RawClient.connect(b.port)
}

test('a crash starts a new leader epoch, with which readers detect that records were lost', async () => {
  for (const value of ['a', 'b', 'lost']) await produce(value)
  await crash(5)
  expect(await leaderEpoch()).toBe(1)
  expect(await produce('other')).toMatchObject({ errorCode: 0, baseOffset: 2 })
  // The old epoch is fenced. Otherwise a consumer that has read up to offset 3 would not detect the
  // loss.
  expect(await fetch(3, 0)).toMatchObject({ errorCode: ErrorCode.FENCED_LEADER_EPOCH })
  expect(await endOf(0)).toEqual({ epoch: 0, endOffset: 2 })
  expect(valuesIn((await fetch(2, 1))['records'] as Buffer)).toEqual(['other'])
  expect(checkpoint()).toBe('0\n2\n0 0\n1 2\n')
  expect(await offsetAt(-2)).toMatchObject({ offset: 0, leaderEpoch: 0 })
  expect(await offsetAt(-1)).toMatchObject({ offset: 3, leaderEpoch: 1 })
})

test('a partition that Apache has left without a leader gets a leader when our broker starts', async () => {
  await produce('a')
  await b.stop()
  const logs = await LogManager.open({ dirs: [b.dir], defaults: DEFAULT_LOG_CONFIG, logger: silentLogger })
  const log = await MetadataLog.open(logs, 1, { segmentBytes: 1 << 30, segmentMs: 1e9, logger: silentLogger })
  const topicId = logs.get('t', 0)!.topicId
  await log.append([record('PartitionChange', { topicId, partitionId: 0, leader: -1, isr: [] })], 1, Date.now())
  await logs.close()
  await b.restart()
  c = await RawClient.connect(b.port)
  expect(only(await c.call('Metadata', { topics: [{ name: 't' }] }))).toMatchObject({
    errorCode: 0,
    leaderId: 1,
    leaderEpoch: 2,
    isrNodes: [1],
  })
  expect(await produce('b')).toMatchObject({ errorCode: 0, baseOffset: 1 })
})

test('an epoch without records ends at the offset where it began', async () => {
  await produce('a')
  await crash(0)
  // The end offset is now reported with epoch 1.
  expect(await offsetAt(-1)).toMatchObject({ offset: 1, leaderEpoch: 1 })
  expect(checkpoint()).toBe('0\n2\n0 0\n1 1\n')
  await crash(0)
  expect(await endOf(1)).toMatchObject({ endOffset: 1 })
  await produce('b')
  expect(await endOf(1)).toMatchObject({ endOffset: 1 })
  expect(await endOf(2)).toEqual({ epoch: 2, endOffset: 2 })
})

test('after records are deleted, an epoch that begins exactly at the log start is the oldest epoch', async () => {
  for (let i = 0; i < 3; i++) {
    await produce('a')
    await crash(0)
  }
  await produce('b')
  const partitions = [{ partitionIndex: 0, offset: 2 }]
  await c.call('DeleteRecords', { topics: [{ name: 't', partitions }], timeoutMs: 5000 })
  expect(await endOf(0)).toEqual({ epoch: 0, endOffset: 2 })
  expect(await endOf(1)).toEqual({ epoch: 1, endOffset: 2 })
  expect(await endOf(2)).toEqual({ epoch: 2, endOffset: 3 })
  expect(await offsetAt(-2)).toMatchObject({ offset: 2, leaderEpoch: 2 })
  await b.restart()
  c = await RawClient.connect(b.port)
  expect(checkpoint()).toBe('0\n2\n2 2\n3 3\n')
})

test('a restart after a clean shutdown starts no new epoch', async () => {
  expect(checkpoint()).toBe('0\n1\n0 0\n')
  const written = statSync(inDir('leader-epoch-checkpoint')).mtimeMs
  await b.restart()
  c = await RawClient.connect(b.port)
  expect(await leaderEpoch()).toBe(0)
  expect(statSync(inDir('leader-epoch-checkpoint')).mtimeMs).toBe(written)
  await crash(0)
  await b.restart()
  c = await RawClient.connect(b.port)
  expect(await leaderEpoch()).toBe(1)
})
