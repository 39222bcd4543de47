import { expect, test } from 'vitest'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import { GroupSim, proto } from '../test-support/group-sim.ts'
import type { GroupSnapshot, JoinReply } from './types.ts'

const E = ErrorCode

/** Returns a stable group of members m1, m2 ... Each member's assignment is its own id. */
function stableGroup(size: number, settings: ConstructorParameters<typeof GroupSim>[0] = {}): GroupSim {
  const sim = new GroupSim({ initialRebalanceDelayMs: 100, ...settings })
  const joins = Array.from({ length: size }, () => sim.join())
  sim.advance(200)
  syncAll(
    sim,
    joins.map(j => j.reply!),
  )
  expect(sim.group.state).toBe('Stable')
  return sim
}

function syncAll(sim: GroupSim, replies: readonly JoinReply[]) {
  return replies.map(r =>
    sim.sync({
      memberId: r.memberId,
      generationId: r.generationId,
      assignments: r.members.map(m => ({ memberId: m.memberId, assignment: Buffer.from(m.memberId) })),
    }),
  )
}

const protocol = (name: string, text: string) => ({ name, metadata: Buffer.from(text) })

test('the first member leads generation 1 and receives the metadata of all members', () => {
  const sim = new GroupSim()
  const { reply } = sim.join({ protocols: [protocol('range', 'mine')] })
  expect(reply).toMatchObject({ errorCode: 0, generationId: 1, leader: 'm1', memberId: 'm1', protocolName: 'range' })
  expect(reply!.members).toEqual([{ memberId: 'm1', groupInstanceId: null, metadata: Buffer.from('mine') }])
  expect(reply!.protocolType).toBe('consumer')
  expect(sim.group.state).toBe('CompletingRebalance')
})

test('followers wait in sync for the leader, and each member receives its own assignment', () => {
  const sim = new GroupSim({ initialRebalanceDelayMs: 100 })
  const joins = [sim.join(), sim.join(), sim.join()]
  sim.advance(200)
  const [leader, ...others] = joins.map(j => j.reply!)
  expect(others.every(o => o.members.length === 0 && o.leader === leader!.memberId)).toBe(true)
  const early = syncAll(sim, others)
  expect(early.map(w => w.reply)).toEqual([null, null])
  const [led] = syncAll(sim, [leader!])
  expect(led!.reply!.assignment.toString()).toBe('m1')
  expect(early.map(w => w.reply!.assignment.toString())).toEqual(['m2', 'm3'])
  expect(sim.group.state).toBe('Stable')
  expect(sim.written.at(-1)).toMatchObject({ generation: 1, protocol: 'range', leader: 'm1', protocolType: 'consumer' })
  expect(sim.written.at(-1)!.members.map(m => m.assignment.toString())).toEqual(['m1', 'm2', 'm3'])
})

test('the assignment is sent only after its record has been written', () => {
  const sim = new GroupSim()
  const { reply } = sim.join()
  sim.autoWrite = false
  const [wait] = syncAll(sim, [reply!])
  expect(wait!.reply).toBe(null)
  expect(sim.group.state).toBe('CompletingRebalance')
  sim.write()
  expect(wait!.reply!.errorCode).toBe(0)
  expect(sim.group.state).toBe('Stable')
})

test('if the assignment cannot be written, the sync fails and a new rebalance starts', () => {
  const sim = new GroupSim()
  const { reply } = sim.join()
  sim.autoWrite = false
  const [wait] = syncAll(sim, [reply!])
  sim.write(E.NOT_COORDINATOR)
  expect(wait!.reply!.errorCode).toBe(E.NOT_COORDINATOR)
  expect(sim.group.state).toBe('PreparingRebalance')
})

test('a member missing from the assignment gets an empty one', () => {
  const sim = new GroupSim({ initialRebalanceDelayMs: 100 })
  const joins = [sim.join(), sim.join()]
  sim.advance(200)
  const other = sim.sync({ memberId: 'm2', generationId: 1 })
  sim.sync({ memberId: 'm1', generationId: 1, assignments: [{ memberId: 'm1', assignment: Buffer.from('all') }] })
  expect(joins[0]!.reply!.leader).toBe('m1')
  expect(other.reply).toMatchObject({ errorCode: 0, assignment: Buffer.alloc(0) })
})

test('since v4, a new dynamic member must join again with its assigned id', () => {
  const sim = new GroupSim()
  const first = sim.join({ requireKnownMemberId: true })
  expect(first.reply).toMatchObject({ errorCode: E.MEMBER_ID_REQUIRED, memberId: 'm1' })
  expect(sim.group.state).toBe('Empty')
  expect(sim.join({ memberId: 'm1' }).reply).toMatchObject({ errorCode: 0, generationId: 1, memberId: 'm1' })
})

