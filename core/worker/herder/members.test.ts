import { expect, test } from 'vitest'
import type { GroupMetadata } from '../../client/types.ts'
import { createLogger } from '../../common/log.ts'
import type { ThreadEvent } from '../task/host/messages-out.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'
import { Members } from './members.ts'
import { Watch } from './watch.ts'

const UNIT = 'task:x-0'
const identity: GroupMetadata = { groupId: 'connect-x', generationId: 3, memberId: 'm', groupInstanceId: null }

/** A thread whose pulse the test moves, and a group that notes what is said for its member. */
function setUp(timeoutMs = 300_000, known = true) {
  const said: string[] = []
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
      beat: async () => {
        said.push('beat')
        return known
      },
      leave: async reason => {
        said.push(`leave: ${reason}`)
      },
      close: () => {
        said.push('close')
      },
    }),
  })
  const watch = new Watch({ hosts: () => [host], members, timeoutMs, onEvent: event => events.push(event) })
  watch.close()
  /** So many seconds pass; the thread turns or stands still. */
  const pass = async (seconds: number, turns: boolean) => {
    for (let i = 0; i < seconds; i++) {
      if (turns && thread.pulse !== null) thread.pulse++
      watch.look(1000)
      await Promise.resolve()
      await Promise.resolve()
    }
  }
  return { said, events, ended, host, thread, members, pass }
}

test('while a thread stands still another beats for its member, as often as is configured, until it goes on', async () => {
  const { said, host, members, pass } = setUp()
  members.note(UNIT, host, identity)
  await pass(5, true)
  expect(said).toEqual([])
  await pass(8, false)
  expect(said).toEqual(['beat', 'beat', 'beat'])
  await pass(1, true)
  expect(said.at(-1)).toBe('close')
  await pass(20, true)
  expect(said).toHaveLength(4)
})

test('who stands still for longer than max.poll.interval.ms leaves the group', async () => {
  const { said, host, members, pass } = setUp()
  members.note(UNIT, host, identity)
  await pass(1, true)
  await pass(70, false)
  await members.close()
  expect(said.filter(s => s !== 'beat')).toEqual(['leave: max.poll.interval.ms exceeded', 'close'])
  expect(said.at(-1)).toBe('close')
})

test('a member that the group does not know any more is not insisted on', async () => {
  const { said, host, members, pass } = setUp(300_000, false)
  members.note(UNIT, host, identity)
  await pass(1, true)
  await pass(30, false)
  expect(said).toEqual(['beat'])
})

test('the member of a thread that has died leaves at once; one that has left itself, or is static, does not', async () => {
  const dead = setUp()
  dead.members.note(UNIT, dead.host, identity)
  dead.members.lost(dead.host)
  await dead.members.close()
  expect(dead.said).toEqual(['leave: the thread of the task has ended', 'close'])
  const orderly = setUp()
  orderly.members.note(UNIT, orderly.host, identity)
  orderly.members.note(UNIT, orderly.host, null)
  orderly.members.lost(orderly.host)
  const fixed = setUp()
  fixed.members.note(UNIT, fixed.host, { ...identity, groupInstanceId: 'i' })
  fixed.members.lost(fixed.host)
  expect([...orderly.said, ...fixed.said]).toEqual([])
})

test('a thread that stands still shows it, and is ended when it stays so; one that has not begun yet is left alone', async () => {
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

test('a sink may stand still for its max.poll.interval.ms, and with 0 anything for ever', async () => {
  const sink = setUp(20_000)
  sink.members.note(UNIT, sink.host, identity)
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
