import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { nextTurn } from '../../common/async/next-turn.ts'
import { sleep } from '../../common/async/sleep.ts'
import { BufferPool } from '../../common/buffer-pool.ts'
import { setLogLevel } from '../../common/log.ts'
import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { BatchMemory } from '../../protocol/records/batch-builder.ts'
import { readBatches } from '../../protocol/records/batch-reader.ts'
import { type Fault, SimBroker, type SimOptions } from '../test-support/sim-broker.ts'
import type { DeliveredBatch, DeliveryListener, Producer, ProducerOptions, ProducerRecord } from '../types.ts'
import { producerSettings } from './options.ts'
import { producerWith } from './producer.ts'

setLogLevel('millrace.client', 'OFF')

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const f of cleanups.splice(0).reverse()) await f()
})

/**
 * Overwrites released memory. If a batch is released too early, the broker receives damaged bytes.
 */
const spoil = (memory: Buffer) => memory.fill(0xdd)

async function start(
  sim: SimOptions,
  options: Partial<ProducerOptions> = {},
  memory: BatchMemory = new BufferPool({ onGive: spoil }),
): Promise<{ broker: SimBroker; producer: Producer }> {
  const broker = await SimBroker.start(sim)
  // The minimum of metadata.max.idle.ms is too long for a test, so set this option after
  // validation.
  const { metadataMaxIdleMs, ...others } = options
  const settings = producerSettings({
    bootstrapServers: broker.bootstrap,
    retryBackoffMs: 1,
    reconnectBackoffMs: 1,
    reconnectBackoffMaxMs: 5,
    retryBackoffMaxMs: 5,
    lingerMs: 1,
    ...others,
  })
  const producer = producerWith({ ...settings, ...(metadataMaxIdleMs && { metadataMaxIdleMs }) }, memory)
  cleanups.push(
    () => broker.stop(),
    () => producer.close({ timeoutMs: 0 }),
  )
  return { broker, producer }
}

/** Stores the outcome of every record. */
class Recorder implements DeliveryListener {
  readonly outcomes: { token: number; error: Error | null; partition: number; offset: number }[] = []
  onDelivery(token: number, error: Error | null, batch: DeliveredBatch, index: number): void {
    this.outcomes.push({ token, error, partition: batch.partition, offset: batch.offsetOf(index) })
  }
  get codes(): (string | null)[] {
    return this.outcomes.map(t => (t.error ? (t.error as Error & { code: string }).code : null))
  }
}

const valuesIn = (batch: Buffer) => [...readBatches(batch)].flatMap(b => b.records().map(r => String(r.value)))

const record = (topic: string, value: string, more: Partial<ProducerRecord> = {}): ProducerRecord => ({
  topic,
  key: null,
  value: Buffer.from(value),
  ...more,
})

test('send resolves with the partition and offset of each record', async () => {
  const { broker, producer } = await start({ topics: { t: 1 } })
  const sent = await producer.send([record('t', 'a', { timestamp: 7 }), record('t', 'b', { timestamp: 8 })])
  expect(sent).toEqual([
    { topic: 't', partition: 0, offset: 0, timestamp: 7 },
    { topic: 't', partition: 0, offset: 1, timestamp: 8 },
  ])
  expect(broker.values('t', 0)).toEqual(['a', 'b'])
})

test('the key determines the partition, unless the record specifies a partition', async () => {
  const { producer } = await start({ topics: { t: 4 } })
  const sent = await producer.send([
    record('t', 'a', { key: Buffer.from('k') }),
    record('t', 'b', { key: Buffer.from('k') }),
    record('t', 'c', { key: Buffer.from('k'), partition: 3 }),
  ])
  expect(sent[0]!.partition).toBe(sent[1]!.partition)
  expect(sent[2]!.partition).toBe(3)
})

