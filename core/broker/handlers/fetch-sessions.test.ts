import { expect, test } from 'vitest'
import { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import { decode, encode } from '../../protocol/schema/codec.ts'
import type { MessageInput } from '../../protocol/schema/declare.ts'
import type { FetchedPartition, FetchTarget } from './fetch-partition.ts'
import { type FetchContext, FetchSessions } from './fetch-sessions.ts'

const VERSION = 12

function request(input: MessageInput<typeof FetchRequest>) {
  return decode(FetchRequest, VERSION, Buffer.concat(encode(FetchRequest, VERSION, input)))
}

function fetchOf(partitions: [number, number][], session: { id: number; epoch: number }, forgotten: number[] = []) {
  return request({
    sessionId: session.id,
    sessionEpoch: session.epoch,
    topics: partitions.length
      ? [{ topic: 't', partitions: partitions.map(([partition, fetchOffset]) => ({ partition, fetchOffset })) }]
      : [],
    forgottenTopicsData: forgotten.length ? [{ topic: 't', partitions: forgotten }] : [],
  })
}

function read(target: FetchTarget, o: Partial<FetchedPartition> = {}): FetchedPartition {
  const nothing = { lastStableOffset: 0, logStartOffset: 0, aborted: null, chunks: [], size: 0, release: null }
  return { target, errorCode: 0, highWatermark: 0, ...nothing, ...o }
}

function context(sessions: FetchSessions, r: ReturnType<typeof request>): FetchContext {
  const c = sessions.contextOf(r, VERSION)
  if ('errorCode' in c) throw new Error(`error ${c.errorCode}`)
  return c
}

function open(sessions: FetchSessions, partitions: [number, number][]): number {
  const c = context(sessions, fetchOf(partitions, { id: 0, epoch: 0 }))
  return c.answer(c.targets.map(t => read(t))).sessionId
}

const returned = (c: FetchContext, how: (t: FetchTarget) => Partial<FetchedPartition>) =>
  c.answer(c.targets.map(t => read(t, how(t)))).partitions.map(p => p.target.partition)

test('without a session, every partition is returned each time, and nothing is stored', () => {
  const sessions = new FetchSessions(10, () => 0)
  const c = context(
    sessions,
    fetchOf(
      [
        [0, 0],
        [1, 5],
      ],
      { id: 0, epoch: -1 },
    ),
  )
  expect(returned(c, () => ({}))).toEqual([0, 1])
  expect(sessions.size).toBe(0)
})

test('within a session, only changed partitions are returned', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [
    [0, 0],
    [1, 0],
    [2, 0],
  ])
  expect(id).toBeGreaterThan(0)
  expect(returned(context(sessions, fetchOf([], { id, epoch: 1 })), () => ({}))).toEqual([])
  const moved = context(sessions, fetchOf([], { id, epoch: 2 }))
  expect(returned(moved, t => ({ highWatermark: t.partition === 1 ? 7 : 0 }))).toEqual([1])
})

test('a partition with an error is returned until the error is resolved, and once more after that', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [[0, 0]])
  const failing = { errorCode: 6, highWatermark: -1, logStartOffset: -1 }
  expect(returned(context(sessions, fetchOf([], { id, epoch: 1 })), () => failing)).toEqual([0])
  expect(returned(context(sessions, fetchOf([], { id, epoch: 2 })), () => failing)).toEqual([0])
  expect(returned(context(sessions, fetchOf([], { id, epoch: 3 })), () => ({}))).toEqual([0])
  expect(returned(context(sessions, fetchOf([], { id, epoch: 4 })), () => ({}))).toEqual([])
})

test('a request within a session adds partitions to the session and removes others', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [
    [0, 0],
    [1, 0],
  ])
  const c = context(
    sessions,
    fetchOf(
      [
        [1, 9],
        [3, 0],
      ],
      { id, epoch: 1 },
      [0],
    ),
  )
  expect(c.targets.map(t => [t.partition, t.fetchOffset])).toEqual([
    [1, 9],
    [3, 0],
  ])
})

test('a partition that returned data moves to the end of the queue', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [
    [0, 0],
    [1, 0],
    [2, 0],
  ])
  returned(context(sessions, fetchOf([], { id, epoch: 1 })), t => ({ size: t.partition === 0 ? 100 : 0 }))
  expect(context(sessions, fetchOf([], { id, epoch: 2 })).targets.map(t => t.partition)).toEqual([1, 2, 0])
})

