import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ErrorCode } from '../protocol/error-codes.ts'
import { decodeResponseHeader } from '../protocol/headers.ts'
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/02-list-offsets.ts'
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts'
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/20-delete-topics.ts'
import { decode } from '../protocol/schema/codec.ts'
import { startBroker } from './broker.ts'
import { batchOf, valuesIn } from './test-support/batches.ts'
import { RawClient } from './test-support/raw-client.ts'
import { silentLogger, startTestBroker, type TestBroker } from './test-support/test-broker.ts'

let b: TestBroker
let c: RawClient
beforeEach(async () => {
  b = await startTestBroker()
  c = await RawClient.connect(b.port)
})
afterEach(async () => {
  c.close()
  await b.close()
})

async function create(name: string, o: { numPartitions?: number; configs?: { name: string; value: string }[] } = {}) {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, ...o }]
  const { topics: made } = await c.request(CreateTopicsRequest, CreateTopicsResponse, 7, { topics, timeoutMs: 5000 })
  return made[0]!
}

function produceInput(topic: string, records: Buffer, acks = -1) {
  return { acks, timeoutMs: 5000, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] }
}

async function produce(topic: string, ...values: string[]) {
  const r = await c.request(ProduceRequest, ProduceResponse, 12, produceInput(topic, batchOf(...values)))
  return r.responses[0]!.partitionResponses[0]!
}

function fetchInput(topic: string, fetchOffset: number, o: { maxWaitMs?: number; minBytes?: number } = {}) {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }]
  return { maxWaitMs: 0, minBytes: 1, ...o, topics: [{ topic, partitions }] }
}

async function fetch(topic: string, offset: number, o?: { maxWaitMs?: number; minBytes?: number }, client = c) {
  const r = await client.request(FetchRequest, FetchResponse, 12, fetchInput(topic, offset, o))
  return r.responses[0]!.partitions[0]!
}

async function metadata(...names: string[]) {
  const topics = names.map(name => ({ name }))
  return c.request(MetadataRequest, MetadataResponse, 12, { topics: names.length ? topics : null })
}

test('produced records are fetched, with consecutive offsets', async () => {
  await create('t')
  expect(await produce('t', 'a', 'b')).toMatchObject({ errorCode: 0, baseOffset: 0, logStartOffset: 0 })
  expect(await produce('t', 'c')).toMatchObject({ baseOffset: 2 })
  const got = await fetch('t', 0)
  expect(got).toMatchObject({ errorCode: 0, highWatermark: 3, lastStableOffset: 3, logStartOffset: 0 })
  expect(valuesIn(got.records)).toEqual(['a', 'b', 'c'])
  expect(valuesIn((await fetch('t', 2)).records)).toEqual(['c'])
})

test('a fetch at the end of the log waits, and is answered after the next append', async () => {
  await create('t')
  const other = await RawClient.connect(b.port)
  const waiting = fetch('t', 0, { maxWaitMs: 30_000 }, other)
  await produce('t', 'late')
  expect(valuesIn((await waiting).records)).toEqual(['late'])
  other.close()
})

test('a fetch that waits for too many bytes is answered after its maximum wait time', async () => {
  await create('t')
  await produce('t', 'few')
  const got = await fetch('t', 0, { maxWaitMs: 30, minBytes: 1_000_000 })
  expect(valuesIn(got.records)).toEqual(['few'])
})

test('a fetch beyond the end of the log fails at once', async () => {
  await create('t')
  expect(await fetch('t', 5, { maxWaitMs: 30_000 })).toMatchObject({
    errorCode: ErrorCode.OFFSET_OUT_OF_RANGE,
    highWatermark: -1,
  })
})

