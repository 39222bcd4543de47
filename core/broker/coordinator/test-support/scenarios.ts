import { sleep } from '../../../common/async/sleep.ts'
import { subscription } from './group-sim.ts'
import { Transcript } from './transcript.ts'

/** An id that belongs to no topic. */
const NO_TOPIC = 'AAAAAAAAAAAAAAAAAAAAAQ'

interface World {
  readonly t: Transcript
  readonly port: number
  /** Topic ids by name. */
  readonly ids: ReadonlyMap<string, string>
}

/**
 * Runs the group scenarios against a broker, and returns the transcript of requests and responses.
 * All scenarios have deterministic results.
 */
export async function groupScenarios(port: number): Promise<string[]> {
  const t = await Transcript.connect(port)
  const topics = [
    { name: 'topic-a', numPartitions: 2, replicationFactor: 1 },
    { name: 'topic-b', numPartitions: 1, replicationFactor: 1 },
  ]
  await t.silently('CreateTopics', { topics, timeoutMs: 10_000 })
  const ids = new Map<string, string>()
  const described = await t.silently('DescribeTopicPartitions', { topics, responsePartitionLimit: 10 })
  for (const topic of described['topics'] as { name: string; topicId: string }[]) {
    ids.set(topic.name, topic.topicId)
    t.name(topic.topicId, `id-of-${topic.name}`)
  }
  const world = { t, port, ids }
  await beforeTheTopic(world)
  await untilFound(t)
  for (const scenario of [finding, unknownGroups, simpleCommits, listing, deleting, refusedJoins]) await scenario(world)
  for (const version of [0, 3, 6, 9]) await memberLifecycle(world, version)
  for (const version of [5, 9]) await staticMember(world, version)
  await twoMembers(world)
  await assignmentsInRebalance(world)
  t.close()
  return t.lines
}

async function beforeTheTopic({ t }: World): Promise<void> {
  await t.ask('ListGroups', {})
  await t.ask('DescribeGroups', { groups: ['early'] })
  await t.ask('OffsetFetch', { groups: [{ groupId: 'early', topics: null }] }, 9)
}

/**
 * Waits until the coordinator answers. Kafka first needs time to create the offsets topic. Millrace
 * creates the topic before it answers.
 */
async function untilFound(t: Transcript): Promise<void> {
  for (;;) {
    const found = await t.silently('FindCoordinator', { coordinatorKeys: ['g'] })
    const listed = await t.silently('ListGroups', {})
    if ((found['coordinators'] as { errorCode: number }[])[0]!.errorCode === 0 && listed['errorCode'] === 0) break
    await sleep(100)
  }
  for (const groupId of ['g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'])
    for (;;) {
      const { groups } = await t.silently('DescribeGroups', { groups: [groupId] })
      if ((groups as { errorCode: number }[])[0]!.errorCode === 69) break
      await sleep(100)
    }
}

async function finding({ t }: World): Promise<void> {
  for (const version of [0, 1, 3]) await t.ask('FindCoordinator', { key: 'g', keyType: 0 }, version)
  await t.ask('FindCoordinator', { coordinatorKeys: ['g', 'h', ''], keyType: 0 }, 4)
  await t.ask('FindCoordinator', { coordinatorKeys: ['g'], keyType: 7 }, 4)
  await t.ask('FindCoordinator', { coordinatorKeys: [], keyType: 0 })
}

