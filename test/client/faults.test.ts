/**
 * Tests producer and consumer over a faulty network. The name of a failing test contains its seed.
 * MILLRACE_SEED sets the seed.
 */
import { afterEach, expect, test } from 'vitest'
import { startTestBroker } from '../../core/broker/test-support/test-broker.ts'
import { createAdmin, createConsumer, createProducer } from '../../core/client/index.ts'
import type { ConsumerRecord, DeliveredBatch, DeliveryListener } from '../../core/client/types.ts'
import { setLogLevel } from '../../core/common/log.ts'
import { FaultyProxy } from './proxy.ts'

setLogLevel('millrace.client', (process.env['MILLRACE_TEST_LOG_LEVEL'] ?? 'OFF') as 'OFF')

const PARTITIONS = 3
const cleanups: (() => Promise<void>)[] = []
const rejections: unknown[] = []
process.on('unhandledRejection', error => rejections.push(error))

afterEach(async () => {
  for (const f of cleanups.splice(0).reverse()) await f()
})

/** Stores the outcome of every record, in the order of delivery. */
class Ledger implements DeliveryListener {
  readonly outcomes: { token: number; partition: number; offset: number; error: Error | null }[] = []
  onDelivery(token: number, error: Error | null, batch: DeliveredBatch, index: number): void {
    this.outcomes.push({ token, partition: batch.partition, offset: batch.offsetOf(index), error })
  }
}

const first = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const seeds = Array.from({ length: Number(process.env['MILLRACE_SEEDS'] ?? 4) }, (_, i) => first + i)

test.for(seeds)(
  'with seed %d every acknowledged record is in the log once and in order, and a group reads all of them',
  async seed => {
    const proxy = await FaultyProxy.start(seed)
    cleanups.push(() => proxy.close())
    const broker = await startTestBroker({ 'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}` })
    cleanups.push(() => broker.close())
    proxy.target = broker.port
    const common = {
      bootstrapServers: [`127.0.0.1:${proxy.port}`],
      requestTimeoutMs: 1500,
      retryBackoffMs: 5,
      retryBackoffMaxMs: 50,
      reconnectBackoffMs: 5,
      reconnectBackoffMaxMs: 50,
    }
    const topic = 'faults'
    const admin = createAdmin(common)
    await admin.createTopics([{ name: topic, partitions: PARTITIONS }])
    await admin.close()

    const producer = createProducer({
      ...common,
      batchSize: 2000,
      lingerMs: 1,
      maxInFlight: 1 + (seed % 5),
      compressionType: seed % 2 ? 'lz4' : 'none',
    })
    cleanups.push(() => producer.close({ timeoutMs: 0 }))
    const consumer = createConsumer({
      ...common,
      groupId: 'g',
      autoOffsetReset: 'earliest',
      heartbeatIntervalMs: 50,
      sessionTimeoutMs: 6000,
      maxPollIntervalMs: 6000,
      assignors: ['cooperative-sticky'],
    })
    cleanups.push(() => consumer.close({ timeoutMs: 1000 }))
    consumer.subscribe([topic])

    const ledger = new Ledger()
    const seen = new Map<string, ConsumerRecord>()
    const firstSeen: ConsumerRecord[] = []
    const take = async (ms: number) => {
      for (const batch of await consumer.poll(ms)) {
        for (const r of batch.records) {
          const key = `${r.partition}:${r.offset}`
          if (!seen.has(key)) firstSeen.push(r)
          seen.set(key, r)
        }
      }
    }
    proxy.faultiness = 0.03 + (seed % 4) * 0.07
    const count = 3000
    let appended = 0
    const faults = () => proxy.counts.cut + proxy.counts.truncated + proxy.counts.stalled
    for (const end = Date.now() + 4000; appended < count && (Date.now() < end || faults() === 0); ) {
      for (let i = 0; i < 25 && appended < count; i++) {
        const record = {
          topic,
          partition: appended % PARTITIONS,
          key: null,
          value: Buffer.from(`${appended}`.padStart(60)),
        }
        while (!producer.append(record, ledger, appended)) await producer.room()
        appended++
      }
      await take(5)
      if (appended % 500 < 25)
        await consumer
          .commit()
          .catch(error => expect(error).toMatchObject({ code: expect.stringMatching(/^MR_CLIENT_/) }))
    }
    while (faults() === 0) await take(5)
    proxy.faultiness = 0
    await producer.flush()
    expect(ledger.outcomes).toHaveLength(appended)
    expect(ledger.outcomes.filter(t => t.error)).toEqual([])

    // Read the log directly, without the proxy.
    const direct = createConsumer({ bootstrapServers: [`127.0.0.1:${broker.port}`], autoOffsetReset: 'earliest' })
    cleanups.push(() => direct.close())
    direct.assign(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })))
    const ends = await direct.endOffsets(direct.assignment())
    const total = ends.reduce((a, b) => a + b, 0)
    expect(total).toBe(appended)
    for (let p = 0; p < PARTITIONS; p++) {
      const outcomes = ledger.outcomes.filter(t => t.partition === p)
      expect(outcomes.map(t => t.token)).toEqual(outcomes.map(t => t.token).toSorted((a, b) => a - b))
      expect(outcomes.map(t => t.offset)).toEqual(outcomes.map((_, i) => i))
    }
    for (const end = Date.now() + 20_000; seen.size < total && Date.now() < end; ) await take(100)
    expect(seen.size).toBe(total)
    for (let p = 0; p < PARTITIONS; p++) {
      const mine = firstSeen.filter(r => r.partition === p)
      expect(mine.map(r => r.offset)).toEqual(mine.map((_, i) => i))
      expect(mine.map(r => Number(r.value))).toEqual(mine.map((_, i) => i * PARTITIONS + p))
    }
    expect(rejections).toEqual([])
  },
)