test('deleting a topic ends the long polls of that topic', async () => {
  await create('t')
  const other = await RawClient.connect(b.port)
  const waiting = fetch('t', 0, { maxWaitMs: 30_000 }, other)
  await c.request(MetadataRequest, MetadataResponse, 12, { topics: [] })
  await c.request(DeleteTopicsRequest, DeleteTopicsResponse, 6, { topics: [{ name: 't' }], timeoutMs: 1000 })
  expect((await waiting).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  other.close()
})

test('pipelined requests are appended and answered in order', async () => {
  await create('t')
  const ids: number[] = []
  const answers: Promise<Buffer>[] = []
  for (let i = 0; i < 200; i++) {
    answers.push(c.nextFrame())
    ids.push(c.send(ProduceRequest, 12, produceInput('t', batchOf(`v${i}`))))
  }
  for (const [i, frame] of (await Promise.all(answers)).entries()) {
    const { correlationId, end } = decodeResponseHeader(0, 12, frame)
    expect(correlationId).toBe(ids[i])
    const { responses } = decode(ProduceResponse, 12, frame, end)
    expect(responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: i })
  }
  const all: string[] = []
  while (all.length < 200) all.push(...valuesIn((await fetch('t', all.length)).records))
  expect(all).toEqual(Array.from({ length: 200 }, (_, i) => `v${i}`))
})

test('a produce request with acks=0 gets no response, and the next request is answered', async () => {
  await create('t')
  c.send(ProduceRequest, 12, produceInput('t', batchOf('quiet'), 0))
  expect(valuesIn((await fetch('t', 0, { maxWaitMs: 5000 })).records)).toEqual(['quiet'])
})

test('an error in a produce request with acks=0 closes the connection, as in Kafka', async () => {
  c.send(ProduceRequest, 12, produceInput('none', batchOf('x'), 0))
  await c.closed
})

test('each partition of a produce request gets its own error code', async () => {
  await create('t')
  const partitionData = [
    { index: 0, records: batchOf('fine') },
    { index: 7, records: batchOf('nowhere') },
    { index: 0, records: Buffer.from('garbage'.repeat(20)) },
  ]
  const r = await c.request(ProduceRequest, ProduceResponse, 12, {
    acks: 1,
    topicData: [
      { name: 't', partitionData },
      { name: '__consumer_offsets', partitionData: [partitionData[0]!] },
    ],
  })
  const codes = r.responses.flatMap(t => t.partitionResponses.map(p => p.errorCode))
  expect(codes).toEqual([
    0,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode.CORRUPT_MESSAGE,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ])
})

test('requesting the metadata of a topic creates the topic, unless the client or the broker forbids this', async () => {
  const [made] = (await metadata('auto')).topics
  expect(made).toMatchObject({ errorCode: 0, name: 'auto' })
  expect(made?.partitions).toMatchObject([{ leaderId: 1, isrNodes: [1] }])
  const no = await c.request(MetadataRequest, MetadataResponse, 12, {
    topics: [{ name: 'b' }],
    allowAutoTopicCreation: false,
  })
  expect(no.topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  expect((await metadata('bad name')).topics[0]?.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
  expect((await metadata()).topics.map(t => t.name)).toEqual(['auto'])
})

test('twenty clients that request the same new topic at the same time create one topic', async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(b.port)))
  const asked = clients.map(x => x.request(MetadataRequest, MetadataResponse, 12, { topics: [{ name: 'same' }] }))
  const ids = new Set((await Promise.all(asked)).map(r => r.topics[0]?.topicId))
  expect(ids.size).toBe(1)
  for (const x of clients) x.close()
})