test('an assigned id that is not used within the session timeout is removed', () => {
  const sim = new GroupSim()
  sim.join({ requireKnownMemberId: true, sessionTimeoutMs: 6000 })
  expect(sim.group.hasNoMembers).toBe(false)
  sim.advance(6001)
  expect(sim.group.hasNoMembers).toBe(true)
  expect(sim.join({ memberId: 'm1' }).reply!.errorCode).toBe(E.UNKNOWN_MEMBER_ID)
})

test('a rebalance waits for a member that was assigned an id and has not joined again yet', () => {
  const sim = stableGroup(1)
  sim.join({ requireKnownMemberId: true })
  const rejoin = sim.join({ memberId: 'm1' })
  expect(rejoin.reply).toBe(null)
  const fresh = sim.join({ memberId: 'm2' })
  expect(rejoin.reply!.generationId).toBe(2)
  expect(fresh.reply!.generationId).toBe(2)
})

test('an unknown member id is rejected', () => {
  const sim = stableGroup(1)
  expect(sim.join({ memberId: 'ghost' }).reply).toMatchObject({ errorCode: E.UNKNOWN_MEMBER_ID, memberId: 'ghost' })
  expect(sim.heartbeat('ghost', 1)).toBe(E.UNKNOWN_MEMBER_ID)
  expect(sim.sync({ memberId: 'ghost', generationId: 1 }).reply!.errorCode).toBe(E.UNKNOWN_MEMBER_ID)
})

test('each new member delays the first rebalance of an empty group, up to the rebalance timeout', () => {
  const sim = new GroupSim({ initialRebalanceDelayMs: 3000 })
  const joins = [sim.join({ rebalanceTimeoutMs: 7000 })]
  sim.advance(2000)
  joins.push(sim.join({ rebalanceTimeoutMs: 7000 }))
  sim.advance(1500)
  expect(joins[0]!.reply).toBe(null)
  joins.push(sim.join({ rebalanceTimeoutMs: 7000 }))
  sim.advance(3000)
  expect(joins[0]!.reply).toBe(null)
  sim.advance(1000)
  expect(joins.map(j => j.reply?.generationId)).toEqual([1, 1, 1])
})

test('members that do not rejoin within the rebalance timeout are removed', () => {
  const sim = stableGroup(2)
  const rejoin = sim.join({ memberId: 'm1' })
  expect(sim.heartbeat('m2', 1)).toBe(E.REBALANCE_IN_PROGRESS)
  for (let i = 0; i < 7; i++) {
    sim.advance(9000)
    sim.heartbeat('m2', 1)
  }
  expect(rejoin.reply).toMatchObject({ errorCode: 0, generationId: 2 })
  expect(rejoin.reply!.members.map(m => m.memberId)).toEqual(['m1'])
  expect(sim.heartbeat('m2', 1)).toBe(E.UNKNOWN_MEMBER_ID)
})

test('a member that sends no heartbeat is removed after its session timeout, and the others rebalance', () => {
  const sim = stableGroup(2)
  sim.advance(9000)
  expect(sim.heartbeat('m1', 1)).toBe(0)
  sim.advance(2000)
  expect(sim.group.state).toBe('PreparingRebalance')
  expect(sim.heartbeat('m1', 1)).toBe(E.REBALANCE_IN_PROGRESS)
  expect(sim.join({ memberId: 'm1' }).reply).toMatchObject({ generationId: 2, leader: 'm1' })
})

test('a member that waits in a join or a sync needs no heartbeats', () => {
  const sim = stableGroup(2)
  const rejoin = sim.join({ memberId: 'm1' })
  for (let i = 0; i < 4; i++) {
    sim.advance(9000)
    sim.heartbeat('m2', 1)
  }
  const other = sim.join({ memberId: 'm2' })
  expect([rejoin.reply!.errorCode, other.reply!.errorCode]).toEqual([0, 0])
  const sync = sim.sync({ memberId: 'm2', generationId: 2 })
  for (let i = 0; i < 4; i++) {
    sim.advance(9000)
    expect(sim.heartbeat('m1', 2)).toBe(0)
  }
  syncAll(sim, [rejoin.reply!])
  expect(sync.reply!.errorCode).toBe(0)
})