async function unknownGroups({ t, ids }: World): Promise<void> {
  const topics = [
    { name: 'topic-a', partitionIndexes: [0, 9] },
    { name: 'nowhere', partitionIndexes: [0] },
  ]
  for (const version of [1, 2, 5, 6, 7]) await t.ask('OffsetFetch', { groupId: 'none', topics }, version)
  await t.ask('OffsetFetch', { groupId: 'none', topics: null }, 7)
  await t.ask(
    'OffsetFetch',
    {
      groups: [
        { groupId: 'none', topics },
        { groupId: '', topics: null },
      ],
    },
    8,
  )
  await t.ask('OffsetFetch', { groups: [{ groupId: 'none', memberId: 'x', memberEpoch: 3, topics }] }, 9)
  const byId = [ids.get('topic-a')!, NO_TOPIC].map(topicId => ({ topicId, partitionIndexes: [0] }))
  await t.ask('OffsetFetch', { groups: [{ groupId: 'none', topics: byId }] }, 10)
  for (const version of [0, 5, 6])
    await t.ask('DescribeGroups', { groups: ['none', ''], includeAuthorizedOperations: version > 2 }, version)
  await t.ask('DeleteGroups', { groupsNames: ['none', ''] })
  const deleted = [{ name: 'topic-a', partitions: [{ partitionIndex: 0 }] }]
  await t.ask('OffsetDelete', { groupId: 'none', topics: deleted })
  await t.ask('OffsetDelete', { groupId: '', topics: [] })
  await t.ask('Heartbeat', { groupId: 'none', generationId: 1, memberId: 'x' })
  await t.ask('Heartbeat', { groupId: '', generationId: 1, memberId: 'x' })
  const sync = { generationId: 1, memberId: 'x' }
  await t.ask('SyncGroup', { groupId: 'none', ...sync, protocolType: 'consumer', protocolName: 'range' })
  await t.ask('SyncGroup', { groupId: 'none', ...sync }, 3)
  await t.ask('SyncGroup', { groupId: 'none', ...sync })
  await t.ask('SyncGroup', { groupId: '', ...sync }, 3)
  for (const version of [0, 2]) await t.ask('LeaveGroup', { groupId: 'none', memberId: 'x' }, version)
  await t.ask('LeaveGroup', { groupId: 'none', members: [{ memberId: 'x' }, { memberId: '', groupInstanceId: 'i' }] })
  await t.ask('LeaveGroup', { groupId: '', members: [{ memberId: 'x' }] })
}

function offsets(ids: World['ids'], name: string, partitionIndex: number, committedOffset: number, more: object = {}) {
  const partitions = [{ partitionIndex, committedOffset, committedMetadata: 'note', ...more }]
  return { topics: [{ name, topicId: ids.get(name) ?? NO_TOPIC, partitions }] }
}

async function simpleCommits({ t, ids }: World): Promise<void> {
  const commit = (groupId: string, version: number, what: object, who: object = {}) =>
    t.ask('OffsetCommit', { groupId, ...who, ...what }, version)
  for (const version of [2, 5, 7, 9]) await commit(`s${version}`, version, offsets(ids, 'topic-a', 0, version))
  await commit('s10', 10, offsets(ids, 'topic-a', 1, 10, { committedMetadata: null }))
  await commit('s10', 10, offsets(ids, 'topic-a', 0, 11, { committedLeaderEpoch: 0 }))
  for (const version of [9, 10]) await commit('s10', version, offsets(ids, 'nowhere', 0, 1))
  await commit('s10', 9, offsets(ids, 'topic-a', 7, 11))
  const tooLong = offsets(ids, 'topic-a', 0, 12, { committedMetadata: 'x'.repeat(4097) })
  await commit('s10', 9, { topics: [...tooLong.topics, ...offsets(ids, 'topic-b', 0, 5).topics] })
  await commit('', 9, offsets(ids, 'topic-a', 0, 1))
  const unknownMember = { generationIdOrMemberEpoch: 3, memberId: 'x' }
  for (const version of [8, 9]) await commit('fresh', version, offsets(ids, 'topic-a', 0, 1), unknownMember)
  await commit('fresh', 9, offsets(ids, 'topic-a', 0, 1), { ...unknownMember, generationIdOrMemberEpoch: -1 })
  await commit('fresh', 9, offsets(ids, 'topic-a', 0, 1), unknownMember)
  await commit('expiring', 4, { retentionTimeMs: 100_000, ...offsets(ids, 'topic-a', 0, 1) })
  for (const version of [9, 10]) await t.ask('OffsetFetch', { groups: [{ groupId: 's10', topics: null }] }, version)
}

async function listing({ t }: World): Promise<void> {
  await t.ask('ListGroups', {})
  await t.ask('ListGroups', { statesFilter: ['EMPTY'], typesFilter: ['Classic'] })
  for (const filter of [{ statesFilter: ['nope'] }, { typesFilter: ['consumer'] }, { typesFilter: ['nope'] }])
    await t.ask('ListGroups', filter)
  await t.ask('ListGroups', {}, 3)
  await t.ask('DescribeGroups', { groups: ['s9'], includeAuthorizedOperations: true })
}

async function deleting({ t }: World): Promise<void> {
  const partitions = [0, 1, 9].map(partitionIndex => ({ partitionIndex }))
  const topics = ['topic-a', 'nowhere'].map(name => ({ name, partitions }))
  await t.ask('OffsetDelete', { groupId: 's9', topics })
  await t.ask('DeleteGroups', { groupsNames: ['s2', 's2', 's9'] })
}

const METADATA = [{ name: 'range', metadata: subscription(['topic-a']) }]

