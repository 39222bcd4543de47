import { afterAll, beforeAll, expect, test } from 'vitest'
import { ErrorCode } from '../protocol/error-codes.ts'
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts'
import { batchOf } from './test-support/batches.ts'
import { type RawBatch, rawBatch, TRANSACTIONAL } from './test-support/raw-batch.ts'
import { RawClient } from './test-support/raw-client.ts'
import { startTestBroker, type TestBroker } from './test-support/test-broker.ts'

/**
 * These tests check the responses of Produce to invalid batches. `odd-batches.peer.test.ts`
 * compares the responses with Apache's.
 */
let b: TestBroker
let c: RawClient
beforeAll(async () => {
  b = await startTestBroker()
  c = await RawClient.connect(b.port)
  const topics = [
    { name: 't', numPartitions: 2, replicationFactor: 1 },
    {
      name: 'compacted',
      numPartitions: 1,
      replicationFactor: 1,
      configs: [{ name: 'cleanup.policy', value: 'compact' }],
    },
  ]
  await c.call('CreateTopics', { topics, timeoutMs: 10_000 })
})
afterAll(async () => {
  c.close()
  await b.close()
})

async function produce(
  name: string,
  records: (Buffer | null)[],
  o: { transactionalId?: string; version?: number } = {},
) {
  const partitionData = records.map((r, index) => ({ index, records: r }))
  const { transactionalId = null, version = 12 } = o
  const r = await c.request(ProduceRequest, ProduceResponse, version, {
    acks: -1,
    transactionalId,
    topicData: [{ name, partitionData }],
  })
  return r.responses[0]!.partitionResponses
}

const raw = (batch: RawBatch) => rawBatch(batch, BigInt(Date.now()))

test('if a batch for a compacted topic contains ten records without a key, the response lists these ten', async () => {
  const records = Array.from({ length: 100 }, (_, i) => (i % 10 === 3 ? { key: null } : {}))
  const expected = [3, 13, 23, 33, 43, 53, 63, 73, 83, 93].map(batchIndex => ({
    batchIndex,
    batchIndexErrorMessage: 'Compacted topic cannot accept message without key in topic partition compacted-0',
  }))
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const [answer] = await produce('compacted', [raw({ codec, records })])
    expect(answer).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD, baseOffset: -1, logStartOffset: 0 })
    expect(answer!.recordErrors).toEqual(expected)
    expect(answer!.errorMessage).toMatch(/^One or more records have been rejected due to 10 record errors in total/)
  }
})

test('a batch that is too short is INVALID_RECORD, unless the bytes after it look like a corrupt batch', async () => {
  // The bytes after the claimed end of the batch are read as the next batch. They include the
  // timestamp.
  const codes = new Set<number>()
  for (let low = 0n; low < 256n; low++) {
    const now = (BigInt(Date.now()) & ~255n) | low
    const [answer] = await produce('t', [rawBatch({ length: 14 }, now)])
    const isInvalidMagic = low > 2n
    const isTooShort = low === 0n || low > 127n
    const expected = isInvalidMagic || isTooShort ? ErrorCode.CORRUPT_MESSAGE : ErrorCode.INVALID_RECORD
    expect(answer!.errorCode, `${low}`).toBe(expected)
    codes.add(answer!.errorCode)
  }
  expect(codes.size).toBe(2)
})

test('a truncated batch is INVALID_RECORD, which clients do not retry, and not CORRUPT_MESSAGE', async () => {
  const whole = batchOf('value')
  for (const length of [0, 10, 30, 61, whole.length - 1]) {
    const [answer] = await produce('t', [whole.subarray(0, length)])
    expect(answer).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD, logStartOffset: -1 })
  }
  expect((await produce('t', [null]))[0]).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD })
})

test('trailing bytes after a batch are dropped', async () => {
  const before = (await produce('t', [batchOf('a')]))[0]!
  const [answer] = await produce('t', [Buffer.concat([batchOf('b'), Buffer.from([0, 0, 0])])])
  expect(answer).toMatchObject({ errorCode: 0, baseOffset: before.baseOffset + 1 })
  expect((await produce('t', [batchOf('c')]))[0]).toMatchObject({ errorCode: 0, baseOffset: before.baseOffset + 2 })
})

test('a transactional batch without a transactional id causes the whole request to be rejected', async () => {
  const transactional = raw({ attributes: TRANSACTIONAL, producerId: 9n, producerEpoch: 0, baseSequence: 0 })
  const codes = (await produce('t', [batchOf('fine'), transactional])).map(p => p.errorCode)
  const unauthorized = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  expect(codes).toEqual([unauthorized, unauthorized])
  const begun = await produce('t', [batchOf('fine'), transactional], { transactionalId: 'x' })
  expect(begun.map(p => p.errorCode)).toEqual([0, ErrorCode.INVALID_TXN_STATE])
  // The rejected batch did not start a transaction, so the last stable offset is the end of the
  // log.
  expect(await listEnd(1)).toBe(await listEnd(0))
})

async function listEnd(isolationLevel: number): Promise<number> {
  const partitions = [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: -1 }]
  const answer = await c.call('ListOffsets', { replicaId: -1, isolationLevel, topics: [{ name: 't', partitions }] })
  return (answer as { topics: { partitions: { offset: number }[] }[] }).topics[0]!.partitions[0]!.offset
}

test('a rejected batch does not affect other partitions', async () => {
  const answers = await produce('t', [raw({ count: 5 }), batchOf('fine')])
  expect(answers.map(p => p.errorCode)).toEqual([ErrorCode.INVALID_RECORD, 0])
  expect(answers[0]!.errorMessage).toMatch(/record count 5, but last offset delta 1 in topic partition t-0/)
  expect(answers[1]!.errorMessage).toBeNull()
})

test('records in a batch without a maximum timestamp, as Sarama once wrote, are found by timestamp', async () => {
  // This time is later than the timestamps of all other records in the log.
  let time = Date.now() + 60_000
  for (const codec of ['none', 'gzip'] as const) {
    time += 1000
    const [answer] = await produce('t', [raw({ codec, maxTimestamp: -1n, baseTimestamp: BigInt(time), records: [{}] })])
    const partitions = [{ partitionIndex: 0, timestamp: time, currentLeaderEpoch: -1 }]
    const found = await c.call('ListOffsets', { replicaId: -1, topics: [{ name: 't', partitions }] })
    expect(found).toMatchObject({ topics: [{ partitions: [{ offset: answer!.baseOffset, timestamp: time }] }] })
  }
})
