import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { FetchSession, type FetchTarget } from './fetch-session.ts'

const target = (partition: number, fetchOffset = 0, topicId = 'id'): FetchTarget => ({
  topic: 't',
  topicId,
  partition,
  fetchOffset,
  leaderEpoch: 0,
  maxBytes: 100,
})
const targets = (...list: FetchTarget[]) => new Map(list.map(t => [`${t.topic}:${t.partition}`, t]))
const partitions = (list: readonly FetchTarget[]) => list.map(t => t.partition)

test('after a full request, a session sends only changes, and names the partitions to remove', () => {
  const s = new FetchSession()
  expect(s.plan(targets(target(0), target(1)), true)).toMatchObject({ sessionId: 0, epoch: 0, forget: [] })
  s.answered(0, 77)
  expect(s.plan(targets(target(0), target(1)), true)).toMatchObject({ sessionId: 77, epoch: 1, send: [], forget: [] })
  s.answered(0, 77)
  const plan = s.plan(targets(target(0, 5), target(2)), true)
  expect([plan.epoch, partitions(plan.send), partitions(plan.forget)]).toEqual([2, [0, 2], [1]])
})

test('a recreated topic is removed by its old id and added by its new id', () => {
  const s = new FetchSession()
  s.plan(targets(target(0)), true)
  s.answered(0, 7)
  const plan = s.plan(targets(target(0, 0, 'new')), true)
  expect([plan.forget[0]!.topicId, plan.send[0]!.topicId]).toEqual(['id', 'new'])
})

test('a broker whose session cache is full gets full requests', () => {
  const s = new FetchSession()
  s.plan(targets(target(0)), true)
  s.answered(0, 0)
  expect(s.plan(targets(target(0)), true)).toMatchObject({ sessionId: 0, epoch: 0, send: [target(0)] })
})

test('after an error or a lost response, the next request starts a new session', () => {
  const s = new FetchSession()
  s.plan(targets(target(0)), true)
  s.answered(0, 7)
  s.plan(targets(target(0)), true)
  expect(s.answered(ErrorCode.INVALID_FETCH_SESSION_EPOCH, 0)).toBe(false)
  expect(s.plan(targets(target(0)), true)).toMatchObject({ sessionId: 7, epoch: 0, send: [target(0)] })
  s.answered(0, 8)
  s.failed()
  expect(s.plan(targets(target(0)), true)).toMatchObject({ sessionId: 8, epoch: 0 })
  s.answered(ErrorCode.FETCH_SESSION_ID_NOT_FOUND, 0)
  expect(s.plan(targets(target(0)), true)).toMatchObject({ sessionId: 0, epoch: 0 })
})

test('a session that identifies topics by name is replaced when topics are identified by id', () => {
  const s = new FetchSession()
  s.plan(targets(target(0)), false)
  s.answered(0, 7)
  expect(s.plan(targets(target(0)), true)).toMatchObject({ epoch: 0, send: [target(0)] })
})

test("after any sequence of requests, the broker's session contains exactly the targets and their offsets", () => {
  const wish = fc.dictionary(fc.constantFrom('0', '1', '2', '3'), fc.nat(3))
  const step = fc.record({ wish, outcome: fc.constantFrom('ok', 'ok', 'ok', 'failed', 'expired') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const s = new FetchSession()
      // The session as the simulated broker stores it.
      let session: { id: number; epoch: number; known: Map<number, number> } | null = null
      let nextId = 1
      for (const { wish: wanted, outcome } of steps) {
        const now = targets(...Object.entries(wanted).map(([p, offset]) => target(Number(p), offset)))
        const plan = s.plan(now, true)
        if (outcome === 'failed') {
          s.failed()
          continue
        }
        if (outcome === 'expired') session = null
        if (plan.epoch !== 0 && (session === null || session.id !== plan.sessionId || session.epoch !== plan.epoch)) {
          s.answered(session === null ? ErrorCode.FETCH_SESSION_ID_NOT_FOUND : ErrorCode.INVALID_FETCH_SESSION_EPOCH, 0)
          continue
        }
        if (plan.epoch === 0) session = { id: nextId++, epoch: 0, known: new Map() }
        for (const t of plan.forget) session!.known.delete(t.partition)
        for (const t of plan.send) session!.known.set(t.partition, t.fetchOffset)
        session!.epoch++
        s.answered(0, session!.id)
        expect(Object.fromEntries(session!.known)).toEqual(wanted)
      }
    }),
  )
})
