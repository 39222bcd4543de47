import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findKafkaLibs, runKafkaTool, skipWithout } from '../../test/peers/tools.ts'
import { sleep } from '../common/async/sleep.ts'
import { ErrorCode, isRetriableCode } from '../protocol/error-codes.ts'
import * as header from '../protocol/records/batch-header.ts'
import { readBatches } from '../protocol/records/batch-reader.ts'
import { ApacheKafka } from './log/test-support/apache-kafka.ts'
import { type BrokerProcess, startBrokerProcess } from './test-support/broker-process.ts'
import { bytesOf, ODD_BATCHES, type OddBatch } from './test-support/odd-batches.ts'
import { rawBatch } from './test-support/raw-batch.ts'
import { RawClient } from './test-support/raw-client.ts'

/**
 * This test sends a table of invalid batches to Apache Kafka and to our broker. Each batch goes to
 * its own partition, between two good records. Both brokers must accept and reject the same
 * batches. Both must keep and find the good records after a restart and a SIGKILL.
 */
const skipped = skipWithout('Apache Kafka', findKafkaLibs() !== null)

/** The error codes that deliberately differ from Apache's. docs/compatibility.md lists them too. */
const DEVIATIONS: Readonly<Record<string, number>> = {
  // Apache looks up the transaction in its transaction coordinator. Millrace has no transactions
  // yet.
  'transactional, producer 9, id some-id': ErrorCode.INVALID_TXN_STATE,
}

interface PartitionOf {
  readonly topic: string
  readonly index: number
  readonly c: OddBatch
  readonly isAppendTime: boolean
}

interface Outcome {
  readonly before: number
  readonly after: number
  readonly answer: Record<string, unknown>
}

