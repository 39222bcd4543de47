import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { findKafkaLibs, runKafkaTool, skipWithout } from '../../../test/peers/tools.ts'
import { type Broker, startBroker } from '../broker.ts'
import { ApacheKafka } from '../log/test-support/apache-kafka.ts'
import { removeDir, tempDir } from '../log/test-support/logs.ts'
import { silentLogger } from '../test-support/test-broker.ts'
import { imageRecords } from './image-records.ts'
import { readSnapshot } from './snapshot-file.ts'
import { SnapshotStore } from './snapshot-store.ts'

/**
 * This test moves a directory whose metadata log no longer begins at 0 from Apache to Millrace and
 * back.
 */
const libs = findKafkaLibs()
const skipped = skipWithout('Apache Kafka', libs !== null)

/**
 * Settings with which a broker writes a snapshot after almost every change, and keeps little old
 * metadata.
 */
const PAST_RETENTION = {
  'metadata.log.max.record.bytes.between.snapshots': '1000',
  'metadata.max.retention.ms': '1',
  'metadata.max.retention.bytes': '1',
  'metadata.log.segment.ms': '100',
}

let dir: string
let apache: ApacheKafka
const metadataDir = () => join(apache.dataDir, '__cluster_metadata-0')
const firstOffset = () =>
  Number(
    readdirSync(metadataDir())
      .filter(n => n.endsWith('.log'))
      .sort()[0]!
      .slice(0, 20),
  )
const store = () => new SnapshotStore(metadataDir())

beforeAll(() => {
  if (skipped) return
  dir = tempDir()
  apache = new ApacheKafka(libs!, dir, {
    standalone: true,
    format: ['--add-scram', 'SCRAM-SHA-256=[name=alice,password=alice-secret]'],
    settings: {
      ...PAST_RETENTION,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
  })
})
afterAll(async () => {
  if (skipped) return
  await apache.stop()
  removeDir(dir)
})

async function withKafka<T>(bootstrap: string, use: (kafka: Kafka, admin: Admin) => Promise<T>): Promise<T> {
  const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await use(kafka, admin)
  } finally {
    await admin.disconnect()
  }
}

/**
 * Creates topics without waiting for their leaders. Just after the creation, Apache may not list a
 * topic, and kafkajs would fail while it waits.
 */
const create = (admin: Admin, topics: { topic: string; numPartitions?: number }[]) =>
  admin.createTopics({ topics, waitForLeaders: false })

async function send(kafka: Kafka, topic: string, values: string[]): Promise<void> {
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: values.map(value => ({ value })) })
  await producer.disconnect()
}

async function readAll(bootstrap: string, topic: string, count: number): Promise<string[]> {
  const limits = ['--max-messages', String(count), '--timeout-ms', '60000']
  const args = ['--bootstrap-server', bootstrap, '--topic', topic, '--from-beginning', ...limits]
  const { stdout } = await runKafkaTool('console-consumer', args)
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .sort()
}

/**
 * Returns the records of the newest snapshot. They are sorted, because the brokers write them in
 * the order of their hash maps.
 */
async function newestRecords(): Promise<string[]> {
  const records: string[] = []
  for await (const part of readSnapshot(store().path(store().list().at(-1)!)))
    if (part.kind === 'records') records.push(...part.values.map(v => v.toString('hex')))
  return records.sort()
}

/** Returns the names and partition counts of all topics, and the configs of one topic. */
const inventory = (bootstrap: string) =>
  withKafka(bootstrap, async (_, admin) => {
    const { topics } = await admin.fetchTopicMetadata()
    const shown = topics.filter(t => !t.name.startsWith('__')).map(t => `${t.name} ${t.partitions.length}`)
    const { resources } = await admin.describeConfigs({
      resources: [{ type: 2, name: 'kept', configNames: ['retention.ms', 'cleanup.policy'] }],
      includeSynonyms: false,
    })
    return { topics: shown.sort(), configs: resources[0]!.configEntries.map(c => [c.configName, c.configValue]) }
  })

const dump = async (...files: string[]) =>
  (await runKafkaTool('dump-log', ['--cluster-metadata-decoder', '--files', files.join(',')])).stdout

function startOurs(more: Record<string, string> = {}): Promise<Broker> {
  return startBroker(
    {
      'node.id': '1',
      'log.dirs': apache.dataDir,
      listeners: 'PLAINTEXT://127.0.0.1:0',
      'offsets.topic.num.partitions': '1',
      ...PAST_RETENTION,
      ...more,
    },
    { logger: silentLogger },
  )
}