function joining(groupId: string, more: object = {}) {
  const timeouts = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 20_000 }
  return { groupId, ...timeouts, memberId: '', protocolType: 'consumer', protocols: METADATA, ...more }
}

async function refusedJoins({ t }: World): Promise<void> {
  await t.ask('JoinGroup', joining('g', { sessionTimeoutMs: 10 }))
  await t.ask('JoinGroup', joining(''))
  for (const version of [5, 9]) await t.ask('JoinGroup', joining('g', { memberId: 'ghost' }), version)
  await t.ask('JoinGroup', joining('g', { protocols: [] }))
  await t.ask('JoinGroup', joining('g', { protocolType: '' }), 3)
}

/** Joins a group. If the broker only assigns a member id (since v4), joins again with this id. */
async function joined(t: Transcript, request: object, version: number): Promise<{ me: string; generation: number }> {
  let answer = await t.ask('JoinGroup', request, version)
  if (answer['errorCode'] === 79)
    answer = await t.ask('JoinGroup', { ...request, memberId: answer['memberId'] }, version)
  return { me: String(answer['memberId']), generation: Number(answer['generationId']) }
}

async function memberLifecycle({ t, ids }: World, version: number): Promise<void> {
  const groupId = `life-${version}`
  const { me, generation } = await joined(t, joining(groupId), version)
  const who = { groupId, memberId: me, generationId: generation }
  const commit = (generationIdOrMemberEpoch: number, memberId = me) =>
    t.ask('OffsetCommit', { groupId, generationIdOrMemberEpoch, memberId, ...offsets(ids, 'topic-a', 0, 3) }, 9)
  await t.ask('Heartbeat', who)
  await commit(generation)
  await t.ask('DescribeGroups', { groups: [groupId] })
  await t.ask('DeleteGroups', { groupsNames: [groupId] })
  const agreed = { protocolType: 'consumer', protocolName: 'range' }
  await t.ask('SyncGroup', { ...who, ...agreed, generationId: generation + 1 })
  await t.ask('SyncGroup', { ...who, ...agreed, protocolName: 'other' })
  const assignments = [{ memberId: me, assignment: Buffer.from('yours') }]
  await t.ask('SyncGroup', { ...who, ...agreed, assignments }, version > 5 ? undefined : 3)
  await t.ask('SyncGroup', who, 3)
  for (const change of [{}, { generationId: generation + 1 }, { memberId: 'other' }, { groupInstanceId: 'none' }])
    await t.ask('Heartbeat', { ...who, ...change })
  for (const v of [3, 6]) await t.ask('DescribeGroups', { groups: [groupId], includeAuthorizedOperations: true }, v)
  await commit(generation)
  await commit(generation + 3)
  await commit(-1, '')
  await commit(-1)
  const both = ['topic-a', 'topic-b'].map(name => ({ name, partitions: [{ partitionIndex: 0 }] }))
  await t.ask('OffsetDelete', { groupId, topics: both })
  await t.ask('JoinGroup', joining(groupId, { protocolType: 'connect' }), version)
  await t.ask('JoinGroup', joining(groupId, { protocols: [{ ...METADATA[0], name: 'unheard' }] }), version)
  await t.ask('DeleteGroups', { groupsNames: [groupId] })
  await t.ask('JoinGroup', joining(groupId, { memberId: me }), version)
  await t.ask('LeaveGroup', { groupId, memberId: 'no' }, 2)
  if (version < 3) await t.ask('LeaveGroup', { groupId, memberId: me }, version)
  else await t.ask('LeaveGroup', { groupId, members: [{ memberId: me, reason: 'bye' }, { memberId: 'no' }] })
  await t.ask('DescribeGroups', { groups: [groupId] })
  await t.ask('Heartbeat', who)
  await t.ask('SyncGroup', who, 3)
  await commit(generation)
  await t.ask('LeaveGroup', { groupId, members: [{ memberId: me }] })
  await t.ask('ListGroups', { statesFilter: ['Stable'] })
}