test('a request with an unknown session or epoch gets an error, after which clients start a new session', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [[0, 0]])
  expect(sessions.contextOf(fetchOf([], { id: id ^ 1, epoch: 1 }), VERSION)).toEqual({ errorCode: 70 })
  expect(sessions.contextOf(fetchOf([], { id, epoch: 5 }), VERSION)).toEqual({ errorCode: 71 })
  expect(sessions.contextOf(fetchOf([], { id, epoch: 1 }), 13)).toEqual({ errorCode: 106 })
})

test('a request with the final epoch closes its session', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [[0, 0]])
  context(sessions, fetchOf([], { id, epoch: -1 }))
  expect(sessions.size).toBe(0)
})

test('if all slots are used, a new client gets no session until the oldest session is idle for two minutes', () => {
  let now = 0
  const sessions = new FetchSessions(2, () => now)
  const first = open(sessions, [[0, 0]])
  const second = open(sessions, [[0, 0]])
  expect(open(sessions, [[0, 0]])).toBe(0)
  now = 100_000
  context(sessions, fetchOf([], { id: first, epoch: 1 }))
  now = 121_000
  expect(open(sessions, [[0, 0]])).toBeGreaterThan(0)
  expect(sessions.contextOf(fetchOf([], { id: second, epoch: 1 }), VERSION)).toEqual({ errorCode: 70 })
  expect(sessions.size).toBe(2)
})

test('the number of partitions in all sessions is limited, and a client beyond the limit gets no session', () => {
  let now = 0
  const sessions = new FetchSessions(10, () => now, 5)
  const three: [number, number][] = [
    [0, 0],
    [1, 0],
    [2, 0],
  ]
  const first = open(sessions, three)
  expect(first).toBeGreaterThan(0)
  expect(open(sessions, three)).toBe(0)
  const second = open(sessions, three.slice(1))
  expect(second).toBeGreaterThan(0)
  expect(sessions.partitions).toBe(5)
  // A session that becomes too large is removed. Its client then gets all partitions each time,
  // because it gets no new session.
  expect(sessions.contextOf(fetchOf([[7, 0]], { id: first, epoch: 1 }), VERSION)).toEqual({ errorCode: 70 })
  expect(sessions.partitions).toBe(2)
  expect(sessions.contextOf(fetchOf([[7, 0]], { id: first, epoch: 1 }), VERSION)).toEqual({ errorCode: 70 })
  expect(open(sessions, [...three, [7, 0]])).toBe(0)
  // The other session is not affected.
  expect(returned(context(sessions, fetchOf([], { id: second, epoch: 1 })), () => ({}))).toEqual([])
  now = 120_001
  expect(open(sessions, [...three, [7, 0]])).toBeGreaterThan(0)
  expect(sessions.size).toBe(1)
  expect(sessions.partitions).toBe(4)
})

test('removing partitions from a session and closing a session free memory', () => {
  const sessions = new FetchSessions(10, () => 0, 3)
  const id = open(sessions, [
    [0, 0],
    [1, 0],
    [2, 0],
  ])
  context(sessions, fetchOf([[3, 0]], { id, epoch: 1 }, [0]))
  expect(sessions.partitions).toBe(3)
  context(sessions, fetchOf([], { id, epoch: 2 }, [1, 2]))
  expect(sessions.partitions).toBe(1)
  context(sessions, fetchOf([], { id, epoch: 3 }, [3]))
  expect([sessions.partitions, sessions.size]).toEqual([0, 0])
  const next = open(sessions, [[0, 0]])
  context(sessions, fetchOf([[0, 0]], { id: next, epoch: -1 }))
  expect([sessions.partitions, sessions.size]).toEqual([0, 0])
})

test('a request for thousands of nonexistent partitions is answered, but gets no session', () => {
  const sessions = new FetchSessions(10, () => 0)
  const ask = (n: number) => {
    const all = Array.from({ length: n }, (_, p): [number, number] => [p, 0])
    const c = context(sessions, fetchOf(all, { id: 0, epoch: 0 }))
    return c.answer(c.targets.map(t => read(t, { errorCode: 3 })))
  }
  expect(ask(1001)).toMatchObject({ sessionId: 0, partitions: { length: 1001 } })
  expect(sessions.partitions).toBe(0)
  // With fewer nonexistent partitions there is a session, because a deleted topic may be recreated.
  expect(ask(1000).sessionId).toBeGreaterThan(0)
})

test('a partition that a request contains twice is read once, from the last offset', () => {
  const sessions = new FetchSessions(10, () => 0)
  const twice = fetchOf(
    [
      [0, 5],
      [1, 0],
      [0, 9],
    ],
    { id: 0, epoch: -1 },
  )
  expect(context(sessions, twice).targets.map(t => [t.partition, t.fetchOffset])).toEqual([
    [0, 9],
    [1, 0],
  ])
})