/** One of the two brokers, Apache's or ours. */
interface Side {
  readonly name: string
  client: RawClient
  outcomes: Map<PartitionOf, Outcome>
  /** Stops the broker with a signal, then starts it again with the same directory. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** Assigns a partition to each case. Cases with the same topic configuration share a topic. */
function assignPartitions(): PartitionOf[] {
  const topics = new Map<string, number>()
  const counts = new Map<string, number>()
  return ODD_BATCHES.map(c => {
    const key = JSON.stringify(c.config ?? {})
    if (!topics.has(key)) topics.set(key, topics.size)
    const topic = `odd-${topics.get(key)}`
    const index = counts.get(topic) ?? 0
    counts.set(topic, index + 1)
    return { topic, index, c, isAppendTime: c.config?.['message.timestamp.type'] === 'LogAppendTime' }
  })
}

const partitions = assignPartitions()
const topics = [...new Set(partitions.map(p => p.topic))]
/**
 * The base of all timestamps. Set once the brokers are running, because they compare timestamps
 * with their clocks.
 */
let now = 0n
const BEFORE = () => now - 2000n
const AFTER = () => now + 2000n

let home: string
let ours: Side
let theirs: Side
const stop: (() => Promise<void>)[] = []
beforeAll(async () => {
  if (skipped) return
  home = mkdtempSync(join(tmpdir(), 'odd-batches-'))
  ;[theirs, ours] = await Promise.all([startTheirs(), startOurs()])
})
afterAll(async () => {
  for (const end of stop) await end()
  if (home) rmSync(home, { recursive: true, force: true })
})

async function startTheirs(): Promise<Side> {
  const kafka = new ApacheKafka(findKafkaLibs()!, join(home, 'theirs'))
  stop.push(() => kafka.stop('SIGKILL'))
  await kafka.start()
  const connect = () => RawClient.connect(Number(kafka.bootstrap.split(':')[1]))
  const side: Side = {
    name: 'Apache',
    client: await connect(),
    outcomes: new Map(),
    async restart(signal) {
      side.client.close()
      await kafka.stop(signal)
      await kafka.start()
      side.client = await connect()
    },
  }
  return side
}

async function startOurs(): Promise<Side> {
  const settings = { 'log.dirs': join(home, 'ours'), listeners: 'PLAINTEXT://127.0.0.1:0', 'node.id': '1' }
  let broker: BrokerProcess = await startBrokerProcess(settings)
  stop.push(() => broker.kill())
  const side: Side = {
    name: 'Millrace',
    client: await RawClient.connect(broker.port),
    outcomes: new Map(),
    async restart(signal) {
      side.client.close()
      await (signal === 'SIGTERM' ? broker.stop() : broker.kill())
      broker = await startBrokerProcess(settings)
      side.client = await RawClient.connect(broker.port)
    },
  }
  return side
}

async function createTopics({ client }: Side): Promise<void> {
  const input = topics.map(name => {
    const of = partitions.filter(p => p.topic === name)
    const configs = Object.entries(of[0]!.c.config ?? {}).map(([key, value]) => ({ name: key, value }))
    return { name, numPartitions: of.length, replicationFactor: 1, configs }
  })
  const answer = (await client.call('CreateTopics', { topics: input, timeoutMs: 60_000 })) as {
    topics: { errorCode: number; errorMessage: string | null }[]
  }
  for (const t of answer.topics) expect(t.errorCode, String(t.errorMessage)).toBe(0)
}

interface Offset {
  errorCode: number
  offset: number
  timestamp: number
}

/** Returns the result of ListOffsets for every partition. */
async function offsetsAt({ client }: Side, timestamp: number): Promise<Map<PartitionOf, Offset>> {
  const input = topics.map(name => ({
    name,
    partitions: partitions
      .filter(p => p.topic === name)
      .map(p => ({ partitionIndex: p.index, timestamp, currentLeaderEpoch: -1 })),
  }))
  const answer = (await client.call('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: input }, 8)) as {
    topics: { name: string; partitions: (Offset & { partitionIndex: number })[] }[]
  }
  const found = new Map(answer.topics.flatMap(t => t.partitions.map(p => [`${t.name}-${p.partitionIndex}`, p])))
  return new Map(partitions.map(p => [p, found.get(`${p.topic}-${p.index}`)!]))
}

/**
 * Waits until a broker leads all its partitions, which Apache does some time after their creation.
 */
async function untilLed(side: Side): Promise<void> {
  for (;;) {
    const offsets = [...(await offsetsAt(side, -1)).values()]
    if (offsets.every(o => o.errorCode === 0)) return
    await sleep(50)
  }
}

async function produce(side: Side, p: PartitionOf, records: Buffer | null, c: OddBatch = { name: '' }) {
  const input = {
    acks: -1,
    timeoutMs: 10_000,
    transactionalId: c.transactionalId ?? null,
    topicData: [{ name: p.topic, partitionData: [{ index: p.index, records }] }],
  }
  const answer = (await side.client.call('Produce', input, c.version ?? 12)) as {
    responses: { partitionResponses: Record<string, unknown>[] }[]
  }
  return answer.responses[0]!.partitionResponses[0]!
}

const good = (value: string, time: bigint) =>
  rawBatch({ records: [{ key: value, value }], baseTimestamp: time, maxTimestamp: time }, time)

async function sendAll(side: Side): Promise<void> {
  for (const p of partitions) {
    const before = await produce(side, p, good('before', BEFORE()))
    const answer = await produce(side, p, bytesOf(p.c, now), p.c)
    const after = await produce(side, p, good('after', AFTER()))
    expect([before['errorCode'], after['errorCode']], `${side.name}: around "${p.c.name}"`).toEqual([0, 0])
    side.outcomes.set(p, { before: before['baseOffset'] as number, after: after['baseOffset'] as number, answer })
  }
}

/** Returns a response without the values that come from the broker's clock. */
function comparable(answer: Record<string, unknown>): Record<string, unknown> {
  const text = JSON.stringify(answer).replace(/within \[-?\d+, -?\d+\]/g, 'within [range]')
  const { errorMessage: _, logAppendTimeMs, ...rest } = JSON.parse(text) as Record<string, unknown>
  return { ...rest, logAppendTimeMs: logAppendTimeMs === -1 ? -1 : 'now' }
}

function compareAnswers(p: PartitionOf): void {
  const their = theirs.outcomes.get(p)!.answer
  const our = ours.outcomes.get(p)!.answer
  const { name } = p.c
  const deviation = DEVIATIONS[name]
  if (deviation !== undefined) {
    expect([name, our['errorCode']]).toEqual([name, deviation])
    return
  }
  if (their['errorCode'] === ErrorCode.UNKNOWN_SERVER_ERROR) {
    // Apache fails with an internal error, but our error names the fault. Clients retry neither
    // error.
    expect(our['errorCode'], name).toBeGreaterThan(0)
    expect(isRetriableCode(our['errorCode'] as number), name).toBe(false)
    expect(our['logStartOffset'], name).toBe(their['logStartOffset'])
    return
  }
  expect({ name, ...comparable(our) }).toEqual({ name, ...comparable(their) })
  // If Apache sends a message, ours must be equal. If Apache sends no message, ours may have one.
  if (their['errorMessage'] !== null) expect(our['errorMessage'], name).toBe(their['errorMessage'])
}

/** Fetches the batches of every partition, from the offset that `from` returns. */
async function fetchAll({ client }: Side, from: (p: PartitionOf) => number): Promise<Map<PartitionOf, Buffer>> {
  const found = new Map<PartitionOf, Buffer>()
  for (const topic of topics) {
    const of = partitions.filter(p => p.topic === topic)
    const asked = of.map(p => ({ partition: p.index, fetchOffset: from(p), partitionMaxBytes: 2 << 20 }))
    const input = { maxWaitMs: 0, minBytes: 0, maxBytes: 100 << 20, topics: [{ topic, partitions: asked }] }
    const answer = (await client.call('Fetch', input, 12)) as {
      responses: { partitions: { partitionIndex: number; errorCode: number; records: Buffer | null }[] }[]
    }
    for (const r of answer.responses[0]?.partitions ?? []) {
      expect(r.errorCode).toBe(0)
      found.set(of.find(p => p.index === r.partitionIndex)!, r.records ?? Buffer.alloc(0))
    }
  }
  return found
}

/** Returns the values of the batch that begins at an offset. */
function valuesAt(records: Buffer | undefined, offset: number): string[] {
  for (const batch of records ? readBatches(records) : []) {
    if (batch.baseOffset === offset) return batch.records().map(r => String(r.value))
  }
  return []
}

/**
 * Checks that the good records exist and are found by timestamp, with the same results in both
 * brokers.
 */
async function checkGood(when: string): Promise<void> {
  for (const side of [theirs, ours]) {
    for (const which of ['before', 'after'] as const) {
      const at = (p: PartitionOf) => side.outcomes.get(p)![which]
      const fetched = await fetchAll(side, at)
      for (const p of partitions) {
        expect([side.name, when, p.c.name, ...valuesAt(fetched.get(p), at(p))]).toEqual([
          side.name,
          when,
          p.c.name,
          which,
        ])
      }
    }
  }
  for (const time of [BEFORE(), AFTER(), -3n, -1n]) {
    const [their, our] = await Promise.all([theirs, ours].map(side => offsetsAt(side, Number(time))))
    for (const p of partitions) {
      if (DEVIATIONS[p.c.name] !== undefined || (p.isAppendTime && time !== BEFORE())) continue
      const { offset, errorCode } = our!.get(p)!
      const what = `${when}, "${p.c.name}", time ${time}`
      expect([what, errorCode, offset]).toEqual([what, 0, their!.get(p)!.offset])
      const { before, after } = ours.outcomes.get(p)!
      if (time === BEFORE()) expect([what, offset]).toEqual([what, before])
      if (time === AFTER()) expect(offset, what).toBeLessThanOrEqual(after)
    }
  }
}

const FIELDS = {
  attributes: header.attributes,
  lastOffsetDelta: header.lastOffsetDelta,
  recordCount: header.recordCount,
  producerEpoch: header.producerEpoch,
  baseSequence: header.baseSequence,
  producerId: (b: Buffer) => b.readBigInt64BE(header.PRODUCER_ID),
  baseTimestamp: (b: Buffer) => b.readBigInt64BE(header.BASE_TIMESTAMP),
  maxTimestamp: (b: Buffer) => b.readBigInt64BE(header.MAX_TIMESTAMP),
}

/**
 * Checks that accepted batches have the same header in both brokers, and that our broker returns
 * every record at its offset.
 */
async function checkAccepted(): Promise<void> {
  const [their, our] = await Promise.all(
    [theirs, ours].map(side => fetchAll(side, p => side.outcomes.get(p)!.before + 1)),
  )
  let taken = 0
  for (const p of partitions) {
    const { answer, before } = ours.outcomes.get(p)!
    if (answer['errorCode'] !== 0) continue
    taken++
    for (const [field, read] of Object.entries(FIELDS)) {
      if (field === 'maxTimestamp' && p.isAppendTime) continue
      const of = (b: Buffer) => [p.c.name, field, read(b, 0)]
      expect(of(our!.get(p)!)).toEqual(of(their!.get(p)!))
    }
    const [batch] = readBatches(our!.get(p)!, { checkCrc: true })
    const offsets = batch!.records().map(r => r.offset)
    expect(offsets, p.c.name).toEqual(Array.from({ length: batch!.recordCount }, (_, i) => before + 1 + i))
  }
  expect(taken).toBeGreaterThan(100)
}

/** Checks our log files with Apache's own reader, which must accept every record. */
async function checkFiles(): Promise<void> {
  await ours.restart('SIGTERM')
  // A partition may have several log files, because a timestamp far in the future starts a new
  // segment.
  const logs = partitions.flatMap(p => {
    const dir = join(home, 'ours', `${p.topic}-${p.index}`)
    return readdirSync(dir).flatMap(name => (name.endsWith('.log') ? [join(dir, name)] : []))
  })
  const { stdout } = await runKafkaTool('dump-log', ['--deep-iteration', '--files', logs.join(',')], {
    timeoutMs: 120_000,
  })
  const lines = stdout.split('\n')
  expect(lines.filter(l => /isvalid: false|exception|corrupt|mismatch/i.test(l))).toEqual([])
  const stored = [...ours.outcomes.values()].filter(o => o.answer['errorCode'] === 0).length
  expect(lines.filter(l => l.startsWith('baseOffset')).length).toBe(partitions.length * 2 + stored)
}

test.skipIf(skipped)(
  `${ODD_BATCHES.length} invalid batches are accepted or rejected as in Apache Kafka`,
  {
    timeout: 400_000,
  },
  async () => {
    expect(new Set(ODD_BATCHES.map(c => c.name)).size).toBe(ODD_BATCHES.length)
    await Promise.all([theirs, ours].map(side => createTopics(side).then(() => untilLed(side))))
    now = BigInt(Date.now())
    await Promise.all([theirs, ours].map(sendAll))
    for (const p of partitions) compareAnswers(p)
    await checkAccepted()
    await checkGood('before the restart')
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await Promise.all([theirs, ours].map(side => side.restart(signal).then(() => untilLed(side))))
      await checkGood(`after ${signal}`)
    }
    await checkAccepted()
    await checkFiles()
  },
)