test('members that never sync are removed after the rebalance timeout', () => {
  const sim = new GroupSim({ initialRebalanceDelayMs: 100 })
  const joins = [sim.join(), sim.join()]
  sim.advance(200)
  syncAll(sim, [joins[0]!.reply!])
  for (let i = 0; i < 7; i++) {
    expect(sim.group.size).toBe(2)
    sim.advance(9000)
    sim.heartbeat('m1', 1)
    sim.heartbeat('m2', 1)
  }
  expect(Array.from(sim.group.members, m => m.memberId)).toEqual(['m1'])
  expect(sim.group.state).toBe('PreparingRebalance')
})

test('a join during the sync phase makes the members that wait for their assignment rejoin', () => {
  const sim = new GroupSim({ initialRebalanceDelayMs: 100 })
  const joins = [sim.join(), sim.join()]
  sim.advance(200)
  const sync = sim.sync({ memberId: 'm2', generationId: 1 })
  const third = sim.join()
  expect(sync.reply!.errorCode).toBe(E.REBALANCE_IN_PROGRESS)
  const again = joins.map(j => sim.join({ memberId: j.reply!.memberId }))
  expect([third, ...again].map(w => w.reply!.generationId)).toEqual([2, 2, 2])
})

test('heartbeats, syncs and commits of an old generation are rejected', () => {
  const sim = stableGroup(1)
  const next = sim.join({ memberId: 'm1' })
  expect(next.reply!.generationId).toBe(2)
  expect(sim.heartbeat('m1', 1)).toBe(E.ILLEGAL_GENERATION)
  expect(sim.sync({ memberId: 'm1', generationId: 1 }).reply!.errorCode).toBe(E.ILLEGAL_GENERATION)
  expect(sim.group.checkCommit('m1', null, 1, sim.now)).toBe(E.ILLEGAL_GENERATION)
})

test('members may commit in a stable group or while members join, but not while the assignment is pending', () => {
  const sim = stableGroup(2)
  expect(sim.group.checkCommit('m1', null, 1, sim.now)).toBe(0)
  const rejoin = sim.join({ memberId: 'm1' })
  expect(sim.group.checkCommit('m2', null, 1, sim.now)).toBe(0)
  sim.join({ memberId: 'm2' })
  expect(rejoin.reply!.generationId).toBe(2)
  expect(sim.group.checkCommit('m1', null, 2, sim.now)).toBe(E.REBALANCE_IN_PROGRESS)
  expect(sim.group.checkCommit('', null, -1, sim.now)).toBe(E.UNKNOWN_MEMBER_ID)
  expect(new GroupSim().group.checkCommit('', null, -1, 0)).toBe(0)
})

test('a commit renews the session of its member', () => {
  const sim = stableGroup(1)
  sim.advance(9000)
  expect(sim.group.checkCommit('m1', null, 1, sim.now)).toBe(0)
  sim.advance(9000)
  expect(sim.group.size).toBe(1)
})

test('of the protocols that all members support, the one preferred by the most members is selected', () => {
  const sim = new GroupSim({ initialRebalanceDelayMs: 100 })
  sim.join({ protocols: [proto('only-mine'), proto('range'), proto('sticky')] })
  sim.join({ protocols: [proto('sticky'), proto('range')] })
  const third = sim.join({ protocols: [proto('sticky'), proto('range')] })
  sim.advance(200)
  expect(third.reply!.protocolName).toBe('sticky')
})

test('a member without a common protocol, or of another protocol type, is rejected', () => {
  const sim = stableGroup(1)
  const code = (r: Parameters<GroupSim['join']>[0]) => sim.join(r).reply?.errorCode
  expect(code({ protocols: [proto('other')] })).toBe(E.INCONSISTENT_GROUP_PROTOCOL)
  expect(code({ protocolType: 'connect' })).toBe(E.INCONSISTENT_GROUP_PROTOCOL)
  expect(code({ protocols: [] })).toBe(E.INCONSISTENT_GROUP_PROTOCOL)
  expect(new GroupSim().join({ protocolType: '' }).reply!.errorCode).toBe(E.INCONSISTENT_GROUP_PROTOCOL)
})

test('a sync that names a protocol other than the selected one is rejected', () => {
  const sim = new GroupSim()
  sim.join()
  const code = (r: object) => sim.sync({ memberId: 'm1', generationId: 1, ...r }).reply?.errorCode
  expect(code({ protocolType: 'connect', protocolName: 'range' })).toBe(E.INCONSISTENT_GROUP_PROTOCOL)
  expect(code({ protocolType: 'consumer', protocolName: 'sticky' })).toBe(E.INCONSISTENT_GROUP_PROTOCOL)
  expect(code({ protocolType: 'consumer', protocolName: 'range' })).toBe(0)
})

