import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ErrorCode, ZERO_UUID } from '../../protocol/index.ts'
import { readBatches } from '../../protocol/records/batch-reader.ts'
import { offsetFetchHandler } from '../handlers/09-offset-fetch.ts'
import type { GroupJoin } from './group-coordinator.ts'
import { groupPartition } from './group-partition.ts'
import type { CommittedOffset } from './offsets/committed-offsets.ts'
import { readRecord } from './offsets/records.ts'
import { FakeBroker, imageOf } from './test-support/fake-broker.ts'

const E = ErrorCode
const ORDERS = { id: 'ordersordersordersordQ', partitions: 4 }
const IMAGE = imageOf({ orders: ORDERS })
let dir: string
const open: FakeBroker[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-groups-'))
})
afterEach(async () => {
  for (const b of open.splice(0)) await b.close()
  rmSync(dir, { recursive: true, force: true })
})

async function start(config: Record<string, string> = {}, image = IMAGE): Promise<FakeBroker> {
  const broker = await FakeBroker.open(dir, image, config)
  open.push(broker)
  return broker
}

async function restart(config: Record<string, string> = {}, image = IMAGE): Promise<FakeBroker> {
  for (const b of open.splice(0)) await b.close()
  return start(config, image)
}

const ANYONE = { memberId: '', groupInstanceId: null, generationId: -1, unknownGroupCode: E.ILLEGAL_GENERATION }

function commit(
  b: FakeBroker,
  group: string,
  offset: number,
  { who = ANYONE, partition = 0, ...o }: Partial<CommittedOffset> & { who?: typeof ANYONE; partition?: number } = {},
) {
  const committed = {
    offset,
    leaderEpoch: 3,
    metadata: 'note',
    commitTimestamp: Date.now(),
    expireTimestamp: null,
    topicId: ORDERS.id,
    ...o,
  }
  return b.coordinators.groups.commit(group, who, [{ topic: 'orders', partition, offset: committed }])
}

function committed(b: FakeBroker, group: string, partition = 0): number | undefined {
  const view = b.coordinators.groups.offsets(group)
  if (typeof view === 'number') throw new Error(`error ${view}`)
  return view.find('orders', partition, ORDERS.id)?.offset
}

function joinRequest(r: Partial<GroupJoin> = {}): GroupJoin {
  return {
    memberId: '',
    groupInstanceId: null,
    clientId: 'c',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: 6000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'connect',
    protocols: [{ name: 'p', metadata: Buffer.from('meta') }],
    requireKnownMemberId: false,
    supportsSkipAssignment: true,
    ...r,
  }
}

/** Creates a group with one member, which leads the group and has an assignment. */
async function member(b: FakeBroker, group: string): Promise<{ memberId: string; generationId: number }> {
  const { memberId, generationId } = await b.coordinators.groups.join(group, joinRequest())
  const assignments = [{ memberId, assignment: Buffer.from('yours') }]
  const who = { memberId, generationId, groupInstanceId: null, protocolType: null, protocolName: null }
  const sync = await b.coordinators.groups.sync(group, { ...who, assignments })
  expect(sync).toMatchObject({ errorCode: 0, assignment: Buffer.from('yours') })
  return { memberId, generationId }
}

/** Returns the records in a group's partition of __consumer_offsets. */
async function recordsOf(b: FakeBroker, group: string) {
  const log = b.logs.get('__consumer_offsets', groupPartition(group, 3))!
  const read = await log.read(log.logStartOffset, 1 << 20, { upTo: 'logEnd', minOneBatch: true })
  return [...readBatches(Buffer.concat(read.chunks))].flatMap(batch =>
    batch.records().map(r => readRecord(r.key!, r.value)),
  )
}

test("a group's offsets, generation and members survive a restart", async () => {
  let b = await start()
  const { memberId, generationId } = await member(b, 'g')
  expect(await commit(b, 'g', 42, { who: { ...ANYONE, memberId, generationId } })).toBe(0)
  expect(await commit(b, 'simple', 7)).toBe(0)
  b = await restart()
  expect(committed(b, 'g')).toBe(42)
  expect(committed(b, 'simple')).toBe(7)
  expect(b.coordinators.groups.heartbeat('g', memberId, null, generationId)).toBe(0)
  expect(b.coordinators.groups.describe('g')).toMatchObject({
    groupState: 'Stable',
    protocolType: 'connect',
    protocolData: 'p',
    members: [{ memberId, clientId: 'c', memberMetadata: Buffer.from('meta'), memberAssignment: Buffer.from('yours') }],
  })
  expect(b.coordinators.groups.describe('simple')).toMatchObject({ groupState: 'Empty', protocolType: '', members: [] })
  expect(b.coordinators.groups.list()).toHaveLength(2)
})