async function staticMember({ t, ids }: World, version: number): Promise<void> {
  const groupId = `static-${version}`
  const named = { groupInstanceId: 'i1' }
  const { me } = await joined(t, joining(groupId, named), version)
  const first = { groupId, generationId: 1, memberId: me, ...named }
  await t.ask('SyncGroup', { ...first, assignments: [{ memberId: me, assignment: Buffer.from('s') }] }, 3)
  const { me: next } = await joined(t, joining(groupId, named), version)
  const second = { ...first, memberId: next }
  await t.ask('Heartbeat', first)
  await t.ask('Heartbeat', { ...first, groupInstanceId: null })
  await t.ask('Heartbeat', second)
  await t.ask('SyncGroup', first, 3)
  await t.ask('SyncGroup', second, 3)
  const commit = { groupId, generationIdOrMemberEpoch: 1, memberId: me, ...named, ...offsets(ids, 'topic-a', 0, 3) }
  await t.ask('OffsetCommit', commit, 9)
  await t.ask('JoinGroup', joining(groupId, { ...named, memberId: me }), version)
  await t.ask('JoinGroup', joining(groupId, { groupInstanceId: 'i2', memberId: 'unknown' }), version)
  await t.ask('DescribeGroups', { groups: [groupId] })
  const leavers = [{ memberId: me, ...named }, { memberId: '', groupInstanceId: 'i9' }, { memberId: '', ...named }, {}]
  await t.ask('LeaveGroup', { groupId, members: leavers })
  await t.ask('DescribeGroups', { groups: [groupId] })
}

/** Records the assignments that DescribeGroups returns in each state of a rebalance. */
async function assignmentsInRebalance({ t, port }: World): Promise<void> {
  const groupId = 'assigned'
  const describe = () => t.ask('DescribeGroups', { groups: [groupId] })
  const heartbeat = async (of: object, code: number) => {
    while ((await t.silently('Heartbeat', of))['errorCode'] !== code) await sleep(20)
  }
  const second = await t.fork(port)
  const third = await t.fork(port)
  const a = await joined(t, joining(groupId), 9)
  await describe()
  const first = { groupId, generationId: 1, memberId: a.me }
  const assignments = [{ memberId: a.me, assignment: Buffer.from('part') }]
  const agreed = { protocolType: 'consumer', protocolName: 'range' }
  await t.ask('SyncGroup', { ...first, ...agreed, assignments })
  await describe()
  const b = String((await second.silently('JoinGroup', joining(groupId)))['memberId'])
  t.name(b, 'the second member')
  const waiting = second.silently('JoinGroup', joining(groupId, { memberId: b }))
  await heartbeat(first, 27)
  // The state is PreparingRebalance.
  await describe()
  await t.silently('JoinGroup', joining(groupId, { memberId: a.me }))
  await waiting
  // The state is CompletingRebalance: there are no new assignments yet.
  await describe()
  const c = String((await third.silently('JoinGroup', joining(groupId)))['memberId'])
  t.name(c, 'the third member')
  const alsoWaiting = third.silently('JoinGroup', joining(groupId, { memberId: c }))
  await heartbeat({ ...first, generationId: 2 }, 27)
  // The state is PreparingRebalance again, because another member joined before the end of the
  // previous rebalance.
  await describe()
  const again = second.silently('JoinGroup', joining(groupId, { memberId: b }))
  await t.silently('JoinGroup', joining(groupId, { memberId: a.me }))
  await again
  await alsoWaiting
  await describe()
  second.close()
  third.close()
}

async function twoMembers({ t, port, ids }: World): Promise<void> {
  const groupId = 'two'
  const other = await t.fork(port)
  const a = await joined(t, joining(groupId), 9)
  const given = await other.ask('JoinGroup', joining(groupId), 9)
  const b = String(given['memberId'])
  const who = { groupId, generationId: 1, memberId: a.me }
  await t.ask('Heartbeat', who)
  const waiting = other.silently('JoinGroup', joining(groupId, { memberId: b }))
  while ((await t.silently('Heartbeat', who))['errorCode'] !== 27) await sleep(20)
  await t.ask('DescribeGroups', { groups: [groupId] })
  await t.ask('SyncGroup', who, 3)
  await t.ask(
    'OffsetCommit',
    { groupId, generationIdOrMemberEpoch: 1, memberId: a.me, ...offsets(ids, 'topic-a', 0, 3) },
    9,
  )
  await t.ask('JoinGroup', joining(groupId, { memberId: a.me }), 9)
  await waiting
  const agreed = { groupId, generationId: 2, protocolType: 'consumer', protocolName: 'range' }
  const assigned = other.ask('SyncGroup', { ...agreed, memberId: b })
  await t.ask('JoinGroup', joining(groupId, { memberId: a.me }), 9)
  const assignments = [a.me, b, 'stranger'].map(memberId => ({ memberId, assignment: Buffer.from('part') }))
  await t.ask('SyncGroup', { ...agreed, memberId: a.me, assignments })
  await assigned
  await other.ask('JoinGroup', joining(groupId, { memberId: b }), 9)
  await t.ask('DescribeGroups', { groups: [groupId] })
  other.close()
}