test('records wait until their topic is created, and records of other topics do not wait', async () => {
  const { broker, producer } = await start({ topics: { here: 1 } })
  const late = producer.send([record('late', '1'), record('late', '2')])
  await producer.send([record('here', 'x')])
  broker.createTopic('late', 1)
  await late
  expect(broker.values('late', 0)).toEqual(['1', '2'])
})

test('records fail after max.block.ms if their topic is not created', async () => {
  const { producer } = await start({}, { maxBlockMs: 30 })
  await expect(producer.send([record('nowhere', '1')])).rejects.toMatchObject({ code: 'MR_CLIENT_METADATA_TIMEOUT' })
})

test('records for a missing partition fail, and records for other partitions do not', async () => {
  const { producer } = await start({ topics: { t: 2 } }, { maxBlockMs: 1500 })
  const recorder = new Recorder()
  producer.append(record('t', 'a', { partition: 7 }), recorder, 1)
  await producer.flush()
  producer.append(record('t', 'b', { partition: 1 }), recorder, 2)
  await producer.flush()
  expect(recorder.codes).toEqual(['MR_CLIENT_UNKNOWN_PARTITION', null])
})

test('a record over max.request.size is rejected before append returns', async () => {
  const { producer } = await start({ topics: { t: 1 } }, { maxRequestSize: 1000 })
  const recorder = new Recorder()
  expect(producer.append(record('t', 'x'.repeat(2000)), recorder, 5)).toBe(true)
  expect(recorder.codes).toEqual(['MR_CLIENT_RECORD_TOO_LARGE'])
})

test('max.request.size limits the bytes of a string, not its characters', async () => {
  const { producer } = await start({ topics: { t: 1 } }, { maxRequestSize: 1000 })
  const recorder = new Recorder()
  producer.append({ topic: 't', key: null, value: '€'.repeat(400) }, recorder, 1)
  producer.append({ topic: 't', key: null, value: '€'.repeat(250) }, recorder, 2)
  producer.append({ topic: 't', key: null, value: 'x'.repeat(800) }, recorder, 3)
  await producer.flush()
  expect(recorder.codes.sort()).toEqual(['MR_CLIENT_RECORD_TOO_LARGE', null, null])
})

test('the listener receives the error of a value that is neither bytes nor a string, and the producer continues', async () => {
  const { producer } = await start({ topics: { t: 1 } })
  const recorder = new Recorder()
  producer.append({ topic: 't', key: null, value: 7 as unknown as Buffer }, recorder, 1)
  await producer.flush()
  expect(recorder.codes).toEqual(['MR_CLIENT_BAD_RECORD'])
  await producer.send([record('t', 'ok')])
})

test.for<[string, Partial<ProducerRecord>]>([
  ['a negative partition', { partition: -1 }],
  ['a partition that is not an integer', { partition: 0.5 }],
  ['a timestamp that is not an integer', { timestamp: 1.5 }],
  ['a header whose value is a string', { headers: [{ key: 'h', value: 'text' as unknown as Buffer }] }],
  ['a header without a key', { headers: [{ key: null as unknown as string, value: null }] }],
])('the listener receives the error of a record with %s, and the producer continues', async ([, wrong]) => {
  const { producer } = await start({ topics: { t: 1 } })
  const recorder = new Recorder()
  producer.append(record('t', 'x', wrong), recorder, 1)
  await producer.flush()
  expect(recorder.codes).toEqual(['MR_CLIENT_BAD_RECORD'])
  await producer.send([record('t', 'ok')])
})

test('records for a topic that was recreated with fewer partitions go to its current partitions', async () => {
  const { broker, producer } = await start({ topics: { t: 8 } }, { metadataMaxAgeMs: 1 })
  const keyed = Array.from({ length: 20 }, (_, i) => record('t', String(i), { key: Buffer.from(String(i)) }))
  await producer.send(keyed)
  broker.topics.set('t', { id: Buffer.from('another topic id').toString('base64url'), count: 1 })
  while ((await producer.partitionsFor('t')).length !== 1) await nextTurn()
  const sent = await producer.send([...keyed, record('t', 'no key')])
  expect(new Set(sent.map(s => s.partition))).toEqual(new Set([0]))
})

