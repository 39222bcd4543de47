import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPeerKafka } from '../../../test/peers/servers.ts'
import { findKafkaLibs, hasKcat, runKafkaTool, runProgram, skipWithout } from '../../../test/peers/tools.ts'
import { OffsetFetchRequest, OffsetFetchResponse, ZERO_UUID } from '../../protocol/index.ts'
import { RawClient } from '../test-support/raw-client.ts'
import { startTestBroker, type TestBroker } from '../test-support/test-broker.ts'
import type { OffsetsView } from './group-coordinator.ts'
import type { GroupListing } from './group-entry.ts'
import { FakeBroker, imageOf } from './test-support/fake-broker.ts'
import { groupScenarios } from './test-support/scenarios.ts'

const noKafka = skipWithout('Apache Kafka', findKafkaLibs() !== null)
const noKcat = skipWithout('kcat', hasKcat())

let broker: TestBroker
beforeAll(async () => {
  broker = await startTestBroker({ 'num.partitions': '3' })
})
afterAll(() => broker.close())

const lines = (text: string) => text.split('\n').filter(l => l !== '')
const numbers = (n: number) => Array.from({ length: n }, (_, i) => `m${i}`)
const kcat = (...args: string[]) => runProgram('kcat', ['-b', broker.bootstrap, ...args])

/** Runs Kafka's consumer-groups tool, and parses its tables into rows of cells. */
async function groups(...args: string[]): Promise<{ rows: string[][]; text: string }> {
  const bootstrap = ['--bootstrap-server', broker.bootstrap]
  const { stdout, stderr } = await runKafkaTool('consumer-groups', [...bootstrap, ...args], { anyCode: true })
  return { rows: lines(stdout).map(l => l.trim().split(/\s+/)), text: stdout + stderr }
}

/** Produces the messages `m0`, `m1` ... to three partitions in turn. */
async function produce(topic: string, n: number): Promise<void> {
  for (const partition of [0, 1, 2]) {
    const values = numbers(n).filter((_, i) => i % 3 === partition)
    const args = ['-b', broker.bootstrap, '-P', '-t', topic, '-p', String(partition)]
    await runProgram('kcat', args, { input: values.map(v => `${v}\n`).join('') })
  }
}

