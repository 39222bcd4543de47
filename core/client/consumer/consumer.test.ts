import { afterEach, expect, test } from 'vitest'
import { nextTurn } from '../../common/async/next-turn.ts'
import { setLogLevel } from '../../common/log.ts'
import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import { SimBroker } from '../test-support/sim-broker.ts'
import type { Consumer } from '../types.ts'
import { createConsumer } from './consumer.ts'

setLogLevel('millrace.client', 'OFF')

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const f of cleanups.splice(0).reverse()) await f()
})

function batch(offset: number, ...values: string[]): Buffer {
  const builder = new RecordBatchBuilder({ baseOffset: offset, leaderEpoch: 0 })
  for (const v of values) builder.append(null, Buffer.from(v), 1)
  return builder.build()
}

/**
 * Returns a consumer at offset 0 of topic t. `answer` creates the broker's response to each fetch.
 */
async function reading(answer: (offset: number) => { errorCode: number } | { records: Buffer }): Promise<Consumer> {
  let next = 0
  const broker = await SimBroker.start({
    topics: { t: 1 },
    answer: (key, request) => {
      if (key !== ApiKey.Fetch) return undefined
      const fetch = request as { topics: { topicId: string; partitions: { fetchOffset: number }[] }[] }
      const asked = fetch.topics[0]
      if (asked) next = asked.partitions[0]!.fetchOffset
      const said = answer(next)
      if ('errorCode' in said) return said
      const partitions = [{ partitionIndex: 0, highWatermark: 100, records: said.records }]
      return { responses: asked ? [{ topicId: asked.topicId, partitions }] : [] }
    },
  })
  const quick = { retryBackoffMs: 1, retryBackoffMaxMs: 5, reconnectBackoffMs: 1 }
  const consumer = createConsumer({ bootstrapServers: broker.bootstrap, ...quick })
  cleanups.push(
    () => broker.stop(),
    () => consumer.close({ timeoutMs: 100 }),
  )
  consumer.assign([{ topic: 't', partition: 0 }])
  consumer.seek({ topic: 't', partition: 0 }, 0)
  return consumer
}

async function valuesOf(consumer: Consumer): Promise<string[]> {
  return (await consumer.poll(20_000)).flatMap(b => b.records.map(r => String(r.value)))
}

test('poll does not fail after a temporary error, because the fetch is retried', async () => {
  let n = 0
  const consumer = await reading(() =>
    ++n < 5 ? { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR } : { records: batch(0, 'a') },
  )
  expect(await valuesOf(consumer)).toEqual(['a'])
})

test('a fetch is retried with a back-off if the broker repeatedly loses the fetch session', async () => {
  let n = 0
  const consumer = await reading(() => {
    n++
    return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
  })
  expect(await consumer.poll(200)).toEqual([])
  // In 200 ms, a back-off of 5 ms allows about 40 requests. Without a back-off there would be
  // hundreds.
  expect(n).toBeLessThan(100)
})

test('poll returns the records before an invalid batch, then fails with the offset of the batch; seek skips the batch', async () => {
  const broken = batch(2, 'c')
  broken[broken.length - 1]! ^= 0xff
  const log = [batch(0, 'a', 'b'), broken, batch(3, 'd')]
  const starts = [0, 2, 3]
  const consumer = await reading(offset => ({
    records: Buffer.concat(log.slice(starts.findLastIndex(s => s <= offset))),
  }))
  expect(await valuesOf(consumer)).toEqual(['a', 'b'])
  const partition = { topic: 't', partition: 0 }
  await expect(valuesOf(consumer)).rejects.toMatchObject({
    code: 'MR_CLIENT_CORRUPT_RECORDS',
    message: expect.stringContaining('at offset 2'),
  })
  consumer.seek(partition, 3)
  expect(await valuesOf(consumer)).toEqual(['d'])
})