test('metadata of an unused topic is not requested, so that the topic is not recreated after a deletion', async () => {
  let asked: string[] = []
  const { broker, producer } = await start(
    {
      topics: { busy: 1 },
      autoCreate: 1,
      answer: (key, request) => {
        if (key === ApiKey.Metadata) asked = (request as { topics: { name: string }[] }).topics.map(t => t.name)
        return undefined
      },
    },
    { metadataMaxAgeMs: 1, metadataMaxIdleMs: 50 },
  )
  await producer.send([record('once', '1')])
  expect(broker.topics.has('once')).toBe(true)
  while (asked.includes('once') || !asked.includes('busy')) await producer.send([record('busy', 'x')])
  broker.topics.delete('once')
  const before = broker.requests
  while (broker.requests < before + 10) await producer.send([record('busy', 'x')])
  expect(broker.topics.has('once')).toBe(false)
  await producer.send([record('once', '2')])
  expect(broker.values('once', 0)).toEqual(['2'])
})

test('a topic keeps its sequences while it is unused', async () => {
  let asked: string[] = []
  const { broker, producer } = await start(
    {
      topics: { busy: 1, t: 1 },
      answer: (key, request) => {
        if (key === ApiKey.Metadata) asked = (request as { topics: { name: string }[] }).topics.map(t => t.name)
        return undefined
      },
    },
    { metadataMaxAgeMs: 1, metadataMaxIdleMs: 50 },
  )
  await producer.send([record('t', '1')])
  while (asked.includes('t') || !asked.includes('busy')) await producer.send([record('busy', 'x')])
  await producer.send([record('t', '2')])
  expect(broker.values('t', 0)).toEqual(['1', '2'])
})

test('a back-off that is longer than the maximum of a Node timer is not skipped', async () => {
  let batches = 0
  const refuse = () => {
    batches++
    return { code: ErrorCode.NOT_ENOUGH_REPLICAS }
  }
  const forEver = { retryBackoffMs: 2 ** 53, retryBackoffMaxMs: 2 ** 53 }
  const { producer } = await start({ topics: { t: 1 }, onBatch: refuse }, { ...forEver, lingerMs: 0 })
  producer.append(record('t', 'a'))
  await sleep(100)
  expect(batches).toBe(1)
})

test('append returns false if buffer.memory is exhausted, and room() resolves after acknowledgements', async () => {
  const { broker, producer } = await start({ topics: { t: 1 } }, { bufferMemory: 10_000, batchSize: 1000 })
  const recorder = new Recorder()
  let refused = 0
  for (let i = 0; i < 500; i++) {
    while (!producer.append(record('t', String(i).padStart(100)), recorder, i)) {
      refused++
      await producer.room()
    }
  }
  await producer.flush()
  expect(refused).toBeGreaterThan(0)
  expect(recorder.outcomes.map(t => t.token)).toEqual(Array.from({ length: 500 }, (_, i) => i))
  expect(broker.values('t', 0).map(Number)).toEqual(Array.from({ length: 500 }, (_, i) => i))
})

test.for<'none' | 'lz4'>(['none', 'lz4'])(
  'with compression %s, new batches reuse the memory of acknowledged batches',
  async compressionType => {
    const pool = new BufferPool({ onGive: spoil })
    const memory = new Set<ArrayBufferLike>()
    let batches = 0
    const { broker, producer } = await start(
      { topics: { t: 1 }, onBatch: () => (batches++ % 7 === 3 ? { code: ErrorCode.NOT_ENOUGH_REPLICAS } : null) },
      { bufferMemory: 40_000, batchSize: 4000, compressionType },
      {
        take: bytes => {
          const taken = pool.take(bytes)
          if (taken.length > 2000) memory.add(taken.buffer)
          return taken
        },
        give: buffer => pool.give(buffer),
      },
    )
    const count = 5000
    for (let i = 0; i < count; i++) {
      const next = record('t', createHash('sha512').update(String(i)).digest('base64') + i)
      while (!producer.append(next)) await producer.room()
    }
    await producer.flush()
    expect(broker.values('t', 0).map(v => Number(v.slice(88)))).toEqual(Array.from({ length: count }, (_, i) => i))
    expect(batches).toBeGreaterThan(100)
    // This limit is above the number of raw and compressed batches that fit into buffer.memory,
    // plus the smaller buffers that a growing batch releases.
    expect(memory.size).toBeLessThan(30)
  },
)

