import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { encodeMetadataRecord } from '../../protocol/messages/metadata/metadata-record.ts'
import { AccessControlEntryRecord, RemoveAccessControlEntryRecord } from '../../protocol/messages/metadata/security.ts'
import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import { readBatches } from '../../protocol/records/batch-reader.ts'
import { removeDir, tempDir } from '../log/test-support/logs.ts'
import { batchOf, valuesIn } from '../test-support/batches.ts'
import { newTopic } from '../test-support/decisions.ts'
import { RawClient } from '../test-support/raw-client.ts'
import { startTestBroker, type TestBroker } from '../test-support/test-broker.ts'
import { imageRecords } from './image-records.ts'
import { randomUuid } from './meta-properties.ts'
import { record, recordBytes } from './records.ts'
import { snapshotName } from './snapshot-file.ts'
import { MetadataRig } from './test-support/metadata-rig.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

const openRig = () => MetadataRig.open(dir)

const metadata = (...names: string[]) => join(dir, '__cluster_metadata-0', ...names)
const checkpoints = () =>
  readdirSync(metadata())
    .filter(n => n.includes('.checkpoint'))
    .sort()
const logFiles = () =>
  readdirSync(metadata())
    .filter(n => n.endsWith('.log'))
    .sort()
const topic = (name: string) => record('Topic', { name, topicId: randomUuid() })

/**
 * Creates a log that no longer begins at 0. Writes twenty topics and a snapshot. Then removes ten
 * topics, writes another snapshot, and adds two topics.
 */
async function trimmed(): Promise<MetadataRig> {
  const rig = await openRig()
  await rig.load()
  const topics = Array.from({ length: 20 }, (_, i) => topic(`t${i}`))
  await rig.write(...topics)
  await rig.snapshot()
  for (const t of topics.slice(0, 10))
    await rig.write(record('RemoveTopic', { topicId: (t.value as { topicId: string }).topicId }))
  await rig.snapshot()
  await rig.write(topic('after-1'), topic('after-2'))
  return rig
}

test('the log before a snapshot is trimmed, the newest snapshot is kept, and a restart restores everything', async () => {
  const rig = await trimmed()
  const before = rig.image
  expect(checkpoints()).toEqual([snapshotName({ endOffset: 30, epoch: 1 })])
  expect(rig.log.startOffset).toBe(30)
  expect(Number(logFiles()[0]!.slice(0, 20))).toBeGreaterThan(20)
  await rig.logs.close()
  const again = await openRig()
  expect((await again.load()).topicsByName).toEqual(before.topicsByName)
  expect(again.topics()).toEqual(['after-1', 'after-2', ...Array.from({ length: 10 }, (_, i) => `t${i + 10}`)])
  expect(again.image.offset).toBe(before.offset)
  await again.logs.close()
})

const lastBatchAt = (bytes: Buffer) => bytes.length - [...readBatches(bytes)].at(-1)!.size

test('if the snapshot is truncated, corrupt or missing, the broker does not start and changes nothing', async () => {
  await (await trimmed()).logs.close()
  const path = metadata(checkpoints()[0]!)
  const whole = readFileSync(path)
  const wrong = Buffer.from(whole)
  wrong[whole.length >> 1]! ^= 1
  const damages: [string, () => void][] = [
    ['is missing', () => rmSync(path)],
    ['its checksum is wrong', () => writeFileSync(path, wrong)],
    ['it has no footer', () => writeFileSync(path, whole.subarray(0, lastBatchAt(whole)))],
    ['it is truncated', () => writeFileSync(path, whole.subarray(0, whole.length - 10))],
    ['it has no footer', () => writeFileSync(path, '')],
  ]
  for (const [cause, damage] of damages) {
    damage()
    const rig = await openRig()
    const error = await rig.load().catch(e => e)
    expect(error).toMatchObject({ code: 'MR_BROKER_METADATA_SNAPSHOT' })
    expect(String(error)).toContain(`starts at offset 30, but`)
    expect(String(error)).toContain(cause)
    await rig.logs.close()
    writeFileSync(path, whole)
  }
  const rig = await openRig()
  await rig.load()
  expect(rig.topics().length).toBe(12)
  await rig.logs.close()
})

test('a damaged snapshot is renamed if the log or an older snapshot contains all its records', async () => {
  const rig = await openRig()
  await rig.load()
  await rig.write(topic('a'))
  await rig.log.snapshots.save(rig.image, 0)
  await rig.write(topic('b'))
  await rig.log.snapshots.save(rig.image, 0)
  await rig.write(topic('c'))
  await rig.logs.close()
  for (const name of checkpoints()) {
    writeFileSync(metadata(name), 'x')
    const again = await openRig()
    await again.load()
    expect(again.topics()).toEqual(['a', 'b', 'c'])
    if (name === checkpoints()[1]) expect(again.lines.join()).toContain('is unreadable')
    await again.logs.close()
  }
})