test('after a leader change, poll returns no records until the position is validated', async () => {
  const partition = { topic: 't', partition: 0 }
  let log = [batch(0, 'a'), batch(1, 'b'), batch(2, 'lost')]
  let validations = 0
  interface Asked {
    topics: { topicId: string; partitions: { fetchOffset: number; currentLeaderEpoch: number }[] }[]
  }
  let asked: Asked['topics'][number]['partitions'][number] | undefined
  let topicId = ''
  const broker = await SimBroker.start({
    topics: { t: 1 },
    answer: (key, request) => {
      if (key === ApiKey.OffsetForLeaderEpoch) {
        // The new leader does not know its own epoch until the third validation.
        const tooEarly = ++validations < 3
        const answer = {
          partition: 0,
          errorCode: tooEarly ? ErrorCode.UNKNOWN_LEADER_EPOCH : 0,
          leaderEpoch: 0,
          endOffset: tooEarly ? -1 : 2,
        }
        return { topics: [{ topic: 't', partitions: [answer] }] }
      }
      if (key !== ApiKey.Fetch) return undefined
      const [topic] = (request as unknown as Asked).topics
      if (topic) [asked, topicId] = [topic.partitions[0], topic.topicId]
      const fenced = asked!.currentLeaderEpoch < (broker.options.leaderEpoch ?? 0)
      const outside = asked!.fetchOffset > log.length
      const answer = fenced
        ? { errorCode: ErrorCode.FENCED_LEADER_EPOCH }
        : outside
          ? { errorCode: ErrorCode.OFFSET_OUT_OF_RANGE }
          : { records: Buffer.concat(log.slice(asked!.fetchOffset)) }
      return { responses: [{ topicId, partitions: [{ partitionIndex: 0, highWatermark: log.length, ...answer }] }] }
    },
  })
  const consumer = createConsumer({ bootstrapServers: broker.bootstrap, retryBackoffMs: 1, retryBackoffMaxMs: 5 })
  cleanups.push(
    () => broker.stop(),
    () => consumer.close({ timeoutMs: 100 }),
  )
  consumer.assign([partition])
  consumer.seek(partition, 0)
  expect(await valuesOf(consumer)).toEqual(['a', 'b', 'lost'])
  log = [...log.slice(0, 2), batch(2, 'in its place'), batch(3, 'next')]
  broker.options = { ...broker.options, leaderEpoch: 1 }
  const values: string[] = []
  while (values.at(-1) !== 'next') values.push(...(await valuesOf(consumer)))
  expect(values).toEqual(['in its place', 'next'])
  expect(validations).toBe(3)
})

