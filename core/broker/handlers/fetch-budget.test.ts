import { expect, test } from 'vitest'
import { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import { decode, encode } from '../../protocol/schema/codec.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { BrokerStats } from '../metrics/broker-stats.ts'
import { fetchHandler } from './01-fetch.ts'
import { FetchBudget } from './fetch-budget.ts'
import { FetchSessions } from './fetch-sessions.ts'
import type { RequestContext } from './handler.ts'

test('bytes that one fetch has reserved are not available to another fetch, even before they are sent', () => {
  const budget = new FetchBudget(() => 0, 100)
  const first = budget.reserve(70)
  expect(first.bytes).toBe(70)
  expect(budget.reserve(70).bytes).toBe(30)
  expect(budget.reserve(70).bytes).toBe(0)
  first.release()
  expect(budget.reserve(50).bytes).toBe(50)
})

test('unsent bytes reduce the bytes that a fetch can reserve', () => {
  let unsent = 80
  const budget = new FetchBudget(() => unsent, 100)
  expect(budget.reserve(50).bytes).toBe(20)
  unsent = 500
  expect(budget.reserve(50).bytes).toBe(0)
})

test('the unused part of a reservation is available again, and a batch larger than its reservation is counted', () => {
  const budget = new FetchBudget(() => 0, 100)
  const small = budget.reserve(100)
  small.read(10)
  expect(budget.reserved).toBe(10)
  const large = budget.reserve(50)
  large.read(95)
  expect(budget.reserve(50).bytes).toBe(0)
  large.release()
  small.release()
  small.release()
  expect(budget.reserved).toBe(0)
})

test('concurrent fetches together exceed the limit by at most one batch each', async () => {
  const partition = {
    partition: 0,
    leader: 1,
    leaderEpoch: 0,
    replicas: [1],
    isr: [1],
    partitionEpoch: 0,
    directories: [],
  }
  const wanted: number[] = []
  const { promise: disk, resolve: readAll } = Promise.withResolvers<void>()
  const log = {
    highWatermark: 1000,
    lastStableOffset: 1000,
    logStartOffset: 0,
    logEndOffset: 1000,
    bytesAvailable: (_offset: number, cap: number) => Math.min(cap, 1000),
    async read(_offset: number, want: number) {
      wanted.push(want)
      await disk
      return { chunks: [], size: want, highWatermark: 1000, lastStableOffset: 1000, logStartOffset: 0 }
    },
  }
  const fetchBudget = new FetchBudget(() => 0, 1500)
  const broker = {
    config: { values: { 'fetch.max.bytes': 5000 } },
    image: () => ({ topicsByName: new Map([['t', { name: 't', id: ZERO_UUID, partitions: [partition] }]]) }),
    log: () => log,
    fetchSessions: new FetchSessions(0, () => 0),
    stats: new BrokerStats(),
    fetchBudget,
  }
  const ctx = { apiVersion: 12, signal: new AbortController().signal, broker } as unknown as RequestContext
  const bytes = Buffer.concat(
    encode(FetchRequest, 12, {
      maxBytes: 5000,
      topics: [{ topic: 't', partitions: [{ partition: 0, partitionMaxBytes: 5000 }] }],
    }),
  )
  const done = [1, 2, 3].map(async () => fetchHandler.handle(decode(FetchRequest, 12, bytes), ctx))
  await new Promise(setImmediate)
  expect(wanted).toEqual([5000, 500, 0])
  expect(fetchBudget.reserved).toBe(1500)
  readAll()
  await Promise.all(done)
  await new Promise(setImmediate)
  expect(fetchBudget.reserved).toBe(0)
})