describe.skipIf(noKafka)('with Apache Kafka', () => {
  test('every response about groups equals that of Apache Kafka', async () => {
    const peer = await startPeerKafka()
    const ours = await startTestBroker({ 'offsets.topic.num.partitions': '4' })
    try {
      const theirs = await groupScenarios(Number(peer.bootstrap.split(':')[1]))
      expect(theirs.length).toBeGreaterThan(200)
      expect(await groupScenarios(ours.port)).toEqual(theirs)
    } finally {
      await ours.close()
      await peer.stop()
    }
  }, 180_000)

  test('dump-log decodes the records of __consumer_offsets', async () => {
    const dir = join(broker.dir)
    await groupScenarios(broker.port)
    let text = ''
    for (const name of readdirSync(dir).filter(d => d.startsWith('__consumer_offsets-'))) {
      const log = join(dir, name, '00000000000000000000.log')
      text += (await runKafkaTool('dump-log', ['--offsets-decoder', '--files', log])).stdout
    }
    expect(text).toMatch(
      /"type":"1","data":\{"group":"s9","topic":"topic-a","partition":0\}\} payload: \{"version":"4"/,
    )
    expect(text).toMatch(/"group":"expiring".*payload: \{"version":"1".*"expireTimestamp"/)
    expect(text).toMatch(/"type":"2","data":\{"group":"two"\}\} payload: \{"version":"3".*"protocolType":"consumer"/)
    expect(text).toMatch(/"group":"s2".*payload: <DELETE>/)
    expect(text).not.toMatch(/isvalid: false|Could not|Found/)
  }, 120_000)

  test('groups and offsets that Apache Kafka has written are loaded', async () => {
    const peer = await startPeerKafka()
    const dir = mkdtempSync(join(tmpdir(), 'millrace-moved-in-'))
    let moved: FakeBroker | null = null
    try {
      const port = Number(peer.bootstrap.split(':')[1])
      await groupScenarios(port)
      const client = await RawClient.connect(port)
      const { groups: listed } = (await client.call('ListGroups', {})) as { groups: GroupListing[] }
      const ids = listed.map(g => g.groupId)
      const theirs = await client.request(OffsetFetchRequest, OffsetFetchResponse, 9, {
        groups: ids.map(groupId => ({ groupId, topics: null })),
      })
      client.close()
      await peer.stop({ keep: true })
      const folders = readdirSync(join(peer.dir, 'data')).filter(d => d.startsWith('__consumer_offsets-'))
      for (const f of folders) cpSync(join(peer.dir, 'data', f), join(dir, f), { recursive: true })
      const metadata = readFileSync(join(dir, folders[0]!, 'partition.metadata'), 'utf8')
      const offsetsTopic = { id: /topic_id: (\S+)/.exec(metadata)![1]!, partitions: folders.length }
      moved = await FakeBroker.open(dir, imageOf({}, offsetsTopic))
      const { groups } = moved.coordinators
      const byId = (a: { groupId: string }, b: { groupId: string }) => (a.groupId < b.groupId ? -1 : 1)
      const kind = (g: GroupListing) => ({ groupId: g.groupId, protocolType: g.protocolType })
      expect((groups.list() as GroupListing[]).map(kind).sort(byId)).toEqual(listed.map(kind).sort(byId))
      const found = ids.flatMap(id =>
        [...(groups.offsets(id) as OffsetsView).topics()].map(([topic, o]) => [id, topic, o.size]),
      )
      const result = theirs.groups.flatMap(g => g.topics.map(t => [g.groupId, t.name, t.partitions.length]))
      expect(found.sort()).toEqual(result.sort())
      for (const g of theirs.groups)
        for (const t of g.topics)
          for (const p of t.partitions)
            expect((groups.offsets(g.groupId) as OffsetsView).find(t.name, p.partitionIndex, ZERO_UUID)).toMatchObject({
              offset: p.committedOffset,
              metadata: p.metadata,
              leaderEpoch: p.committedLeaderEpoch,
            })
    } finally {
      await moved?.close()
      await peer.stop()
      rmSync(dir, { recursive: true, force: true })
    }
  }, 180_000)

  test('the console consumer reads in a group, commits, and resumes from its committed offset', async () => {
    await produce('console', 30)
    const read = async (max: number) => {
      const args = ['--topic', 'console', '--group', 'console', '--from-beginning', '--max-messages', String(max)]
      return lines((await runKafkaTool('console-consumer', ['--bootstrap-server', broker.bootstrap, ...args])).stdout)
    }
    const first = await read(20)
    const second = await read(10)
    expect([...first, ...second].sort()).toEqual(numbers(30).sort())
  })

  test('the consumer-groups tool lists, describes, resets and deletes groups', async () => {
    await produce('tool', 30)
    await kcat('-G', 'tool', 'tool', '-e', '-q', '-X', 'auto.offset.reset=earliest')
    expect((await groups('--list')).rows).toContainEqual(['tool'])
    expect((await groups('--list', '--state')).rows).toContainEqual(['tool', 'Empty'])
    const { rows } = await groups('--describe', '--group', 'tool')
    const partitions = rows.filter(r => r[1] === 'tool')
    expect(partitions.map(r => r[5])).toEqual(['0', '0', '0'])
    expect(partitions.reduce((n, r) => n + Number(r[3]), 0)).toBe(30)
    const reset = (...args: string[]) => groups('--group', 'tool', '--reset-offsets', '--topic', ...args, '--execute')
    expect((await reset('tool', '--to-earliest')).rows.filter(r => r[0] === 'tool').map(r => r[3])).toEqual([
      '0',
      '0',
      '0',
    ])
    expect((await reset('tool:1', '--to-offset', '2')).rows).toContainEqual(['tool', 'tool', '1', '2'])
    expect((await groups('--describe', '--group', 'tool')).rows.find(r => r[1] === 'tool' && r[2] === '1')![3]).toBe(
      '2',
    )
    expect((await groups('--group', 'tool', '--delete-offsets', '--topic', 'tool')).text).toContain('Request succeeded')
    expect((await groups('--delete', '--group', 'tool')).text).toContain('successful')
    expect((await groups('--list')).rows).not.toContainEqual(['tool'])
    expect((await groups('--delete', '--group', 'tool')).text).toContain('GroupIdNotFoundException')
    expect((await groups('--describe', '--group', 'tool')).text).toContain('Group tool not found')
  }, 120_000)

  test('the consumer-groups tool shows the members of an active group, and cannot delete the group', async () => {
    await produce('living', 3)
    const args = ['-G', 'living', 'living', '-X', 'client.id=watched', '-X', 'partition.assignment.strategy=range']
    const member = spawn('kcat', ['-b', broker.bootstrap, ...args], { stdio: 'ignore' })
    try {
      const client = await RawClient.connect(broker.port)
      await expect
        .poll(() => client.call('DescribeGroups', { groups: ['living'] }), { timeout: 20_000 })
        .toMatchObject({ groups: [{ groupState: 'Stable' }] })
      client.close()
      const { rows } = await groups('--describe', '--group', 'living', '--members', '--verbose')
      const row = rows.find(r => r[0] === 'living')!
      expect(row.slice(2, 5)).toEqual(['/127.0.0.1', 'watched', '3'])
      expect(row.join(' ')).toContain('living:0,1,2')
      const state = (await groups('--describe', '--group', 'living', '--state')).rows.find(r => r[0] === 'living')!
      expect(state.join(' ')).toMatch(/ range Stable.* 1$/)
      expect((await groups('--delete', '--group', 'living')).text).toContain('GroupNotEmptyException')
      const refused = await groups('--group', 'living', '--delete-offsets', '--topic', 'living')
      expect(refused.text).toContain('GroupSubscribedToTopicException')
    } finally {
      member.kill()
    }
  }, 120_000)

  test('a transactional producer fails immediately with an explanation', async () => {
    const args = ['--topic', 'tx', '--num-records', '1', '--record-size', '10', '--throughput', '-1']
    const tx = ['--transactional-id', 'tx', '--bootstrap-server', broker.bootstrap]
    const { code, stdout, stderr } = await runKafkaTool('producer-perf-test', [...args, ...tx], {
      anyCode: true,
      timeoutMs: 30_000,
    })
    expect(code).not.toBe(0)
    expect(stdout + stderr).toContain('Millrace does not support transactions yet')
  })
})

describe.skipIf(noKcat)('with librdkafka', () => {
  test('kcat consumers share a group, and each message is read by exactly one of them', async () => {
    await produce('shared', 300)
    const read: string[] = []
    const members = [0, 1, 2].map(() => {
      const settings = ['-X', 'auto.offset.reset=earliest', '-X', 'session.timeout.ms=6000']
      const args = ['-b', broker.bootstrap, '-G', 'kcats', 'shared', '-q', '-u', ...settings]
      const child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'ignore'] })
      child.stdout.on('data', text => read.push(...lines(String(text))))
      return child
    })
    const client = await RawClient.connect(broker.port)
    const describeGroup = async () => {
      const { groups: found } = await client.call('DescribeGroups', { groups: ['kcats'] })
      const [group] = found as { groupState: string; members: unknown[] }[]
      return `${group!.groupState} ${group!.members.length}`
    }
    try {
      await expect.poll(describeGroup, { timeout: 30_000 }).toBe('Stable 3')
      await expect.poll(() => new Set(read).size, { timeout: 30_000 }).toBe(300)
      const [gone, killed] = members
      gone!.kill('SIGTERM')
      await expect.poll(describeGroup, { timeout: 30_000 }).toBe('Stable 2')
      killed!.kill('SIGKILL')
      await produce('shared', 400)
      await expect.poll(() => new Set(read).size, { timeout: 90_000 }).toBe(400)
    } finally {
      client.close()
      for (const m of members) m.kill('SIGKILL')
    }
  }, 180_000)
})