test('concurrent commits share appends, and the last commit of each partition applies', async () => {
  const b = await start()
  const codes = await Promise.all(Array.from({ length: 200 }, (_, i) => commit(b, 'g', i, { partition: i % 4 })))
  expect(new Set(codes)).toEqual(new Set([0]))
  expect([0, 1, 2, 3].map(p => committed(b, 'g', p))).toEqual([196, 197, 198, 199])
  const log = b.logs.get('__consumer_offsets', groupPartition('g', 3))!
  const { chunks } = await log.read(0, 1 << 20, { upTo: 'logEnd', minOneBatch: true })
  expect([...readBatches(Buffer.concat(chunks))].length).toBeLessThan(20)
})

test('a commit with another generation or from an unknown member is rejected', async () => {
  const b = await start()
  expect(await commit(b, 'nobody', 1, { who: { ...ANYONE, generationId: 3 } })).toBe(E.ILLEGAL_GENERATION)
  const { memberId, generationId } = await member(b, 'g')
  expect(await commit(b, 'g', 1, { who: { ...ANYONE, memberId, generationId: generationId + 1 } })).toBe(
    E.ILLEGAL_GENERATION,
  )
  expect(await commit(b, 'g', 1, { who: { ...ANYONE, memberId: 'x', generationId } })).toBe(E.UNKNOWN_MEMBER_ID)
  expect(await commit(b, 'g', 1)).toBe(E.UNKNOWN_MEMBER_ID)
  expect(committed(b, 'g')).toBe(undefined)
})

test('a deleted group still does not exist after a restart', async () => {
  let b = await start()
  await commit(b, 'g', 1)
  const { memberId } = await member(b, 'busy')
  expect(await b.coordinators.groups.deleteGroup('busy')).toBe(E.NON_EMPTY_GROUP)
  expect(await b.coordinators.groups.deleteGroup('none')).toBe(E.GROUP_ID_NOT_FOUND)
  expect(await b.coordinators.groups.deleteGroup('g')).toBe(0)
  expect(b.coordinators.groups.leave('busy', [{ memberId, groupInstanceId: null }])).toEqual([0])
  await commit(b, 'busy', 9)
  expect(await b.coordinators.groups.deleteGroup('busy')).toBe(0)
  expect(b.coordinators.groups.describe('g')).toBe(E.GROUP_ID_NOT_FOUND)
  expect((await recordsOf(b, 'busy')).filter(r => r.kind !== 'other' && r.group === 'busy').at(-1)).toMatchObject({
    kind: 'group',
    value: null,
  })
  b = await restart()
  expect(b.coordinators.groups.list()).toEqual([])
})

test('deleting a group also deletes the offsets of commits in progress', async () => {
  let b = await start()
  await commit(b, 'g', 1)
  const late = commit(b, 'g', 2, { partition: 3 })
  const deleted = b.coordinators.groups.deleteGroup('g')
  const after = commit(b, 'g', 3)
  expect(await Promise.all([late, deleted, after])).toEqual([0, 0, E.COORDINATOR_LOAD_IN_PROGRESS])
  b = await restart()
  expect(b.coordinators.groups.list()).toEqual([])
})

test('a group without members and offsets is removed', async () => {
  const b = await start()
  const refused = await b.coordinators.groups.join('g', joinRequest({ protocols: [] }))
  expect(refused.errorCode).toBe(E.INCONSISTENT_GROUP_PROTOCOL)
  expect(b.coordinators.groups.list()).toEqual([])
  expect(await recordsOf(b, 'g')).toEqual([])
})

test('session timeouts outside the bounds and empty group ids are rejected', async () => {
  const { groups } = (await start()).coordinators
  const code = async (group: string, r: Partial<GroupJoin>) => (await groups.join(group, joinRequest(r))).errorCode
  expect(await code('g', { sessionTimeoutMs: 5999 })).toBe(E.INVALID_SESSION_TIMEOUT)
  expect(await code('g', { sessionTimeoutMs: 1_800_001 })).toBe(E.INVALID_SESSION_TIMEOUT)
  expect(await code('', {})).toBe(E.INVALID_GROUP_ID)
  expect(groups.heartbeat('', 'm', null, 1)).toBe(E.INVALID_GROUP_ID)
  expect(groups.leave('', [])).toBe(E.INVALID_GROUP_ID)
})