test('an unknown version of ApiVersions is answered in version 0 with the supported versions', async () => {
  const answer = c.nextFrame()
  const header = Buffer.alloc(15)
  header.writeInt32BE(11, 0)
  header.writeInt16BE(18, 4)
  header.writeInt16BE(99, 6)
  header.writeInt32BE(42, 8)
  header.writeInt16BE(-1, 12)
  c.socket.write(header)
  const frame = await answer
  expect(frame.readInt32BE(0)).toBe(42)
  const r = decode(ApiVersionsResponse, 0, frame, 4)
  expect(r.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
  expect(r.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
})

test('ApiVersions announces exactly the supported APIs', async () => {
  const input = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  const r = await c.request(ApiVersionsRequest, ApiVersionsResponse, 4, input)
  const keys = r.apiKeys.map(a => a.apiKey)
  expect(keys).toEqual([...keys].sort((x, y) => x - y))
  expect(keys).toContain(0)
  expect(keys).not.toContain(68)
  expect(r.finalizedFeatures).toEqual([{ name: 'metadata.version', maxVersionLevel: 30, minVersionLevel: 30 }])
})

test('topics, configs, records and the cluster id survive a restart, and a deleted topic stays deleted', async () => {
  const made = await create('keep', { numPartitions: 2, configs: [{ name: 'retention.ms', value: '-1' }] })
  await create('drop')
  await produce('keep', 'a', 'b')
  await c.request(DeleteTopicsRequest, DeleteTopicsResponse, 6, { topics: [{ name: 'drop' }], timeoutMs: 1000 })
  const { clusterId } = b.broker
  await b.restart()
  c = await RawClient.connect(b.port)
  expect(b.broker.clusterId).toBe(clusterId)
  const { topics } = await metadata()
  expect(topics).toMatchObject([{ name: 'keep', topicId: made.topicId, partitions: [{}, {}] }])
  expect(valuesIn((await fetch('keep', 0)).records)).toEqual(['a', 'b'])
  expect(await produce('keep', 'c')).toMatchObject({ errorCode: 0, baseOffset: 2 })
  expect(readdirSync(b.dir).some(n => n.startsWith('drop'))).toBe(false)
})

test('a topic that is deleted and recreated is empty and has a new id', async () => {
  const first = await create('t')
  await produce('t', 'old')
  await c.request(DeleteTopicsRequest, DeleteTopicsResponse, 6, {
    topics: [{ topicId: first.topicId }],
    timeoutMs: 1000,
  })
  const second = await create('t')
  expect(second.topicId).not.toBe(first.topicId)
  expect(await fetch('t', 0)).toMatchObject({ errorCode: 0, highWatermark: 0 })
})

test('ListOffsets finds the first, last and newest offset, and the offset for a timestamp', async () => {
  await create('t')
  await produce('t', 'a', 'b', 'c')
  const find = async (timestamp: number) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }]
    const r = await c.request(ListOffsetsRequest, ListOffsetsResponse, 11, { topics })
    return r.topics[0]!.partitions[0]!
  }
  expect(await find(-1)).toMatchObject({ offset: 3, timestamp: -1, leaderEpoch: 0 })
  expect(await find(-2)).toMatchObject({ offset: 0 })
  expect((await find(-3)).offset).toBeGreaterThanOrEqual(0)
  expect(await find(0)).toMatchObject({ offset: 0 })
  expect(await find(Date.now() + 60_000)).toMatchObject({ offset: -1, timestamp: -1 })
  expect(await find(-9)).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION })
})

test('a new directory is formatted with the files that Kafka creates', async () => {
  const meta = readFileSync(join(b.dir, 'meta.properties'), 'utf8')
  expect(meta).toMatch(/^version=1$/m)
  expect(meta).toMatch(new RegExp(`^cluster.id=${b.broker.clusterId}$`, 'm'))
  expect(meta).toMatch(/^node.id=1$/m)
  expect(meta).toMatch(/^directory.id=[\w-]{22}$/m)
  const state = JSON.parse(readFileSync(join(b.dir, '__cluster_metadata-0/quorum-state'), 'utf8'))
  expect(state).toMatchObject({ leaderId: 1, leaderEpoch: 1, data_version: 0 })
})

test('close answers waiting requests, marks a clean shutdown and releases the lock of the directory', async () => {
  await create('t')
  const waiting = fetch('t', 0, { maxWaitMs: 30_000 })
  // Once another client's later request is answered, the broker has received the fetch.
  const other = await RawClient.connect(b.port)
  await other.request(MetadataRequest, MetadataResponse, 12, { topics: [] })
  const [answer] = await Promise.all([waiting, b.stop()])
  expect(answer).toMatchObject({ errorCode: 0, highWatermark: 0 })
  expect(existsSync(join(b.dir, '.kafka_cleanshutdown'))).toBe(true)
  expect(existsSync(join(b.dir, '.lock'))).toBe(false)
})

const settings = (dir: string, port = 0) => ({ 'log.dirs': dir, listeners: `PLAINTEXT://127.0.0.1:${port}` })

test('a broker whose port is in use does not start, and releases the lock of its directory', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-taken-'))
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await expect(startBroker(settings(dir, port), { logger: silentLogger })).rejects.toThrow(
    `Cannot listen on 127.0.0.1:${port}: the port is in use`,
  )
  server.close()
  const broker = await startBroker(settings(dir), { logger: silentLogger })
  await broker.close()
  rmSync(dir, { recursive: true })
})