test('if a snapshot ends after the log, new records follow the snapshot', async () => {
  const rig = await trimmed()
  await rig.snapshot()
  const { offset } = rig.image
  await rig.logs.close()
  for (const name of logFiles()) rmSync(metadata(name))
  const again = await openRig()
  await again.load()
  expect(again.topics().length).toBe(12)
  expect([again.log.startOffset, again.log.endOffset]).toEqual([offset + 1, offset + 1])
  await again.write(topic('next'))
  await again.logs.close()
  const third = await openRig()
  await third.load()
  expect(third.topics()).toContain('next')
  expect(third.topics().length).toBe(13)
  await third.logs.close()
})

test('if the log has lost its end, loading fails without the snapshot of the lost records', async () => {
  const rig = await openRig()
  await rig.load()
  await rig.write(topic('a'), topic('b'))
  await rig.log.snapshots.save(rig.image, 0)
  await rig.logs.close()
  for (const name of logFiles()) rmSync(metadata(name))
  writeFileSync(metadata(checkpoints()[0]!), 'x')
  const again = await openRig()
  await expect(again.load()).rejects.toThrow('ends at offset 0, before its newest snapshot at 2')
  await again.logs.close()
})

test('partial snapshots that a crash left behind are ignored and removed', async () => {
  const rig = await openRig()
  await rig.load()
  await rig.write(topic('a'))
  await rig.logs.close()
  for (const name of [
    '00000000000000000009-0000000001.checkpoint.part',
    // Apache gives these names to temporary files, and to files that it is about to remove.
    '00000000000000000009-0000000001-123456.checkpoint.part',
    '00000000000000000009-0000000001.checkpoint.deleted',
  ])
    writeFileSync(metadata(name), 'x')
  const again = await openRig()
  await again.load()
  expect(again.topics()).toEqual(['a'])
  expect(checkpoints()).toEqual([])
  await again.logs.close()
})

const acl = (resourceName: string, id: string) =>
  encodeMetadataRecord(AccessControlEntryRecord, 0, { id, resourceName, principal: 'User:x', host: '*' })
const removedAcl = (id: string) => encodeMetadataRecord(RemoveAccessControlEntryRecord, 0, { id })
const unknown = (apiKey: number, version: number, text: string) =>
  Buffer.concat([Buffer.from([1, apiKey, version]), Buffer.from(text)])

test('records of unknown types and versions remain in snapshots, byte for byte and in order', async () => {
  const rig = await openRig()
  await rig.load()
  const [one, two] = [randomUuid(), randomUuid()]
  const quota = (key: string, value: number, remove = false) =>
    record('ClientQuota', { entity: [{ entityType: 'user', entityName: 'bob' }], key, value, remove }).bytes
  const kept = [unknown(99, 0, 'first'), acl('kept', two), unknown(98, 7, 'second'), unknown(18, 3, 'newer ACL')]
  await rig.write(kept[0]!, acl('gone', one), kept[1]!, topic('t'), kept[2]!, quota('gone', 1), quota('rate', 1))
  await rig.write(removedAcl(one), quota('gone', 1, true), kept[3]!, quota('rate', 2))
  // Write several snapshots, each from the image of the previous one.
  for (let i = 0; i < 3; i++) {
    await rig.snapshot()
    await rig.write(topic(`more-${i}`))
  }
  expect(rig.log.startOffset).toBeGreaterThan(10)
  await rig.logs.close()
  const again = await openRig()
  const found = [...imageRecords(await again.load())].map(b => b.toString('hex'))
  const last = [...kept, quota('rate', 2)].map(b => b.toString('hex'))
  expect(found.slice(-last.length)).toEqual(last)
  expect(found.length).toBe(last.length + 4)
  await again.logs.close()
})

