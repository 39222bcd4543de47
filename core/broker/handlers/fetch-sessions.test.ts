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

function asks(partitions: [number, number][], session: { id: number; epoch: number }, forgotten: number[] = []) {
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
  const c = context(sessions, asks(partitions, { id: 0, epoch: 0 }))
  return c.answer(c.targets.map(t => read(t))).sessionId
}

const told = (c: FetchContext, how: (t: FetchTarget) => Partial<FetchedPartition>) =>
  c.answer(c.targets.map(t => read(t, how(t)))).partitions.map(p => p.target.partition)

test('without a session every partition is answered each time, and none is kept', () => {
  const sessions = new FetchSessions(10, () => 0)
  const c = context(
    sessions,
    asks(
      [
        [0, 0],
        [1, 5],
      ],
      { id: 0, epoch: -1 },
    ),
  )
  expect(told(c, () => ({}))).toEqual([0, 1])
  expect(sessions.size).toBe(0)
})

test('within a session only what is new is told', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [
    [0, 0],
    [1, 0],
    [2, 0],
  ])
  expect(id).toBeGreaterThan(0)
  expect(told(context(sessions, asks([], { id, epoch: 1 })), () => ({}))).toEqual([])
  const moved = context(sessions, asks([], { id, epoch: 2 }))
  expect(told(moved, t => ({ highWatermark: t.partition === 1 ? 7 : 0 }))).toEqual([1])
})

test('an error is told again until it is gone, and its end is told too', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [[0, 0]])
  const failing = { errorCode: 6, highWatermark: -1, logStartOffset: -1 }
  expect(told(context(sessions, asks([], { id, epoch: 1 })), () => failing)).toEqual([0])
  expect(told(context(sessions, asks([], { id, epoch: 2 })), () => failing)).toEqual([0])
  expect(told(context(sessions, asks([], { id, epoch: 3 })), () => ({}))).toEqual([0])
  expect(told(context(sessions, asks([], { id, epoch: 4 })), () => ({}))).toEqual([])
})

test('partitions come and go by what a request names and forgets', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [
    [0, 0],
    [1, 0],
  ])
  const c = context(
    sessions,
    asks(
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

test('who got data goes to the end of the line', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [
    [0, 0],
    [1, 0],
    [2, 0],
  ])
  told(context(sessions, asks([], { id, epoch: 1 })), t => ({ size: t.partition === 0 ? 100 : 0 }))
  expect(context(sessions, asks([], { id, epoch: 2 })).targets.map(t => t.partition)).toEqual([1, 2, 0])
})

test('a session that is not known, or not at that epoch, is an error that clients start anew after', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [[0, 0]])
  expect(sessions.contextOf(asks([], { id: id ^ 1, epoch: 1 }), VERSION)).toEqual({ errorCode: 70 })
  expect(sessions.contextOf(asks([], { id, epoch: 5 }), VERSION)).toEqual({ errorCode: 71 })
  expect(sessions.contextOf(asks([], { id, epoch: 1 }), 13)).toEqual({ errorCode: 106 })
})

test('a request to close a session removes it', () => {
  const sessions = new FetchSessions(10, () => 0)
  const id = open(sessions, [[0, 0]])
  context(sessions, asks([], { id, epoch: -1 }))
  expect(sessions.size).toBe(0)
})

test('when all slots are taken a newcomer goes without, until the oldest has been idle for two minutes', () => {
  let now = 0
  const sessions = new FetchSessions(2, () => now)
  const first = open(sessions, [[0, 0]])
  const second = open(sessions, [[0, 0]])
  expect(open(sessions, [[0, 0]])).toBe(0)
  now = 100_000
  context(sessions, asks([], { id: first, epoch: 1 }))
  now = 121_000
  expect(open(sessions, [[0, 0]])).toBeGreaterThan(0)
  expect(sessions.contextOf(asks([], { id: second, epoch: 1 }), VERSION)).toEqual({ errorCode: 70 })
  expect(sessions.size).toBe(2)
})

test('what all sessions remember is bounded: who finds no room goes on without a session', () => {
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
  // one that grows too large is dropped; its client starts anew and gets everything, without one
  expect(sessions.contextOf(asks([[7, 0]], { id: first, epoch: 1 }), VERSION)).toEqual({ errorCode: 70 })
  expect(sessions.partitions).toBe(2)
  expect(sessions.contextOf(asks([[7, 0]], { id: first, epoch: 1 }), VERSION)).toEqual({ errorCode: 70 })
  expect(open(sessions, [...three, [7, 0]])).toBe(0)
  // the others do not notice
  expect(told(context(sessions, asks([], { id: second, epoch: 1 })), () => ({}))).toEqual([])
  now = 120_001
  expect(open(sessions, [...three, [7, 0]])).toBeGreaterThan(0)
  expect(sessions.size).toBe(1)
  expect(sessions.partitions).toBe(4)
})

test('what a session forgets, and a session that ends, makes room', () => {
  const sessions = new FetchSessions(10, () => 0, 3)
  const id = open(sessions, [
    [0, 0],
    [1, 0],
    [2, 0],
  ])
  context(sessions, asks([[3, 0]], { id, epoch: 1 }, [0]))
  expect(sessions.partitions).toBe(3)
  context(sessions, asks([], { id, epoch: 2 }, [1, 2]))
  expect(sessions.partitions).toBe(1)
  context(sessions, asks([], { id, epoch: 3 }, [3]))
  expect([sessions.partitions, sessions.size]).toEqual([0, 0])
  const next = open(sessions, [[0, 0]])
  context(sessions, asks([[0, 0]], { id: next, epoch: -1 }))
  expect([sessions.partitions, sessions.size]).toEqual([0, 0])
})

test('thousands of partitions that are not there are answered, and not remembered', () => {
  const sessions = new FetchSessions(10, () => 0)
  const ask = (n: number) => {
    const all = Array.from({ length: n }, (_, p): [number, number] => [p, 0])
    const c = context(sessions, asks(all, { id: 0, epoch: 0 }))
    return c.answer(c.targets.map(t => read(t, { errorCode: 3 })))
  }
  expect(ask(1001)).toMatchObject({ sessionId: 0, partitions: { length: 1001 } })
  expect(sessions.partitions).toBe(0)
  // a topic that was deleted may come back: a session keeps asking
  expect(ask(1000).sessionId).toBeGreaterThan(0)
})

test('a partition that is named twice is read once, from where it was named last', () => {
  const sessions = new FetchSessions(10, () => 0)
  const twice = asks(
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
