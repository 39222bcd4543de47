import { expect, test } from 'vitest'
import type { GroupMetadata } from '../../client/types.ts'
import { createLogger } from '../../common/log.ts'
import type { ThreadEvent } from '../task/host/messages-out.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'
import { Members } from './members.ts'
import { Watch } from './watch.ts'

const UNIT = 'task:x-0'
const identity: GroupMetadata = { groupId: 'connect-x', generationId: 3, memberId: 'm', groupInstanceId: null }

/**
 * Creates a thread and its group member. The test controls the thread's pulse, the counter that
 * shows that the event loop is not blocked. The requests that are sent for the member are recorded.
 */
function setUp(timeoutMs = 300_000, known = true) {
  const requests: string[] = []
  const events: ThreadEvent[] = []
  const ended: string[] = []
  const thread = {
    name: 'x-0',
    pulse: 0 as number | null,
    alive: true,
    units: new Set([UNIT]),
    terminate: async (error: Error) => ended.push(error.message),
  }
  const host = thread as unknown as ThreadHost
  const members = new Members({
    consumer: () => ({
      'bootstrap.servers': 'h:1',
      'session.timeout.ms': '10000',
      'heartbeat.interval.ms': '3000',
      'max.poll.interval.ms': '60000',
    }),
    logger: createLogger('test.members'),
    standIn: () => ({
      heartbeat: async () => {
        requests.push('heartbeat')
        return known
      },
      leave: async reason => {
        requests.push(`leave: ${reason}`)
      },
      close: () => {
        requests.push('close')
      },
    }),
  })
  const watch = new Watch({ hosts: () => [host], members, timeoutMs, onEvent: event => events.push(event) })
  watch.close()
  /**
   * Simulates seconds in which the thread's event loop turns or, if `turns` is false, is blocked.
   */
  const pass = async (seconds: number, turns: boolean) => {
    for (let i = 0; i < seconds; i++) {
      if (turns && thread.pulse !== null) thread.pulse++
      watch.check(1000)
      await Promise.resolve()
      await Promise.resolve()
    }
  }
  return { requests, events, ended, host, thread, members, pass }
}

test('while a thread is blocked, heartbeats are sent for its member at heartbeat.interval.ms', async () => {
  const { requests, host, members, pass } = setUp()
  members.set(UNIT, host, identity)
  await pass(5, true)
  expect(requests).toEqual([])
  await pass(8, false)
  expect(requests).toEqual(['heartbeat', 'heartbeat', 'heartbeat'])
  await pass(1, true)
  expect(requests.at(-1)).toBe('close')
  await pass(20, true)
  expect(requests).toHaveLength(4)
})

test('a member leaves its group after its thread has been blocked for max.poll.interval.ms', async () => {
  const { requests, host, members, pass } = setUp()
  members.set(UNIT, host, identity)
  await pass(1, true)
  await pass(70, false)
  await members.close()
  expect(requests.filter(s => s !== 'heartbeat')).toEqual(['leave: max.poll.interval.ms exceeded', 'close'])
  expect(requests.at(-1)).toBe('close')
})

test('no more heartbeats are sent for a member that the group has removed', async () => {
  const { requests, host, members, pass } = setUp(300_000, false)
  members.set(UNIT, host, identity)
  await pass(1, true)
  await pass(30, false)
  expect(requests).toEqual(['heartbeat'])
})

test('when a thread ends, its member leaves the group at once, unless it is static or has already left', async () => {
  const dead = setUp()
  dead.members.set(UNIT, dead.host, identity)
  dead.members.threadEnded(dead.host)
  await dead.members.close()
  expect(dead.requests).toEqual(['leave: the thread of the task has ended', 'close'])
  const orderly = setUp()
  orderly.members.set(UNIT, orderly.host, identity)
  orderly.members.set(UNIT, orderly.host, null)
  orderly.members.threadEnded(orderly.host)
  const fixed = setUp()
  fixed.members.set(UNIT, fixed.host, { ...identity, groupInstanceId: 'i' })
  fixed.members.threadEnded(fixed.host)
  expect([...orderly.requests, ...fixed.requests]).toEqual([])
})

test('a blocked thread is reported, and is terminated after task.blocked.timeout.ms, unless it is still loading', async () => {
  const { events, ended, thread, pass } = setUp(20_000)
  thread.pulse = null
  await pass(100, false)
  thread.pulse = 0
  await pass(1, true)
  await pass(12, false)
  expect(events).toMatchObject([{ type: 'blocked', unit: UNIT, since: expect.any(Number) }])
  await pass(1, true)
  expect(events.at(-1)).toEqual({ type: 'blocked', unit: UNIT, since: null })
  await pass(19, false)
  expect(ended).toEqual([])
  await pass(1, false)
  expect(ended[0]).toMatch(/MR_TASK_BLOCKED/)
})

test('a sink may block its thread for max.poll.interval.ms, and a timeout of 0 means no limit', async () => {
  const sink = setUp(20_000)
  sink.members.set(UNIT, sink.host, identity)
  await sink.pass(1, true)
  await sink.pass(59, false)
  expect(sink.ended).toEqual([])
  await sink.pass(2, false)
  expect(sink.ended[0]).toMatch(/MR_TASK_BLOCKED/)
  const patient = setUp(0)
  await patient.pass(1, true)
  await patient.pass(10_000, false)
  expect(patient.ended).toEqual([])
})