test('the offsets of an empty group expire after the retention time, and then the group is removed', async () => {
  let b = await start({ 'offsets.retention.minutes': '1' })
  await commit(b, 'simple', 1)
  const { memberId } = await member(b, 'g')
  await commit(b, 'g', 2, { who: { ...ANYONE, memberId, generationId: 1 } })
  await b.coordinators.groups.expireNow()
  b.ahead = 61_000
  await b.coordinators.groups.expireNow()
  expect(committed(b, 'simple')).toBe(undefined)
  expect(committed(b, 'g')).toBe(2)
  b.coordinators.groups.leave('g', [{ memberId, groupInstanceId: null }])
  b.ahead = 122_000
  const left = async () => {
    await b.coordinators.groups.expireNow()
    return b.coordinators.groups.list()
  }
  await expect.poll(left).toEqual([])
  b = await restart()
  expect(b.coordinators.groups.list()).toEqual([])
})

test('an offset with its own expiry time expires at that time', async () => {
  const b = await start()
  await commit(b, 'g', 1, { expireTimestamp: Date.now() + 1000 })
  expect((await recordsOf(b, 'g')).at(-1)).toMatchObject({ value: { offset: 1, topicId: ZERO_UUID } })
  b.ahead = 2000
  await b.coordinators.groups.expireNow()
  expect(committed(b, 'g')).toBe(undefined)
})

test('deleting a topic deletes its committed offsets, and a new topic with that name does not get them', async () => {
  let b = await start()
  await commit(b, 'g', 5)
  b.setImage(imageOf({}))
  expect(committed(b, 'g')).toBe(5)
  b = await restart({}, imageOf({ orders: { id: 'newnewnewnewnewnewnewA', partitions: 1 } }))
  expect(b.coordinators.groups.offsets('g')).toMatchObject({})
  const view = b.coordinators.groups.offsets('g')
  expect(typeof view === 'object' && view.find('orders', 0, 'newnewnewnewnewnewnewA')).toBe(undefined)
  expect((await recordsOf(b, 'g')).at(-1)).toMatchObject({ kind: 'offset', value: null })
})

test('the offset of a commit in progress is removed if its topic is deleted', async () => {
  const b = await start()
  const first = commit(b, 'g', 1)
  b.setImage(imageOf({}))
  expect(await first).toBe(0)
  await vi.waitFor(() => expect(committed(b, 'g')).toBe(undefined), 20_000)
  await restart({}, imageOf({}))
  expect(open[0]!.coordinators.groups.list()).toEqual([])
})

test('the offsets of an earlier topic with the same name are not returned', async () => {
  await start()
  await commit(open[0]!, 'g', 5)
  // Simulates a broker that died after the topic was deleted and before its offsets were removed.
  const b = await restart({}, imageOf({ orders: { id: 'newnewnewnewnewnewnewA', partitions: 4 } }))
  await commit(b, 'g', 7, { topicId: 'newnewnewnewnewnewnewA', partition: 1 })
  const broker = { ...b.services, coordinators: b.coordinators }
  for (const apiVersion of [5, 8, 10]) {
    const request = { groupId: 'g', topics: null, groups: [{ groupId: 'g', topics: null }] }
    const result = offsetFetchHandler.handle(request as never, { broker, apiVersion } as never)
    const text = JSON.stringify(await result)
    expect([apiVersion, text.includes('"committedOffset":7'), text.includes('"committedOffset":5')]).toEqual([
      apiVersion,
      true,
      false,
    ])
  }
})

test('offsets can be deleted, except those of topics that the group reads', async () => {
  const b = await start()
  const { groups } = b.coordinators
  await commit(b, 'g', 5)
  const which = [{ topic: 'orders', partition: 0 }]
  expect(await groups.deleteOffsets('none', which)).toBe(E.GROUP_ID_NOT_FOUND)
  expect(await groups.deleteOffsets('g', which)).toEqual({ subscribed: new Set() })
  expect(committed(b, 'g')).toBe(undefined)
  await member(b, 'workers')
  expect(await groups.deleteOffsets('workers', which)).toBe(E.NON_EMPTY_GROUP)
  const metadata = Buffer.from('000000000001000' + '66f7264657273ffffffff', 'hex')
  await groups.join('readers', joinRequest({ protocolType: 'consumer', protocols: [{ name: 'range', metadata }] }))
  expect(await groups.deleteOffsets('readers', which)).toEqual({ subscribed: new Set(['orders']) })
})