test.skipIf(skipped)(
  'a directory whose metadata log begins past 0 moves from Apache to Millrace and back without loss',
  { timeout: 400_000 },
  async () => {
    await apache.start()
    await withKafka(apache.bootstrap, async (kafka, admin) => {
      for (let i = 0; i < 5; i++) {
        await create(admin, [{ topic: `gone-${i}`, numPartitions: 3 }])
        await admin.deleteTopics({ topics: [`gone-${i}`] })
      }
      await create(admin, [{ topic: 'kept', numPartitions: 2 }, { topic: 'other' }])
      await admin.createPartitions({ topicPartitions: [{ topic: 'other', count: 4 }] })
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: 2, name: 'kept', configEntries: [{ name: 'retention.ms', value: '123456789' }] }],
      })
      const acl = {
        resourceType: AclResourceTypes.TOPIC,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        host: '*',
        operation: AclOperationTypes.READ,
        permissionType: AclPermissionTypes.ALLOW,
      }
      for (const name of ['alice', 'bob', 'carol'])
        await admin.createAcls({ acl: [{ ...acl, resourceName: name, principal: `User:${name}` }] })
      await admin.deleteAcls({ filters: [{ ...acl, resourceName: 'bob', principal: 'User:bob' }] })
      await send(kafka, 'kept', ['a', 'b', 'c'])
    })
    const alter = ['--bootstrap-server', apache.bootstrap, '--alter', '--entity-type', 'users', '--entity-name', 'bob']
    await runKafkaTool('configs', [...alter, '--add-config', 'producer_byte_rate=1024,consumer_byte_rate=2048'])
    await runKafkaTool('configs', [...alter, '--delete-config', 'consumer_byte_rate'])
    // Wait until Apache has trimmed its metadata log. It checks once a minute for metadata to
    // remove.
    await vi.waitFor(() => expect(firstOffset()).toBeGreaterThan(0), { timeout: 150_000, interval: 500 })
    const theirs = await inventory(apache.bootstrap)
    expect(theirs.topics).toEqual(['kept 2', 'other 4'])
    await apache.stop()

    // The image of Apache's snapshot must yield the same records as Apache's snapshot contains.
    const newest = store().list().at(-1)!
    const image = await store().load(newest)
    const ourRecords = [...imageRecords(image)].map(b => b.toString('hex')).sort()
    const theirRecords = await newestRecords()
    expect(ourRecords).toEqual(theirRecords)
    const keptBefore = [...image.kept.values()].map(k => k.bytes.toString('hex')).sort()
    expect(keptBefore.length).toBeGreaterThanOrEqual(5)

    let ours = await startOurs()
    expect(await inventory(ours.address)).toEqual(theirs)
    expect(await readAll(ours.address, 'kept', 3)).toEqual(['a', 'b', 'c'])
    const before = firstOffset()
    await withKafka(ours.address, async (kafka, admin) => {
      await create(admin, [{ topic: 'made-here', numPartitions: 2 }, { topic: 'passing' }])
      await admin.deleteTopics({ topics: ['passing'] })
      await send(kafka, 'made-here', ['x', 'y'])
      // Wait until our broker has written its own snapshot and has trimmed the log before it.
      await vi.waitFor(
        async () => {
          await create(admin, [{ topic: `n${Date.now()}` }])
          expect(firstOffset()).toBeGreaterThan(before)
          expect(store().list()[0]!.endOffset).toBeGreaterThan(newest.endOffset)
        },
        { timeout: 60_000, interval: 1000 },
      )
    })
    const after = await inventory(ours.address)
    await ours.close()

    const ourNewest = store().list().at(-1)!
    const kept = [...(await store().load(ourNewest)).kept.values()].map(k => k.bytes.toString('hex')).sort()
    expect(kept).toEqual(keptBefore)
    const dumped = await dump(
      store().path(ourNewest),
      join(metadataDir(), readdirSync(metadataDir()).find(n => n.endsWith('.log'))!),
    )
    expect(dumped).toContain('SnapshotHeader')
    expect(dumped).toContain('SnapshotFooter')
    expect(dumped).toContain('KRaftVoters')
    expect(dumped).toContain('"name":"made-here"')
    expect(dumped).not.toMatch(/isvalid: false|Could not|Exception/)

    await apache.start()
    await vi.waitFor(async () => expect(await inventory(apache.bootstrap)).toEqual(after), 30_000)
    expect((await readAll(apache.bootstrap, 'kept', 3)).length).toBe(3)
    expect((await readAll(apache.bootstrap, 'made-here', 2)).length).toBe(2)
    await withKafka(apache.bootstrap, async (_, admin) => {
      const acls = await admin.describeAcls({
        resourceType: AclResourceTypes.TOPIC,
        resourcePatternType: ResourcePatternTypes.ANY,
        operation: AclOperationTypes.ANY,
        permissionType: AclPermissionTypes.ANY,
      })
      expect(acls.resources.map(r => r.resourceName).sort()).toEqual(['alice', 'carol'])
    })
    const user = ['--bootstrap-server', apache.bootstrap, '--describe', '--entity-type', 'users']
    const users = (await runKafkaTool('configs', user)).stdout
    expect(users).toMatch(/user-principal 'bob' are producer_byte_rate=1024/)
    expect(users).not.toContain('consumer_byte_rate')
    expect(users).toMatch(/user-principal 'alice' are SCRAM-SHA-256=/)
    await withKafka(apache.bootstrap, (_, admin) => create(admin, [{ topic: 'back-again' }]))
    await apache.stop()
    ours = await startOurs()
    expect((await inventory(ours.address)).topics).toEqual([...after.topics, 'back-again 1'].sort())
    await ours.close()
  },
)