test('a follower of a stable group that rejoins with the same metadata does not start a rebalance', () => {
  const sim = stableGroup(2)
  expect(sim.join({ memberId: 'm2' }).reply).toMatchObject({ errorCode: 0, generationId: 1, members: [], leader: 'm1' })
  expect(sim.group.state).toBe('Stable')
  expect(sim.join({ memberId: 'm2', protocols: [proto('range', 'new-topic')] }).reply).toBe(null)
  expect(sim.group.state).toBe('PreparingRebalance')
})

test('the leader of a stable group starts a rebalance when it rejoins', () => {
  const sim = stableGroup(2)
  expect(sim.join({ memberId: 'm1' }).reply).toBe(null)
  expect(sim.group.state).toBe('PreparingRebalance')
})

test('group.max.size limits the number of members, but existing members may rejoin', () => {
  const sim = stableGroup(2, { maxSize: 2 })
  expect(sim.join().reply).toMatchObject({ errorCode: E.GROUP_MAX_SIZE_REACHED, memberId: '' })
  const rejoin = sim.join({ memberId: 'm1' })
  sim.join({ memberId: 'm2' })
  expect(rejoin.reply).toMatchObject({ errorCode: 0, generationId: 2 })
})

test('when the last member leaves, the group is empty and has a new generation', () => {
  const sim = stableGroup(2)
  expect(sim.leave('m1')).toEqual([0])
  expect(sim.group.leaderId).toBe('m2')
  expect(sim.leave('m2', 'm1')).toEqual([0, E.UNKNOWN_MEMBER_ID])
  expect(sim.group.state).toBe('Empty')
  expect(sim.group.generationId).toBe(2)
  expect(sim.written.at(-1)).toMatchObject({ generation: 2, protocol: null, leader: null, members: [] })
})

test('a static member that restarts keeps its assignment without a rebalance', () => {
  const sim = new GroupSim()
  const first = sim.join({ groupInstanceId: 'i' })
  syncAll(sim, [first.reply!])
  const again = sim.join({ groupInstanceId: 'i' })
  expect(again.reply).toMatchObject({
    errorCode: 0,
    generationId: 1,
    memberId: 'm2',
    leader: 'm2',
    skipAssignment: true,
  })
  expect(again.reply!.members.map(m => m.memberId)).toEqual(['m2'])
  expect(sim.group.state).toBe('Stable')
  const sync = sim.sync({ memberId: 'm2', groupInstanceId: 'i', generationId: 1 })
  expect(sync.reply!.assignment.toString()).toBe('m1')
  expect(sim.heartbeat('m1', 1, 'i')).toBe(E.FENCED_INSTANCE_ID)
  expect(sim.group.checkCommit('m1', 'i', 1, sim.now)).toBe(E.FENCED_INSTANCE_ID)
  expect(sim.heartbeat('m1', 1, 'j')).toBe(E.UNKNOWN_MEMBER_ID)
})

test('before v9, a static leader that restarts receives the old leader id, so it assigns no partitions', () => {
  const sim = new GroupSim()
  syncAll(sim, [sim.join({ groupInstanceId: 'i' }).reply!])
  const again = sim.join({ groupInstanceId: 'i', supportsSkipAssignment: false })
  expect(again.reply).toMatchObject({ memberId: 'm2', leader: 'm1', skipAssignment: false, members: [] })
})

test('a static member that restarts with metadata that changes the protocol starts a rebalance', () => {
  const sim = new GroupSim({ initialRebalanceDelayMs: 100 })
  const both = [proto('range'), proto('sticky')]
  const first = sim.join({ groupInstanceId: 'i', protocols: both })
  sim.advance(200)
  syncAll(sim, [first.reply!])
  const again = sim.join({ groupInstanceId: 'i', protocols: [...both].reverse() })
  expect(again.reply).toMatchObject({ errorCode: 0, generationId: 2, protocolName: 'sticky' })
})

test('when a static member restarts, the pending join of its old id is fenced', () => {
  const sim = stableGroup(1)
  const left = sim.join({ groupInstanceId: 'i' })
  expect(left.reply).toBe(null)
  sim.join({ groupInstanceId: 'i' })
  expect(left.reply).toMatchObject({ errorCode: E.FENCED_INSTANCE_ID })
})