test('room() rejects when its signal aborts', async () => {
  const { producer } = await start({ topics: { t: 1 }, onBatch: () => 'silence' }, { bufferMemory: 1000 })
  while (producer.append(record('t', 'x'.repeat(100)))) {
    /* append until buffer.memory is full */
  }
  await expect(producer.room(AbortSignal.timeout(10))).rejects.toThrow()
})

test('a batch that is too large for the broker is split until its parts are accepted, in order', async () => {
  const { broker, producer } = await start(
    { topics: { t: 1 }, maxMessageBytes: 700 },
    { batchSize: 16_384, lingerMs: 20 },
  )
  const recorder = new Recorder()
  for (let i = 0; i < 50; i++) producer.append(record('t', String(i).padStart(100)), recorder, i)
  await producer.flush()
  expect(broker.values('t', 0).map(Number)).toEqual(Array.from({ length: 50 }, (_, i) => i))
  expect(recorder.outcomes.map(t => t.offset)).toEqual(Array.from({ length: 50 }, (_, i) => i))
})

test('a single record that is too large for the broker fails, and the other records are sent', async () => {
  const { broker, producer } = await start(
    { topics: { t: 1 }, maxMessageBytes: 700 },
    { batchSize: 16_384, lingerMs: 20 },
  )
  const recorder = new Recorder()
  const values = ['a', 'b', 'X'.repeat(5000), 'c', 'd']
  values.forEach((v, i) => {
    producer.append(record('t', v), recorder, i)
  })
  await producer.flush()
  expect(recorder.outcomes.map(t => [t.token, (t.error as { kafkaCode?: number } | null)?.kafkaCode ?? null])).toEqual([
    [0, null],
    [1, null],
    [2, ErrorCode.MESSAGE_TOO_LARGE],
    [3, null],
    [4, null],
  ])
  expect(broker.values('t', 0)).toEqual(['a', 'b', 'c', 'd'])
})

test('after the broker has rejected a batch, later batches in flight are written exactly once', async () => {
  let n = 0
  const { broker, producer } = await start(
    { topics: { t: 1 }, onBatch: () => (n++ === 1 ? { code: ErrorCode.INVALID_RECORD } : null) },
    { batchSize: 1, lingerMs: 0 },
  )
  const recorder = new Recorder()
  for (let i = 0; i < 20; i++) producer.append(record('t', String(i)), recorder, i)
  await producer.flush()
  const failed = recorder.outcomes.filter(t => t.error).map(t => t.token)
  expect(failed).toHaveLength(1)
  expect(broker.values('t', 0).map(Number)).toEqual(
    Array.from({ length: 20 }, (_, i) => i).filter(i => !failed.includes(i)),
  )
})

test("the producer starts a new epoch if the broker has lost the producer's state", async () => {
  const { broker, producer } = await start({ topics: { t: 1, u: 1 } }, { batchSize: 1, lingerMs: 0 })
  await producer.send([record('t', '0'), record('u', '0')])
  let lies = 2
  broker.options = {
    ...broker.options,
    onBatch: t => (t === 't' && lies-- > 0 ? { code: ErrorCode.UNKNOWN_PRODUCER_ID } : null),
  }
  await producer.send([1, 2, 3, 4].map(i => record('t', String(i))))
  await producer.send([record('u', '1')])
  expect(broker.values('t', 0)).toEqual(['0', '1', '2', '3', '4'])
  expect(broker.values('u', 0)).toEqual(['0', '1'])
})