test('tagged fields of a newer version are kept with their records', async () => {
  const rig = await openRig()
  await rig.load()
  const topicId = randomUuid()
  const tags = [
    { tag: 50, bytes: Buffer.from('new') },
    { tag: 51, bytes: Buffer.alloc(200, 7) },
  ]
  const partition = {
    topicId,
    partitionId: 0,
    replicas: [1],
    isr: [1],
    leader: 1,
    leaderEpoch: 3,
    partitionEpoch: 4,
    directories: [randomUuid()],
    eligibleLeaderReplicas: [7],
  }
  const written = [
    recordBytes('FeatureLevel', { name: 'metadata.version', featureLevel: 30 }, tags),
    recordBytes('Topic', { name: 't', topicId }, tags),
    recordBytes('Partition', partition, tags),
    recordBytes('Config', { resourceType: 2, resourceName: 't', name: 'retention.ms', value: '1' }, tags),
    recordBytes('ProducerIds', { brokerId: -1, brokerEpoch: -1, nextProducerId: 5 }, tags),
  ]
  await rig.write(...written)
  await rig.log.snapshots.save(rig.image, 0)
  await rig.logs.close()
  const again = await openRig()
  expect([...imageRecords(await again.load())].map(b => b.toString('hex'))).toEqual(written.map(b => b.toString('hex')))
  await again.write(record('PartitionChange', { topicId, partitionId: 0, isr: [] }))
  const changed = recordBytes('Partition', { ...partition, isr: [], partitionEpoch: 5 }, tags)
  expect([...imageRecords(again.image)][2]!.toString('hex')).toBe(changed.toString('hex'))
  await again.write(record('RemoveTopic', { topicId }))
  expect(again.image.unknownTags.size).toBe(2)
  await again.logs.close()
})

test('an unreadable record causes an error, and is never skipped', async () => {
  const rig = await openRig()
  await rig.load()
  const builder = new RecordBatchBuilder({ initialSize: 100 })
  builder.append(null, Buffer.from([2, 0, 0]), 0)
  await rig.logs.get('__cluster_metadata', 0)!.append(builder.build(), { origin: 'coordinator', leaderEpoch: 0 })
  await expect(rig.load()).rejects.toMatchObject({ code: 'MR_BROKER_METADATA_CORRUPT' })
  await rig.logs.close()
})

const TINY = {
  'metadata.log.max.record.bytes.between.snapshots': '1',
  'metadata.max.retention.ms': '0',
  'metadata.log.segment.ms': '1',
}

async function startedAgain(b: TestBroker): Promise<unknown> {
  return b.restart().catch((error: unknown) => error)
}

test('a broker whose metadata log begins past 0 loses nothing, and does not start without its snapshot', async () => {
  const b = await startTestBroker(TINY)
  dir = b.dir
  let c = await RawClient.connect(b.port)
  const create = (name: string) =>
    c.call('CreateTopics', {
      topics: [{ ...newTopic(name), configs: [{ name: 'retention.ms', value: '777000' }] }],
      timeoutMs: 5000,
    })
  await create('kept')
  const topicData = [{ name: 'kept', partitionData: [{ index: 0, records: batchOf('a', 'b') }] }]
  await c.call('Produce', { acks: -1, timeoutMs: 5000, topicData }, 12)
  let n = 0
  await vi.waitFor(
    async () => {
      await create(`x${n++}`)
      expect(Number(logFiles()[0]!.slice(0, 20))).toBeGreaterThan(3)
    },
    { timeout: 30_000, interval: 100 },
  )
  c.close()
  await b.restart()
  c = await RawClient.connect(b.port)
  const configs = await c.call('DescribeConfigs', {
    resources: [{ resourceType: 2, resourceName: 'kept', configurationKeys: ['retention.ms'] }],
  })
  expect(JSON.stringify(configs)).toContain('777000')
  const read = await c.call(
    'Fetch',
    {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topic: 'kept', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10_000 }] }],
    },
    12,
  )
  const responses = read['responses'] as { partitions: { records: Buffer }[] }[]
  expect(valuesIn(responses[0]!.partitions[0]!.records)).toEqual(['a', 'b'])
  c.close()
  await b.stop()
  const saved = checkpoints().map(name => [metadata(name), readFileSync(metadata(name))] as const)
  for (const [path] of saved) rmSync(path)
  const before = readdirSync(dir).sort()
  expect(await startedAgain(b)).toMatchObject({ code: 'MR_BROKER_METADATA_SNAPSHOT' })
  expect(readdirSync(dir).filter(n => !before.includes(n) && n !== '.kafka_cleanshutdown')).toEqual([])
  expect(existsSync(join(dir, 'kept-0'))).toBe(true)
  for (const [path, bytes] of saved) writeFileSync(path, bytes)
  expect(await startedAgain(b)).toBeUndefined()
  c = await RawClient.connect(b.port)
  expect(JSON.stringify(await c.call('Metadata', { topics: [{ name: 'kept' }] }))).toContain('"errorCode":0')
  c.close()
  await b.close()
})
