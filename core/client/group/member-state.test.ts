import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { MemberState } from './member-state.ts'

const TIMINGS = { sessionTimeoutMs: 1000, heartbeatIntervalMs: 100, maxPollIntervalMs: 5000 }
const ANSWER = { memberId: 'm', generation: 3 }

/** Returns a member that joined at time 0. */
function stable(): MemberState {
  const s = new MemberState(TIMINGS)
  s.polled(0)
  s.joinSent()
  expect(s.joinAnswered(0, ANSWER, 0)).toBe('done')
  expect(s.syncAnswered(0, 0)).toBe('done')
  return s
}

test('a member joins and syncs, and first gets an id if the coordinator requires one', () => {
  const s = new MemberState(TIMINGS)
  expect(s.needsJoin).toBe(true)
  s.joinSent()
  expect(s.needsJoin).toBe(false)
  expect(s.joinAnswered(ErrorCode.MEMBER_ID_REQUIRED, { memberId: 'given', generation: -1 }, 0)).toBe('again')
  expect([s.memberId, s.isMember, s.lost]).toEqual(['given', false, false])
  s.joinSent()
  s.joinAnswered(0, ANSWER, 0)
  expect([s.memberId, s.generation, s.phase, s.sendsHeartbeats]).toEqual(['m', 3, 'syncing', true])
  s.syncAnswered(0, 0)
  expect([s.phase, s.needsJoin]).toEqual(['stable', false])
})

test.for([
  ['COORDINATOR_LOAD_IN_PROGRESS', 'rejoin'],
  ['REBALANCE_IN_PROGRESS', 'rejoin'],
  ['NOT_COORDINATOR', 'find-coordinator'],
  ['COORDINATOR_NOT_AVAILABLE', 'find-coordinator'],
  ['INCONSISTENT_GROUP_PROTOCOL', 'fail'],
  ['GROUP_AUTHORIZATION_FAILED', 'fail'],
  ['FENCED_INSTANCE_ID', 'fail'],
  ['GROUP_MAX_SIZE_REACHED', 'fail'],
] as const)('after the response %s to a join, the next step is %s', ([code, step]) => {
  const s = new MemberState(TIMINGS)
  s.joinSent()
  expect(s.joinAnswered(ErrorCode[code], { memberId: '', generation: -1 }, 0)).toBe(step)
  expect(s.needsJoin).toBe(true)
})

test('a member that the coordinator has removed loses its membership and its id', () => {
  const s = stable()
  expect(s.heartbeatAnswered(ErrorCode.UNKNOWN_MEMBER_ID, 3, 0)).toBe('rejoin')
  expect([s.memberId, s.isMember, s.lost, s.needsJoin, s.sendsHeartbeats]).toEqual(['', false, true, true, false])
})

test('after ILLEGAL_GENERATION, the member keeps its id and loses its generation', () => {
  const s = stable()
  s.heartbeatAnswered(ErrorCode.ILLEGAL_GENERATION, 3, 0)
  expect([s.memberId, s.isMember, s.lost]).toEqual(['m', false, true])
})

test('a rebalance makes the member join again with its id and generation', () => {
  const s = stable()
  expect(s.heartbeatAnswered(ErrorCode.REBALANCE_IN_PROGRESS, 3, 0)).toBe('rejoin')
  expect([s.needsJoin, s.lost, s.memberId, s.generation]).toEqual([true, false, 'm', 3])
})

test('an error in response to a heartbeat or a commit of an earlier generation is ignored', () => {
  const s = stable()
  expect(s.heartbeatAnswered(ErrorCode.UNKNOWN_MEMBER_ID, 2, 0)).toBe('done')
  expect(s.isMember).toBe(true)
  s.commitRejected(ErrorCode.ILLEGAL_GENERATION, 2)
  expect(s.isMember).toBe(true)
})

test('heartbeats are due at the interval; the session times out without responses, and the poll interval without polls', () => {
  const s = stable()
  expect(s.nextHeartbeat).toBe(100)
  s.heartbeatSent(150)
  expect(s.nextHeartbeat).toBe(250)
  expect([s.sessionExpired(1000), s.sessionExpired(1001)]).toEqual([false, true])
  s.heartbeatAnswered(0, 3, 900)
  expect(s.sessionExpired(1900)).toBe(false)
  expect([s.pollExpired(5000), s.pollExpired(5001)]).toEqual([false, true])
  s.polled(4000)
  expect(s.pollExpired(9000)).toBe(false)
})

test('the error of a rejected commit requests a rejoin or ends the membership', () => {
  const s = stable()
  s.commitRejected(ErrorCode.REBALANCE_IN_PROGRESS, 3)
  expect([s.needsJoin, s.lost]).toEqual([true, false])
  s.commitRejected(ErrorCode.UNKNOWN_MEMBER_ID, 3)
  expect([s.phase, s.lost]).toEqual(['unjoined', true])
})

test('the states stay consistent for any responses in any order', () => {
  const codes = [
    0,
    ...[
      'UNKNOWN_MEMBER_ID',
      'ILLEGAL_GENERATION',
      'REBALANCE_IN_PROGRESS',
      'NOT_COORDINATOR',
      'MEMBER_ID_REQUIRED',
      'COORDINATOR_LOAD_IN_PROGRESS',
      'FENCED_INSTANCE_ID',
    ].map(n => ErrorCode[n as 'NONE']),
  ]
  const event = fc.record({
    kind: fc.constantFrom('join', 'sync', 'heartbeat', 'commit', 'leave', 'rejoin'),
    code: fc.constantFrom(...codes),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), events => {
      const s = new MemberState(TIMINGS)
      let generation = 0
      for (const { kind, code } of events) {
        if (kind === 'join' && s.needsJoin) {
          s.joinSent()
          s.joinAnswered(code, { memberId: 'm', generation: ++generation }, 0)
        } else if (kind === 'sync' && s.phase === 'syncing') s.syncAnswered(code, 0)
        else if (kind === 'heartbeat' && s.sendsHeartbeats) s.heartbeatAnswered(code, s.generation, 0)
        else if (kind === 'commit') s.commitRejected(code, s.generation)
        else if (kind === 'leave') s.left(true)
        else if (kind === 'rejoin') s.requestRejoin('test')
        if (s.phase === 'stable' || s.phase === 'syncing') expect(s.isMember || s.lost).toBe(true)
        if (s.sendsHeartbeats) expect(s.memberId).not.toBe('')
        if (s.phase === 'unjoined') expect(s.needsJoin).toBe(true)
      }
    }),
  )
})