test('records fail after delivery.timeout.ms with the last error as the cause, and later records are sent', async () => {
  let silent = true
  const { broker, producer } = await start(
    { topics: { t: 1 }, onBatch: () => (silent ? { code: ErrorCode.NOT_ENOUGH_REPLICAS } : null) },
    { requestTimeoutMs: 1500, deliveryTimeoutMs: 2000 },
  )
  await expect(producer.send([record('t', 'a')])).rejects.toThrow(/NOT_ENOUGH_REPLICAS.*MR_CLIENT_DELIVERY_TIMEOUT/)
  silent = false
  await producer.send([record('t', 'b')])
  expect(broker.values('t', 0).at(-1)).toBe('b')
})

test('a request without a response is retried on a new connection, and its records are written once', async () => {
  let n = 0
  const { broker, producer } = await start(
    { topics: { t: 1 }, onBatch: () => (n++ === 0 ? 'silence' : null) },
    { requestTimeoutMs: 50 },
  )
  await producer.send([record('t', 'a')])
  expect(broker.values('t', 0)).toEqual(['a'])
})

test('records are delivered after a restart of the broker', async () => {
  const { broker, producer } = await start({ topics: { t: 1 } })
  await producer.send([record('t', 'a')])
  await broker.stop()
  const later = producer.send([record('t', 'b')])
  await sleep(50)
  await broker.restart()
  await later
  expect(broker.values('t', 0)).toEqual(['a', 'b'])
})

test('with acks=0, records count as delivered when they are sent, and have no offset', async () => {
  const { broker, producer } = await start({ topics: { t: 1 } }, { acks: 0 })
  const [sent] = await producer.send([record('t', 'a')])
  expect(sent!.offset).toBe(-1)
  while (broker.values('t', 0).length === 0) await nextTurn()
  expect(broker.values('t', 0)).toEqual(['a'])
})

test('close delivers the appended records, and later calls of append throw', async () => {
  const { broker, producer } = await start({ topics: { t: 1 } }, { lingerMs: 10_000 })
  const recorder = new Recorder()
  producer.append(record('t', 'a'), recorder, 0)
  await producer.close()
  expect(recorder.codes).toEqual([null])
  expect(broker.values('t', 0)).toEqual(['a'])
  expect(() => producer.append(record('t', 'b'))).toThrow(/MR_CLIENT_CLOSED/)
})

test('close fails all records that are not delivered before its timeout', async () => {
  const { producer } = await start({ topics: { t: 1 }, onBatch: () => 'silence' }, { lingerMs: 0 })
  const recorder = new Recorder()
  producer.append(record('t', 'a'), recorder, 0)
  producer.append(record('unknown', 'b'), recorder, 1)
  await producer.close({ timeoutMs: 20 })
  expect(recorder.codes.sort()).toEqual(['MR_CLIENT_CLOSED', 'MR_CLIENT_CLOSED'])
})

test('only the records that the broker reports as invalid fail, and the other records keep their order', async () => {
  const isBad = (token: number) => token % 7 === 3
  const { broker, producer } = await start(
    {
      topics: { t: 1 },
      onBatch: (_topic, _partition, batch) => {
        const invalid = valuesIn(batch).flatMap((v, i) => (isBad(Number(v)) ? [i] : []))
        return invalid.length > 0 ? { code: ErrorCode.INVALID_RECORD, invalid } : null
      },
    },
    { batchSize: 300 },
  )
  const recorder = new Recorder()
  const tokens = Array.from({ length: 100 }, (_, i) => i)
  for (const i of tokens) producer.append(record('t', String(i)), recorder, i)
  await producer.flush()
  expect(broker.values('t', 0).map(Number)).toEqual(tokens.filter(i => !isBad(i)))
  expect(recorder.outcomes.map(t => t.token)).toEqual(tokens)
  expect(recorder.outcomes.filter(t => t.error).map(t => t.token)).toEqual(tokens.filter(isBad))
})

