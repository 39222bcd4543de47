import { expect, test } from 'vitest'
import type { GroupDescription } from '../../../client/types.ts'
import { createLogger } from '../../../common/log.ts'
import { GroupWait, waitMessage } from './group-wait.ts'

const group = (state: string, members: readonly string[]): GroupDescription => ({
  groupId: 'connect-x',
  state,
  protocolType: 'consumer',
  protocol: '',
  members: members.map(memberId => ({ memberId, clientId: 'c', host: '/10.0.0.1' })),
})

function setUp(descriptions: (GroupDescription | Error)[]) {
  let now = 0
  const wait = new GroupWait({
    sessionTimeoutMs: 45_000,
    describe: async () => {
      const next = descriptions.shift() ?? new Error('no more descriptions')
      if (next instanceof Error) throw next
      return next
    },
    logger: createLogger('test.group-wait'),
    now: () => now,
  })
  /**
   * Returns the message after `ms` milliseconds in which the member `me` has been joining the
   * group.
   */
  const after = async (ms: number): Promise<string | null> => {
    now += ms
    wait.check({ memberId: 'me' })
    await Promise.resolve()
    await Promise.resolve()
    return wait.check({ memberId: 'me' })
  }
  return { wait, after }
}

test('a message about a rebalance appears after 5 s, and disappears when the member has joined', async () => {
  const { wait, after } = setUp([group('PreparingRebalance', ['me', 'old']), group('PreparingRebalance', ['me'])])
  expect(await after(0)).toBe(null)
  expect(await after(4999)).toBe(null)
  expect(await after(1)).toMatch(/^waiting for the group connect-x to rebalance: .* 45 s; .* old \(\/10\.0\.0\.1\)$/)
  expect(await after(4999)).toContain('old')
  expect(await after(1)).toBe('waiting for the group connect-x to rebalance')
  expect(wait.check(null)).toBe(null)
  expect(await after(1000), 'a new join starts a new wait').toBe(null)
})

test('while the group cannot be described there is no message, and the description is requested again', async () => {
  const { after } = setUp([new Error('no coordinator'), group('PreparingRebalance', ['me', 'old'])])
  await after(0)
  expect(await after(5000)).toBe(null)
  expect(await after(5000)).toContain('old')
})

test('the message depends on the state of the group and lists at most five members', () => {
  expect(waitMessage(group('Stable', ['me', 'a']), 'me', 6000)).toBe(null)
  expect(waitMessage(group('CompletingRebalance', ['me', 'a']), 'me', 6000)).toContain('the leader of the group')
  const many = waitMessage(group('PreparingRebalance', ['a', 'b', 'c', 'd', 'e', 'f', 'g']), 'me', 6000)
  expect(many).toMatch(/e \(\/10\.0\.0\.1\) and 2 more$/)
})
