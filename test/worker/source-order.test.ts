/**
 * Tests a source task with a real producer and broker. Records after a rejected record are not
 * produced before it.
 */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTestBroker, type TestBroker } from '../../core/broker/test-support/test-broker.ts'
import { createAdmin, createConsumer, createProducer } from '../../core/client/index.ts'
import type { Producer } from '../../core/client/types.ts'
import { sleep } from '../../core/common/async/sleep.ts'
import { setLogSink } from '../../core/common/log.ts'
import type { SourceOffset, SourceRecord } from '../../core/connect/record.ts'
import { SourceTask } from '../../core/connect/source-task.ts'
import { SourceTaskRunner } from '../../core/worker/task/source/source-task-runner.ts'
import { sourceParts } from '../../core/worker/task/test-support/source-parts.ts'

setLogSink(() => undefined)

let broker: TestBroker
beforeEach(async () => {
  broker = await startTestBroker({ 'auto.create.topics.enable': 'false' })
})
afterEach(() => broker.close())

interface Row {
  readonly topic: string
  readonly value: string
  readonly key?: string
}

/** Returns rows from an offset in one poll, then waits. */
class Rows extends SourceTask {
  readonly #rows: readonly Row[]
  readonly #signal: AbortSignal
  #from: number

  constructor(rows: readonly Row[], from: number, signal: AbortSignal) {
    super()
    this.#rows = rows
    this.#from = from
    this.#signal = signal
  }

  start(): void {}

  async poll(): Promise<SourceRecord[] | null> {
    const from = this.#from
    this.#from = this.#rows.length
    if (from < this.#rows.length) return this.#rows.slice(from).map((row, i) => recordOf(row, from + i))
    if (this.#signal.aborted) return null
    return new Promise(resolve => this.#signal.addEventListener('abort', () => resolve(null), { once: true }))
  }

  override stop(): void {}
}

function recordOf({ topic, value, key }: Row, n: number): SourceRecord {
  const rest = { keySchema: null, valueSchema: null, timestamp: null, headers: [], partition: null }
  return { ...rest, sourcePartition: { s: 1 }, sourceOffset: { next: n + 1 }, topic, key: key ?? null, value }
}

/**
 * Runs a task from the last committed offset. Returns the offset that the task has committed, and
 * its failure.
 */
async function runFrom(
  rows: readonly Row[],
  next: number,
  props: Record<string, string>,
  until: () => Promise<boolean>,
) {
  const abort = new AbortController()
  const producer: Producer = createProducer({ bootstrapServers: [broker.bootstrap], lingerMs: 20 })
  let committed: SourceOffset = { next }
  const put = async (entries: readonly (readonly [unknown, SourceOffset | null])[]) => {
    for (const [, offset] of entries) if (offset) committed = offset
  }
  const parts = sourceParts({ task: new Rows(rows, next, abort.signal), producer, abort, put, props })
  const runner = new SourceTaskRunner(parts)
  const running = runner.run().then(
    () => null,
    (error: Error) => error,
  )
  let done = false
  void running.then(() => {
    done = true
  })
  while (!done && !(await until())) await sleep(20)
  abort.abort()
  const failure = await running
  await producer.close()
  return { next: Number(committed['next']), failure, skipped: parts.metrics.recordsSkipped }
}

async function contents(...topics: string[]): Promise<string[]> {
  const consumer = createConsumer({ bootstrapServers: [broker.bootstrap], autoOffsetReset: 'earliest' })
  const partitions = topics.map(topic => ({ topic, partition: 0 }))
  consumer.assign(partitions)
  const ends = await consumer.endOffsets(partitions)
  const values: string[] = []
  try {
    while (partitions.some((p, i) => (consumer.position(p) ?? -1) < ends[i]!)) {
      for (const b of await consumer.poll(1000)) values.push(...b.records.map(r => String(r.value).slice(0, 4)))
    }
  } finally {
    await consumer.close()
  }
  return values
}

async function create(name: string, configs: Record<string, string> = {}): Promise<void> {
  const admin = createAdmin({ bootstrapServers: [broker.bootstrap] })
  await admin.createTopics([{ name, partitions: 1, replicationFactor: 1, configs }])
  await admin.close()
}

const never = async () => false

for (const [what, big] of [
  ['the client does not send', 2 << 20],
  ['the broker refuses', 5000],
] as const) {
  test(`later records are not produced before a record that is too large, which ${what}, and a retry repeats nothing`, async () => {
    await create('t', { 'max.message.bytes': '1000' })
    const rows = ['r0', 'r1', 'r2', 'x'.repeat(big), 'r4', 'r5'].map(value => ({ topic: 't', value }))
    let next = 0
    for (let attempt = 0; attempt < 3; attempt++) {
      const run = await runFrom(rows, next, {}, never)
      expect(run.failure).toMatchObject({ code: 'MR_TASK_PRODUCE_FAILED' })
      expect(run.failure!.message).toContain('"next":4')
      next = run.next
      expect(next).toBe(3)
    }
    expect(await contents('t')).toEqual(['r0', 'r1', 'r2'])
    // With errors.tolerance=all, only the record that is too large is missing.
    const all = async () => (await contents('t')).length === 5
    const run = await runFrom(rows, next, { 'errors.tolerance': 'all' }, all)
    expect(run).toMatchObject({ failure: null, next: 6, skipped: 1 })
    expect(await contents('t')).toEqual(['r0', 'r1', 'r2', 'r4', 'r5'])
  }, 60_000)
}

test('records to other topics are not produced before a record whose topic name is invalid', async () => {
  await create('t')
  const rows = ['t', 't', 'a b', 't', 't'].map((topic, i) => ({ topic, value: `r${i}` }))
  let next = 0
  for (let attempt = 0; attempt < 2; attempt++) {
    const run = await runFrom(rows, next, {}, never)
    expect(run.failure).toMatchObject({ code: 'MR_TASK_PRODUCE_FAILED' })
    next = run.next
    expect(next).toBe(2)
  }
  expect(await contents('t')).toEqual(['r0', 'r1'])
}, 60_000)

test('records wait for a topic that does not exist, and are produced when it is created', async () => {
  await create('t')
  const rows = ['t', 'later', 't'].map((topic, i) => ({ topic, value: `r${i}` }))
  let looks = 0
  const run = await runFrom(rows, 0, {}, async () => {
    if (++looks === 10) {
      expect(await contents('t')).toEqual(['r0'])
      await create('later')
    }
    return looks > 10 && (await contents('t', 'later')).length === 3
  })
  expect(run).toMatchObject({ failure: null, next: 3 })
}, 60_000)

test('only the invalid records of a batch are skipped, and only if tolerated', async () => {
  await create('c', { 'cleanup.policy': 'compact' })
  const rows = Array.from({ length: 100 }, (_, i) => ({
    topic: 'c',
    value: `r${i}`,
    ...(i % 10 === 7 ? {} : { key: `k${i}` }),
  }))
  const failed = await runFrom(rows, 0, {}, never)
  expect(failed.failure!.message).toContain('"next":8')
  expect(failed.next).toBe(7)
  expect(await contents('c')).toEqual(rows.slice(0, 7).map(r => r.value))
  const run = await runFrom(rows, 7, { 'errors.tolerance': 'all' }, async () => (await contents('c')).length === 90)
  expect(run).toMatchObject({ failure: null, next: 100, skipped: 10 })
  expect(await contents('c')).toEqual(rows.filter((_, i) => i % 10 !== 7).map(r => r.value))
}, 60_000)