test('waiting requests are answered when another broker becomes the leader of the partition', async () => {
  const b = await start({ 'group.initial.rebalance.delay.ms': '60000' })
  const waiting = b.coordinators.groups.join('g', joinRequest())
  b.setImage({ ...IMAGE, topicsByName: new Map(), topicsById: new Map() })
  expect((await waiting).errorCode).toBe(E.NOT_COORDINATOR)
  expect(b.coordinators.groups.describe('g')).toBe(E.NOT_COORDINATOR)
  expect(b.coordinators.groups.list()).toEqual([])
})

test('a member that sends no heartbeat is removed after its session timeout', async () => {
  const b = await start({ 'group.min.session.timeout.ms': '50' })
  const { memberId } = await b.coordinators.groups.join('g', joinRequest({ sessionTimeoutMs: 50 }))
  await expect.poll(() => b.coordinators.groups.describe('g'), { timeout: 5000 }).toMatchObject({ groupState: 'Empty' })
  expect(b.coordinators.groups.heartbeat('g', memberId, null, 1)).toBe(E.UNKNOWN_MEMBER_ID)
})

test('while a partition is loading, requests get a retriable error and heartbeats succeed unchecked', async () => {
  let b = await start()
  const { memberId, generationId } = await member(b, 'g')
  await b.close()
  open.splice(0)
  const { groups } = b.coordinators
  expect(groups.describe('g')).toBe(E.COORDINATOR_NOT_AVAILABLE)
  b = await FakeBroker.open(dir, IMAGE, {}, false)
  open.push(b)
  const loading = b.coordinators.groups
  expect(loading.describe('g')).toBe(E.COORDINATOR_LOAD_IN_PROGRESS)
  expect(loading.list()).toBe(E.COORDINATOR_LOAD_IN_PROGRESS)
  expect(await commit(b, 'g', 1)).toBe(E.COORDINATOR_LOAD_IN_PROGRESS)
  expect((await loading.join('g', joinRequest())).errorCode).toBe(E.COORDINATOR_LOAD_IN_PROGRESS)
  expect(loading.heartbeat('g', memberId, null, generationId)).toBe(0)
  await loading.loaded()
  expect(loading.heartbeat('g', memberId, null, generationId + 1)).toBe(E.ILLEGAL_GENERATION)
})

test('a partition whose log cannot be opened is loaded again later, without blocking other partitions', async () => {
  let b = await start()
  await commit(b, 'g', 42)
  const other = ['a', 'b', 'c', 'd'].find(g => groupPartition(g, 3) !== groupPartition('g', 3))!
  await b.close()
  open.splice(0)
  b = await FakeBroker.open(dir, IMAGE, {}, false, [groupPartition('g', 3)])
  open.push(b)
  await expect.poll(() => b.coordinators.groups.describe(other)).toBe(E.GROUP_ID_NOT_FOUND)
  expect(b.coordinators.groups.describe('g')).toBe(E.COORDINATOR_LOAD_IN_PROGRESS)
  b.offline.clear()
  await b.coordinators.groups.loaded()
  expect(committed(b, 'g')).toBe(42)
})

test('a member whose metadata is too large for a record is rejected', async () => {
  const { groups } = (await start()).coordinators
  const protocols = (size: number, n: number) =>
    Array.from({ length: n }, (_, i) => ({ name: `p${i}`, metadata: Buffer.alloc(size) }))
  const code = async (r: Partial<GroupJoin>) => (await groups.join('g', joinRequest(r))).errorCode
  expect(await code({ protocols: protocols(1_100_000, 1) })).toBe(E.MESSAGE_TOO_LARGE)
  expect(await code({ protocols: protocols(900_000, 5) })).toBe(E.MESSAGE_TOO_LARGE)
  expect(await code({ protocols: protocols(0, 100_000) })).toBe(E.MESSAGE_TOO_LARGE)
  expect(await code({ protocols: protocols(900_000, 2) })).toBe(0)
})