test('if the record of a replaced static member cannot be written, the previous member remains', () => {
  const sim = new GroupSim()
  syncAll(sim, [sim.join({ groupInstanceId: 'i' }).reply!])
  sim.autoWrite = false
  const again = sim.join({ groupInstanceId: 'i' })
  sim.write(E.NOT_COORDINATOR)
  expect(again.reply!.errorCode).toBe(E.NOT_COORDINATOR)
  expect(sim.heartbeat('m1', 1, 'i')).toBe(0)
  expect(sim.group.leaderId).toBe('m1')
})

test('a static member that misses a rebalance remains, and an administrator can remove it by its instance id', () => {
  const sim = new GroupSim({ initialRebalanceDelayMs: 100 })
  const joins = [sim.join({ sessionTimeoutMs: 300_000, groupInstanceId: 'i' }), sim.join()]
  sim.advance(200)
  syncAll(
    sim,
    joins.map(j => j.reply!),
  )
  sim.join({ memberId: 'm2', protocols: [proto('range', 'x')] })
  sim.advance(60_001)
  expect(sim.group.generationId).toBe(2)
  expect(Array.from(sim.group.members, m => m.memberId)).toEqual(['m1', 'm2'])
  expect(sim.group.leave([{ memberId: '', groupInstanceId: 'i' }], sim.now)).toEqual([0])
  expect(sim.group.leave([{ memberId: '', groupInstanceId: 'i' }], sim.now)).toEqual([E.UNKNOWN_MEMBER_ID])
  expect(sim.group.leave([{ memberId: '', groupInstanceId: null }], sim.now)).toEqual([E.UNKNOWN_MEMBER_ID])
})

const SNAPSHOT: GroupSnapshot = {
  protocolType: 'consumer',
  generation: 7,
  protocol: 'range',
  leader: 'b',
  currentStateTimestamp: 5,
  members: ['a', 'b'].map(memberId => ({
    memberId,
    groupInstanceId: null,
    clientId: 'c',
    clientHost: '/h',
    rebalanceTimeout: 60_000,
    sessionTimeout: 10_000,
    subscription: proto('range', 'orders').metadata,
    assignment: Buffer.from(memberId),
  })),
}

test('a group that is loaded from the log is stable, and its members get new sessions', () => {
  const sim = new GroupSim({}, SNAPSHOT)
  expect(sim.group.state).toBe('Stable')
  expect(sim.heartbeat('a', 7)).toBe(0)
  expect(sim.sync({ memberId: 'b', generationId: 7 }).reply!.assignment.toString()).toBe('b')
  expect(sim.group.isSubscribedTo('orders')).toBe(true)
  expect(sim.group.isSubscribedTo('other')).toBe(false)
  sim.advance(10_001)
  expect(sim.group.state).toBe('Empty')
  expect(sim.group.generationId).toBe(8)
})

test('a loaded group that exceeds group.max.size rebalances', () => {
  const sim = new GroupSim({ maxSize: 1 }, SNAPSHOT)
  expect(sim.group.state).toBe('PreparingRebalance')
  expect(sim.join({ memberId: 'a' }).reply).toBe(null)
  expect(sim.join({ memberId: 'b' }).reply!.errorCode).toBe(E.GROUP_MAX_SIZE_REACHED)
})

test('closing a group answers all waiting requests', () => {
  const sim = stableGroup(2)
  const join = sim.join({ memberId: 'm1' })
  sim.group.close(E.NOT_COORDINATOR)
  sim.pump()
  expect(join.reply!.errorCode).toBe(E.NOT_COORDINATOR)
  expect(sim.heartbeat('m2', 1)).toBe(E.COORDINATOR_NOT_AVAILABLE)
  expect(sim.join().reply!.errorCode).toBe(E.COORDINATOR_NOT_AVAILABLE)
})

test('a subscription that cannot be decoded counts as a subscription to every topic', () => {
  const sim = new GroupSim()
  const { reply } = sim.join({ protocols: [protocol('range', 'nonsense')] })
  syncAll(sim, [reply!])
  expect(sim.group.isSubscribedTo('anything')).toBe(true)
})

test('a rebalance timeout of zero does not cause a busy loop', () => {
  const sim = new GroupSim()
  syncAll(sim, [sim.join({ rebalanceTimeoutMs: 0, groupInstanceId: 'i', sessionTimeoutMs: 60_000 }).reply!])
  const other = sim.join({ rebalanceTimeoutMs: 0 })
  sim.advance(1)
  expect(other.answers).toBe(1)
  sim.leave(other.reply!.memberId)
  sim.group.tick(sim.now)
  expect(sim.group.nextDeadline()).toBeGreaterThan(sim.now)
})
