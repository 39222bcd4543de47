import { afterAll, beforeAll, expect, test } from 'vitest'
import { ErrorCode } from '../protocol/error-codes.ts'
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/02-list-offsets.ts'
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/messages/09-offset-fetch.ts'
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../protocol/messages/15-describe-groups.ts'
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../protocol/messages/21-delete-records.ts'
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../protocol/messages/23-offset-for-leader-epoch.ts'
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../protocol/messages/32-describe-configs.ts'
import { DescribeProducersRequest, DescribeProducersResponse } from '../protocol/messages/61-describe-producers.ts'
import { RawClient } from './test-support/raw-client.ts'
import { startTestBroker, type TestBroker } from './test-support/test-broker.ts'

const UNKNOWN = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION

let b: TestBroker
let c: RawClient
beforeAll(async () => {
  b = await startTestBroker()
  c = await RawClient.connect(b.port)
  await c.request(MetadataRequest, MetadataResponse, 12, { topics: [{ name: 't' }] })
})
afterAll(async () => {
  c.close()
  await b.close()
})

const many = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

// The timeout is the check: it would be exceeded by quadratic work, or by one Error per partition.
test('ListOffsets answers a request for 200 000 partitions', { timeout: 10_000 }, async () => {
  const partitions = many(200_000).map(partitionIndex => ({ partitionIndex, timestamp: -1 }))
  const r = await c.request(ListOffsetsRequest, ListOffsetsResponse, 9, { topics: [{ name: 't', partitions }] })
  expect(r.topics[0]!.partitions.length).toBe(200_000)
  expect(new Set(r.topics[0]!.partitions.map(p => p.errorCode))).toEqual(new Set([UNKNOWN]))
})

test('Fetch, DeleteRecords and OffsetForLeaderEpoch answer requests for 100 000 nonexistent partitions', async () => {
  const numbers = many(100_000)
  const fetched = await c.request(FetchRequest, FetchResponse, 12, {
    topics: [{ topic: 't', partitions: numbers.map(partition => ({ partition })) }],
  })
  expect(fetched.responses[0]!.partitions.every(p => p.errorCode === UNKNOWN)).toBe(true)
  const deleted = await c.request(DeleteRecordsRequest, DeleteRecordsResponse, 2, {
    topics: [{ name: 't', partitions: numbers.map(partitionIndex => ({ partitionIndex })) }],
  })
  expect(deleted.topics[0]!.partitions.every(p => p.errorCode === UNKNOWN)).toBe(true)
  const epochs = await c.request(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, 4, {
    topics: [{ topic: 't', partitions: numbers.map(partition => ({ partition })) }],
  })
  expect(epochs.topics[0]!.partitions.every(p => p.errorCode === UNKNOWN)).toBe(true)
})

test('ListOffsets rejects a partition that occurs twice, even if its topic occurs twice', async () => {
  const topic = { name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }
  const r = await c.request(ListOffsetsRequest, ListOffsetsResponse, 9, { topics: [topic, topic] })
  expect(r.topics.flatMap(t => t.partitions.map(p => p.errorCode))).toEqual([42])
})

test('repeated items of a request are answered once, so a small request cannot cause a huge response', async () => {
  const thrice = <T>(x: T) => [x, x, x]
  const configs = await c.request(DescribeConfigsRequest, DescribeConfigsResponse, 4, {
    resources: thrice({ resourceType: 2, resourceName: 't' }),
  })
  expect(configs.results.map(r => [r.resourceName, r.errorCode])).toEqual([['t', 0]])
  const groups = await c.request(DescribeGroupsRequest, DescribeGroupsResponse, 5, { groups: thrice('g') })
  expect(groups.groups.map(g => g.groupId)).toEqual(['g'])
  const offsets = await c.request(OffsetFetchRequest, OffsetFetchResponse, 8, {
    groups: [...thrice({ groupId: 'g', topics: null }), { groupId: 'h', topics: null }],
  })
  expect(offsets.groups.map(g => g.groupId)).toEqual(['g', 'h'])
  const producers = await c.request(DescribeProducersRequest, DescribeProducersResponse, 0, {
    topics: thrice({ name: 't', partitionIndexes: [0, 0, 1] }),
  })
  expect(producers.topics.map(t => t.partitions.map(p => [p.partitionIndex, p.errorCode]))).toEqual([
    [
      [0, 0],
      [1, UNKNOWN],
    ],
  ])
})