test('a broker does not start in a directory that another broker uses', async () => {
  await expect(startBroker(settings(b.dir), { logger: silentLogger })).rejects.toMatchObject({
    code: 'MR_BROKER_DIR_LOCKED',
  })
})

test('a broker takes over the lock of a process that has exited', async () => {
  await b.stop()
  writeFileSync(join(b.dir, '.lock'), '999999999 1\n')
  await b.restart()
})

test('a broker does not start if its directory cannot be created', async () => {
  const file = join(b.dir, 'a-file')
  writeFileSync(file, '')
  await expect(startBroker(settings(join(file, 'data')), { logger: silentLogger })).rejects.toMatchObject({
    code: 'MR_BROKER_DIR_UNWRITABLE',
  })
})

test('min.insync.replicas never requires more replicas than a partition has, as in Apache Kafka', async () => {
  await create('t', { configs: [{ name: 'min.insync.replicas', value: '2' }] })
  expect(await produce('t', 'a')).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await fetch('t', 0)).toMatchObject({ highWatermark: 1 })
})

test('a topic whose log cannot be opened can be deleted and recreated', async () => {
  await create('broken')
  await produce('broken', 'old')
  await b.stop()
  const log = join(b.dir, 'broken-0/00000000000000000000.log')
  rmSync(log)
  mkdirSync(log)
  await b.restart()
  c = await RawClient.connect(b.port)
  expect(await produce('broken', 'x')).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
  await c.request(DeleteTopicsRequest, DeleteTopicsResponse, 6, { topics: [{ name: 'broken' }], timeoutMs: 5000 })
  expect(existsSync(join(b.dir, 'broken-0'))).toBe(false)
  await create('broken')
  expect(await produce('broken', 'new')).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(valuesIn((await fetch('broken', 0)).records)).toEqual(['new'])
})

test('a deleted meta.properties is recreated, and the records remain', async () => {
  await create('kept')
  await produce('kept', 'a')
  await b.stop()
  rmSync(join(b.dir, 'meta.properties'))
  await b.restart()
  c = await RawClient.connect(b.port)
  expect(valuesIn((await fetch('kept', 0)).records)).toEqual(['a'])
})

test('a broker does not start in the directory of another node', async () => {
  await b.stop()
  await expect(startBroker({ ...settings(b.dir), 'node.id': '2' }, { logger: silentLogger })).rejects.toThrow(
    /node 1 created it, but the configuration has node.id=2/,
  )
})

test('logs of topics that are not in the metadata are kept, because the metadata may have been lost', async () => {
  await create('precious')
  await produce('precious', 'a')
  await b.stop()
  rmSync(join(b.dir, '__cluster_metadata-0'), { recursive: true })
  await b.restart()
  c = await RawClient.connect(b.port)
  expect((await metadata()).topics).toEqual([])
  expect(await fetch('precious', 0)).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
  expect(readFileSync(join(b.dir, 'precious-0/00000000000000000000.log')).length).toBeGreaterThan(0)
})

test('a broker does not start if the middle of its metadata log is damaged', async () => {
  for (const name of ['a', 'b', 'c']) await create(name)
  await b.stop()
  const path = join(b.dir, '__cluster_metadata-0/00000000000000000000.log')
  const bytes = readFileSync(path)
  bytes[160] = bytes[160]! ^ 0xff
  writeFileSync(path, bytes)
  await expect(b.restart()).rejects.toMatchObject({ code: 'MR_BROKER_METADATA_CORRUPT' })
})

test('limits that are set through the API apply immediately, and also after a restart', async () => {
  const limit = async (op: number, value: string | null) => {
    const configs = [{ name: 'max.connections.per.ip', configOperation: op, value }]
    return c.call('IncrementalAlterConfigs', { resources: [{ resourceType: 4, resourceName: '1', configs }] })
  }
  await limit(0, '1')
  const refused = await RawClient.connect(b.port)
  await refused.closed
  await b.restart()
  c = await RawClient.connect(b.port)
  await metadata()
  const again = await RawClient.connect(b.port)
  await again.closed
  await limit(1, null)
  const fine = await RawClient.connect(b.port)
  await fine.request(MetadataRequest, MetadataResponse, 12, { topics: [] })
  fine.close()
})