test('abortUnsent fails exactly the unsent records whose token is above its argument', async () => {
  const { broker, producer } = await start({ topics: { t: 2 } }, { lingerMs: 10_000 })
  await producer.partitionsFor('t')
  const recorder = new Recorder()
  for (let i = 0; i < 10; i++) producer.append(record('t', String(i), { partition: i % 2 }), recorder, i)
  producer.append(record('unknown', 'x'), recorder, 10)
  producer.abortUnsent(4)
  await producer.flush()
  expect([broker.values('t', 0), broker.values('t', 1)]).toEqual([
    ['0', '2', '4'],
    ['1', '3'],
  ])
  const failed = recorder.outcomes.filter(t => t.error)
  expect(failed.map(t => t.token).sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10])
  for (const { error } of failed) expect(error).toMatchObject({ code: 'MR_CLIENT_ABORTED', retriable: true })
  await producer.send([record('t', 'later', { partition: 0 })])
  expect(broker.values('t', 0)).toEqual(['0', '2', '4', 'later'])
})

test('with any faults, every acknowledged record is in the log exactly once and in order', async () => {
  const common: Fault[] = [
    null,
    null,
    null,
    { code: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    { code: ErrorCode.NOT_ENOUGH_REPLICAS },
    { code: ErrorCode.REQUEST_TIMED_OUT },
    { code: ErrorCode.INVALID_RECORD },
    { code: ErrorCode.INVALID_RECORD, invalid: [0, 2, 3] },
  ]
  // The two kinds of faults are not combined. A broker that has lost the producer's state cannot
  // detect duplicates.
  const forgetful: Fault[] = [...common, { code: ErrorCode.UNKNOWN_PRODUCER_ID }]
  const lossy: Fault[] = [...common, 'cut-before', 'cut-after']
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        faults: fc.constantFrom(forgetful, lossy),
        plan: fc.array(fc.nat(common.length + 1), { minLength: 5, maxLength: 60 }),
        partitions: fc.integer({ min: 1, max: 3 }),
        batchSize: fc.constantFrom(1, 300, 16_384),
        compressionType: fc.constantFrom<'none' | 'lz4'>('none', 'lz4'),
        maxInFlight: fc.integer({ min: 1, max: 5 }),
      }),
      async ({ faults, plan, partitions, batchSize, compressionType, maxInFlight }) => {
        let n = 0
        const { broker, producer } = await start(
          { topics: { t: partitions }, maxMessageBytes: 2000, onBatch: () => faults[plan[n++] ?? 0] ?? null },
          { batchSize, lingerMs: 0, compressionType, maxInFlight },
        )
        const recorder = new Recorder()
        const count = 200
        for (let i = 0; i < count; i++) {
          producer.append(record('t', String(i), { partition: i % partitions }), recorder, i)
          if (i % 20 === 0) await nextTurn()
        }
        await producer.flush()
        expect(recorder.outcomes).toHaveLength(count)
        for (let p = 0; p < partitions; p++) {
          const outcomes = recorder.outcomes.filter(t => t.partition === p)
          expect(outcomes.map(t => t.token)).toEqual(outcomes.map(t => t.token).toSorted((a, b) => a - b))
          const acked = outcomes.filter(t => t.error === null).map(t => t.token)
          const written = broker.values('t', p).map(Number)
          expect(new Set(written).size).toBe(written.length)
          // Records that failed may have been written. Acknowledged records must have been written,
          // in order.
          expect(written.filter(v => acked.includes(v))).toEqual(acked)
          for (const t of outcomes) if (t.error === null) expect(written[t.offset]).toBe(t.token)
        }
        await producer.close()
        await broker.stop()
      },
    ),
    { numRuns: 100 },
  )
})
