import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaLibsOrSkip } from '../../protocol/test-support/jars.ts'
import { LogManager } from './log-manager.ts'
import { readOffsetCheckpoint, writeOffsetCheckpoint } from './recovery/checkpoint-file.ts'
import { ApacheKafka } from './test-support/apache-kafka.ts'
import { append, configOf, openLog, readValues, recordingLogger, removeDir, tempDir } from './test-support/logs.ts'

const libs = kafkaLibsOrSkip()

let dir: string
let kafka: ApacheKafka
beforeAll(() => {
  dir = tempDir()
  if (libs !== null) kafka = new ApacheKafka(libs, dir)
})
afterAll(async () => {
  await kafka?.stop()
  removeDir(dir)
})

const client = () => new Kafka({ brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING })

/**
 * Returns the lines about a partition in Kafka's output that are warnings or mention damage or
 * repair.
 */
function complaintsAbout(log: string): string[] {
  const bad = / (WARN|ERROR) |orrupt|not found|Recovering|truncat|rebuilding indices/
  return kafka
    .output()
    .split('\n')
    .filter(line => line.includes(log) && bad.test(line))
}

async function consumeAll(topic: string, count: number): Promise<string[]> {
  const consumer = client().consumer({ groupId: `g-${Date.now()}` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  const all = Promise.withResolvers<void>()
  await consumer.run({
    eachMessage: async ({ message }) => {
      if (values.push(String(message.value)) === count) all.resolve()
    },
  })
  await all.promise
  await consumer.disconnect()
  return values
}

async function createTopic(topic: string): Promise<void> {
  const admin = client().admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] })
  await admin.disconnect()
}

/**
 * Replaces Kafka's log of the topic with a log that Millrace writes. Returns the values written.
 */
async function replaceLog(topic: string, count: number): Promise<string[]> {
  const path = join(kafka.dataDir, `${topic}-0`)
  const topicId = /topic_id: (\S+)/.exec(readFileSync(join(path, 'partition.metadata'), 'utf8'))![1]!
  const metadata = readFileSync(join(path, 'partition.metadata'))
  rmSync(path, { recursive: true })
  const log = await openLog(path, { segmentBytes: 20_000, indexIntervalBytes: 500 }, { topic, topicId })
  writeFileSync(join(path, 'partition.metadata'), metadata)
  const values: string[] = []
  for (let i = 0; i < count; i++) {
    const batch = [`${i}.a.${'x'.repeat(i % 50)}`, `${i}.b`]
    const records = batch.map(value => ({ value, timestamp: Date.now() - count + i }))
    await append(log, records, { producerId: 77, epoch: 0, sequence: i * 2, compression: i % 2 ? 'gzip' : 'none' })
    values.push(...batch)
  }
  await log.close()
  for (const name of ['recovery-point-offset-checkpoint', 'replication-offset-checkpoint']) {
    const file = join(kafka.dataDir, name)
    const offsets = readOffsetCheckpoint(file).set(`${topic}-0`, values.length)
    await writeOffsetCheckpoint(
      file,
      [...offsets].map(([key, offset]) => ({
        topic: key.slice(0, key.lastIndexOf('-')),
        partition: Number(key.split('-').at(-1)),
        offset,
      })),
    )
  }
  return values
}

test.skipIf(libs === null)(
  'Apache Kafka reads a log that Millrace wrote and appends to it, and Millrace then reads all records',
  async () => {
    await kafka.start()
    await createTopic('clean')
    await createTopic('crashed')
    await kafka.stop()
    const clean = await replaceLog('clean', 300)
    await kafka.start()
    expect(complaintsAbout('clean-0')).toEqual([])
    expect(await consumeAll('clean', clean.length)).toEqual(clean)
    await kafka.stop()
    // Without this file, Kafka assumes an unclean shutdown and checks all records of the log.
    const crashed = await replaceLog('crashed', 300)
    rmSync(join(kafka.dataDir, '.kafka_cleanshutdown'))
    await kafka.start()
    expect(await consumeAll('crashed', crashed.length)).toEqual(crashed)
    const producer = client().producer()
    await producer.connect()
    await producer.send({ topic: 'clean', messages: [{ value: 'from kafkajs through Apache' }] })
    await producer.disconnect()
    expect(complaintsAbout('crashed-0').filter(line => !line.includes('Recovering unflushed segment'))).toEqual([])
    await kafka.stop('SIGKILL')
    const manager = await LogManager.open({ dirs: [kafka.dataDir], defaults: configOf(), logger: recordingLogger() })
    expect(await readValues(manager.get('clean', 0)!)).toEqual([...clean, 'from kafkajs through Apache'])
    expect(await readValues(manager.get('crashed', 0)!)).toEqual(crashed)
    expect(manager.get('clean', 0)!.producerStates()).toMatchObject([
      { producerId: 77, lastSequence: clean.length - 1 },
    ])
    await manager.close()
  },
  180_000,
)
