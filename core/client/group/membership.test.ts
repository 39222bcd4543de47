import { expect, test } from 'vitest'
import { createLogger } from '../../common/log.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { Membership } from './membership.ts'

interface Call {
  readonly api: string
  answer(response: object): void
}

test('a member that leaves while a join is pending leaves the group after the join, and does not join again', async () => {
  const calls: Call[] = []
  const arrived: (() => void)[] = []
  const call = async (n: number): Promise<Call> => {
    while (calls.length < n) await new Promise<void>(resolve => arrived.push(resolve))
    return calls[n - 1]!
  }
  const options = { retryBackoffMs: 1, retryBackoffMaxMs: 1, requestTimeoutMs: 1000, logger: createLogger('test') }
  const coordinator = {
    groupId: 'g',
    known: true,
    cluster: { options },
    forgetAfter: () => false,
    request: (api: { name: string }) =>
      new Promise<object>(answer => {
        calls.push({ api: api.name, answer })
        for (const f of arrived.splice(0)) f()
      }),
  }
  let changed = () => undefined as void
  const membership = new Membership(
    coordinator as unknown as GroupCoordinator,
    {
      protocolType: 'test',
      metadata: () => [],
      assign: async () => new Map(),
      onPrepare: async () => undefined,
      onJoined: async () => expect.unreachable('it has left'),
    },
    {
      groupInstanceId: null,
      sessionTimeoutMs: 1000,
      heartbeatIntervalMs: 500,
      maxPollIntervalMs: 1000,
      rebalanceTimeoutMs: 1000,
    },
    () => changed(),
  )
  await membership.tick()
  const join = await call(1)
  await membership.leave('changed its mind', false, 1000)
  const settled = new Promise<void>(resolve => {
    changed = resolve
  })
  join.answer({ errorCode: 0, memberId: 'm', generationId: 1, leader: 'other', members: [] })
  const leave = await call(2)
  leave.answer({ errorCode: 0 })
  await settled
  expect(calls.map(c => c.api)).toEqual(['JoinGroup', 'LeaveGroup'])
  expect(membership.state).toMatchObject({ isMember: false, phase: 'unjoined', lost: false })
  membership.close()
})
