import { expect, test } from 'vitest'
import { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import { decode, encode } from '../../protocol/schema/codec.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { fetchHandler } from './01-fetch.ts'
import { FetchRoom } from './fetch-room.ts'
import { FetchSessions } from './fetch-sessions.ts'
import type { RequestContext } from './handler.ts'

test('what one fetch has taken, another does not get, before anything was sent', () => {
  const room = new FetchRoom(() => 0, 100)
  const first = room.reserve(70)
  expect(first.bytes).toBe(70)
  expect(room.reserve(70).bytes).toBe(30)
  expect(room.reserve(70).bytes).toBe(0)
  first.release()
  expect(room.reserve(50).bytes).toBe(50)
})

test('what waits to be sent counts too', () => {
  let unsent = 80
  const room = new FetchRoom(() => unsent, 100)
  expect(room.reserve(50).bytes).toBe(20)
  unsent = 500
  expect(room.reserve(50).bytes).toBe(0)
})

test('of what was reserved and not read others may have the rest, and a batch beyond it is counted', () => {
  const room = new FetchRoom(() => 0, 100)
  const small = room.reserve(100)
  small.read(10)
  expect(room.reserved).toBe(10)
  const large = room.reserve(50)
  large.read(95)
  expect(room.reserve(50).bytes).toBe(0)
  large.release()
  small.release()
  small.release()
  expect(room.reserved).toBe(0)
})

test('fetches that read at the same time share the room: together they read no more than there is, but for a batch each', async () => {
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
  const fetchRoom = new FetchRoom(() => 0, 1500)
  const broker = {
    config: { values: { 'fetch.max.bytes': 5000 } },
    image: () => ({ topicsByName: new Map([['t', { name: 't', id: ZERO_UUID, partitions: [partition] }]]) }),
    log: () => log,
    fetchSessions: new FetchSessions(0, () => 0),
    fetchRoom,
  }
  const ctx = { apiVersion: 12, signal: new AbortController().signal, broker } as unknown as RequestContext
  const bytes = Buffer.concat(
    encode(FetchRequest, 12, {
      maxBytes: 5000,
      topics: [{ topic: 't', partitions: [{ partition: 0, partitionMaxBytes: 5000 }] }],
    }),
  )
  const done = [1, 2, 3].map(() => fetchHandler.handle(decode(FetchRequest, 12, bytes), ctx))
  await new Promise(setImmediate)
  expect(wanted).toEqual([5000, 500, 0])
  expect(fetchRoom.reserved).toBe(1500)
  readAll()
  await Promise.all(done)
  await new Promise(setImmediate)
  expect(fetchRoom.reserved).toBe(0)
})