test('after a leader change without truncation, buffered records are neither repeated nor lost', async () => {
  const log = [batch(0, 'a'), batch(1, 'b'), batch(2, 'c', 'd'), batch(4, 'e'), batch(5, 'f')]
  const epochs = [0, 0, 1, 1, 2]
  for (const [i, b] of log.entries()) b.writeInt32BE(epochs[i]!, 12)
  const starts = [0, 1, 2, 4, 5]
  const ends = [2, 5]
  const asked: number[] = []
  let readable = 4
  let refreshes = 0
  const broker = await SimBroker.start({
    topics: { t: 1 },
    leaderEpoch: 1,
    answer: (key, request) => {
      if (key === ApiKey.Metadata) refreshes++
      if (key === ApiKey.OffsetForLeaderEpoch) {
        const { topics } = request as unknown as { topics: { partitions: { leaderEpoch: number }[] }[] }
        const { leaderEpoch } = topics[0]!.partitions[0]!
        asked.push(leaderEpoch)
        const answer = { partition: 0, errorCode: 0, leaderEpoch, endOffset: ends[leaderEpoch] ?? 6 }
        return { topics: [{ topic: 't', partitions: [answer] }] }
      }
      if (key !== ApiKey.Fetch) return undefined
      const { topics } = request as unknown as {
        topics: { topicId: string; partitions: { fetchOffset: number; currentLeaderEpoch: number }[] }[]
      }
      if (!topics[0]) return { responses: [] }
      const { fetchOffset, currentLeaderEpoch } = topics[0].partitions[0]!
      const isFenced = currentLeaderEpoch < broker.options.leaderEpoch!
      const from = starts.findLastIndex(s => s <= fetchOffset)
      const records = Buffer.concat(fetchOffset > 5 ? [] : log.slice(from, readable))
      const answer = isFenced ? { errorCode: ErrorCode.FENCED_LEADER_EPOCH } : { records }
      const partitions = [{ partitionIndex: 0, highWatermark: 6, ...answer }]
      return { responses: [{ topicId: topics[0].topicId, partitions }] }
    },
  })
  const consumer = createConsumer({
    bootstrapServers: broker.bootstrap,
    retryBackoffMs: 1,
    retryBackoffMaxMs: 5,
    metadataMaxAgeMs: 1,
    maxPollRecords: 1,
    autoOffsetReset: 'none',
  })
  cleanups.push(
    () => broker.stop(),
    () => consumer.close({ timeoutMs: 100 }),
  )
  const partition = { topic: 't', partition: 0 }
  consumer.assign([partition])
  consumer.seek(partition, 0)
  const values = await valuesOf(consumer)
  broker.options = { ...broker.options, leaderEpoch: 2 }
  // When the second Metadata request arrives, the client has handled the response to the first one.
  for (const before = refreshes; refreshes < before + 2; ) await nextTurn()
  // poll(0) does not wait for I/O, so no response can arrive between these calls.
  for (let i = 0; i < 4; i++) values.push(...(await consumer.poll(0)).flatMap(b => b.records.map(r => String(r.value))))
  readable = 5
  while (values.at(-1) !== 'f') values.push(...(await valuesOf(consumer)))
  expect(values).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  expect(asked[0]).toBe(0)
})

test('a consumer reads without validation from a broker that is too old to validate positions', async () => {
  const log = [batch(0, 'a'), batch(1, 'b')]
  const broker = await SimBroker.start({
    topics: { t: 1 },
    leaderEpoch: 1,
    answer: (key, request) => {
      if (key === ApiKey.ApiVersions) {
        const offered = [ApiKey.ApiVersions, ApiKey.Metadata, ApiKey.Fetch]
        return { apiKeys: offered.map(apiKey => ({ apiKey, minVersion: 4, maxVersion: 12 })) }
      }
      if (key !== ApiKey.Fetch) return undefined
      const { topics } = request as unknown as {
        topics: { topic: string; partitions: { fetchOffset: number; currentLeaderEpoch: number }[] }[]
      }
      if (!topics[0]) return { responses: [] }
      const { fetchOffset, currentLeaderEpoch } = topics[0].partitions[0]!
      const isFenced = currentLeaderEpoch < broker.options.leaderEpoch!
      const records = fetchOffset > 1 ? Buffer.alloc(0) : log[fetchOffset]!
      const answer = isFenced ? { errorCode: ErrorCode.FENCED_LEADER_EPOCH } : { records }
      return { responses: [{ topic: 't', partitions: [{ partitionIndex: 0, highWatermark: 2, ...answer }] }] }
    },
  })
  const consumer = createConsumer({ bootstrapServers: broker.bootstrap, retryBackoffMs: 1, retryBackoffMaxMs: 5 })
  cleanups.push(
    () => broker.stop(),
    () => consumer.close({ timeoutMs: 100 }),
  )
  consumer.assign([{ topic: 't', partition: 0 }])
  consumer.seek({ topic: 't', partition: 0 }, 0)
  expect(await valuesOf(consumer)).toEqual(['a'])
  broker.options = { ...broker.options, leaderEpoch: 2 }
  expect(await valuesOf(consumer)).toEqual(['b'])
})
