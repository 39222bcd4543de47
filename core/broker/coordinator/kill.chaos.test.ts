import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sleep } from '../../common/async/sleep.ts'
import { RawClient } from '../test-support/raw-client.ts'

const PROGRAM = join(import.meta.dirname, 'test-support/broker-process.ts')
const ROUNDS = 6
const GROUPS = ['a', 'b', 'c', 'd']
let dir: string
let child: ChildProcess

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
})
afterEach(async () => {
  await kill()
  rmSync(dir, { recursive: true, force: true })
})

async function start(port: number): Promise<number> {
  child = spawn(process.execPath, [PROGRAM, dir, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return Number(line)
}

async function kill(): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** Connects to the broker, and waits until the coordinator has loaded the group. */
async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port)
  await client.call('FindCoordinator', { coordinatorKeys: GROUPS })
  while ((await client.call('ListGroups', {}))['errorCode'] !== 0) await sleep(10)
  return client
}

/**
 * Commits increasing offsets for a group until the connection closes. Calls `onFirst` after the
 * first acknowledgement. Returns the last acknowledged offset and the last requested offset.
 */
async function commitUntilKilled(
  client: RawClient,
  groupId: string,
  from: number,
  onFirst: () => void,
): Promise<{ acked: number; requested: number }> {
  let acked = from
  let requested = from
  try {
    for (;;) {
      requested++
      const partitions = [{ partitionIndex: 0, committedOffset: requested }]
      const answer = await client.call('OffsetCommit', { groupId, topics: [{ name: 'jobs', partitions }] }, 9)
      const [topic] = answer['topics'] as { partitions: { errorCode: number }[] }[]
      expect(topic!.partitions[0]!.errorCode).toBe(0)
      acked = requested
      onFirst()
    }
  } catch (error) {
    if (!String(error).includes('connection was closed')) throw error
  }
  client.close()
  return { acked, requested }
}

async function committed(client: RawClient, groupId: string): Promise<number> {
  const topics = [{ name: 'jobs', partitionIndexes: [0] }]
  const answer = await client.call('OffsetFetch', { groups: [{ groupId, topics }] }, 9)
  const [group] = answer['groups'] as { topics: { partitions: { committedOffset: number }[] }[] }[]
  return group!.topics[0]!.partitions[0]!.committedOffset
}

/**
 * Adds the only member to a group, which starts a new generation. Sends the member's assignment.
 */
async function joinAndSync(client: RawClient): Promise<{ memberId: string; generationId: number }> {
  const protocols = [{ name: 'p', metadata: Buffer.from('metadata') }]
  const timeouts = { sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000 }
  const joined = await client.call('JoinGroup', { groupId: 'm', ...timeouts, protocolType: 'x', protocols }, 3)
  const { memberId, generationId } = joined as { memberId: string; generationId: number }
  const assignments = [{ memberId, assignment: Buffer.from('given') }]
  const synced = await client.call('SyncGroup', { groupId: 'm', generationId, memberId, assignments }, 3)
  expect(synced['errorCode']).toBe(0)
  return { memberId, generationId }
}

test('after SIGKILL, no acknowledged commit or generation is lost, and no producer id is assigned twice', async () => {
  let port = await start(0)
  let client = await connect(port)
  await client.call('CreateTopics', { topics: [{ name: 'jobs', numPartitions: 1, replicationFactor: 1 }] })
  const last = new Map(GROUPS.map(g => [g, { acked: 0, requested: 0 }]))
  const ids = new Set<unknown>()
  let generation = 0
  for (let round = 0; round < ROUNDS; round++) {
    const member = await joinAndSync(client)
    expect(member.generationId).toBe(++generation)
    for (let i = 0; i < 3; i++) {
      const { producerId } = await client.call('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1 })
      expect(ids.has(producerId)).toBe(false)
      ids.add(producerId)
    }
    const begun: Promise<void>[] = []
    const work: Promise<unknown>[] = []
    for (const g of GROUPS) {
      const ownClient = await connect(port)
      const { promise, resolve } = Promise.withResolvers<void>()
      begun.push(promise)
      work.push(
        commitUntilKilled(ownClient, g, last.get(g)!.requested, resolve).then(acknowledged =>
          last.set(g, acknowledged),
        ),
      )
    }
    // Continue even if a client fails before its first acknowledgement.
    await Promise.race([Promise.all(begun), Promise.all(work)])
    await sleep(50 + Math.random() * 200)
    await kill()
    client.close()
    await Promise.all(work)
    port = await start(0)
    client = await connect(port)
    for (const g of GROUPS) {
      const { acked, requested } = last.get(g)!
      expect(acked).toBeGreaterThan(0)
      const found = await committed(client, g)
      expect(found).toBeGreaterThanOrEqual(acked)
      expect(found).toBeLessThanOrEqual(requested)
    }
    const heartbeat = { groupId: 'm', memberId: member.memberId, generationId: member.generationId }
    expect((await client.call('Heartbeat', heartbeat))['errorCode']).toBe(0)
    await client.call('LeaveGroup', { groupId: 'm', members: [{ memberId: member.memberId }] })
    generation++
  }
  client.close()
}, 120_000)
