import { expect, test } from 'vitest'
import { nextTurn } from '../../../common/async/next-turn.ts'
import { sleep } from '../../../common/async/sleep.ts'
import { setLogSink } from '../../../common/log.ts'
import { DataError, RetriableError } from '../../../connect/errors.ts'
import type { SourceOffset, SourcePartition, SourceRecord } from '../../../connect/record.ts'
import { type RecordMetadata, SourceTask } from '../../../connect/source-task.ts'
import { FakeProducer } from '../test-support/fake-producer.ts'
import { sourceParts } from '../test-support/source-parts.ts'
import { TransformChain } from '../transform-chain.ts'
import { SourceTaskRunner } from './source-task-runner.ts'

setLogSink(() => undefined)

type Offsets = readonly (readonly [SourcePartition, SourceOffset | null])[]

/** Returns the scripted batches and then waits for the stop. Records the runtime's calls. */
class ScriptedTask extends SourceTask {
  readonly batches: (SourceRecord[] | Error)[]
  readonly committed: Offsets[] = []
  readonly reported: [unknown, RecordMetadata | null][] = []
  polls = 0
  stopped = 0
  readonly #signal: AbortSignal

  constructor(batches: (SourceRecord[] | Error)[], signal: AbortSignal) {
    super()
    this.batches = batches
    this.#signal = signal
  }

  start(): void {}

  async poll(): Promise<SourceRecord[] | null> {
    this.polls++
    const next = this.batches.shift()
    if (next instanceof Error) throw next
    if (next) return next
    if (!this.#signal.aborted) {
      await new Promise<void>(resolve => this.#signal.addEventListener('abort', () => resolve(), { once: true }))
    }
    return null
  }

  override commitRecords(records: readonly SourceRecord[], metadata: readonly (RecordMetadata | null)[]): void {
    for (const [i, r] of records.entries()) this.reported.push([r.value, metadata[i] ?? null])
  }

  override commit(offsets: Offsets): void {
    this.committed.push(offsets)
  }

  override stop(): void {
    this.stopped++
  }
}

function record(n: number, value: unknown = `v${n}`): SourceRecord {
  return {
    sourcePartition: { p: 'one' },
    sourceOffset: { n },
    topic: 't',
    partition: null,
    keySchema: null,
    key: null,
    valueSchema: null,
    value,
    timestamp: n,
    headers: [],
  }
}

interface SetUp {
  batches: (SourceRecord[] | Error)[]
  props?: Record<string, string>
  producer?: FakeProducer
  chain?: TransformChain
  capacity?: number
  failPuts?: number
}

function setUp({ batches, props = {}, producer = new FakeProducer(), chain, capacity, failPuts = 0 }: SetUp) {
  const abort = new AbortController()
  const task = new ScriptedTask(batches, abort.signal)
  const puts: Offsets[] = []
  let failures = failPuts
  const put = async (entries: Offsets) => {
    if (failures-- > 0) throw new Error('no broker')
    puts.push(entries)
  }
  const degraded: (string | null)[] = []
  const topics: string[] = []
  const parts = {
    ...sourceParts({ task, producer, abort, put, props, chain, drainTimeoutMs: 50 }),
    onTopic: (topic: string) => void topics.push(topic),
    onDegraded: (message: string | null) => void degraded.push(message),
  }
  const { metrics } = parts
  const runner = new SourceTaskRunner(parts, capacity)
  return { abort, task, metrics, puts, runner, producer, degraded, topics }
}

test('when a task stops, acknowledged offsets are committed and the task gets commitRecords and commit', async () => {
  const s = setUp({ batches: [[record(1), record(2)], [record(3)]] })
  const running = s.runner.run()
  await s.producer.arrived(3)
  s.producer.ackAll()
  s.abort.abort()
  await running
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 3 }]]])
  expect(s.task.committed).toEqual(s.puts)
  expect(s.task.reported.map(([v]) => v)).toEqual(['v1', 'v2', 'v3'])
  expect(s.task.reported[0]?.[1]).toMatchObject({ topic: 't', partition: 0, offset: 0 })
  expect(s.topics).toEqual(['t'])
  expect(s.task.stopped).toBe(1)
})

test('offsets of records that are not acknowledged within the drain timeout are not committed', async () => {
  const s = setUp({ batches: [[record(1), record(2), record(3)]] })
  const running = s.runner.run()
  await s.producer.arrived(3)
  s.producer.settle(2)
  s.producer.settle(0)
  s.abort.abort()
  await running
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 1 }]]])
})

test('while the producer is full the task is not polled, and no record is lost or duplicated', async () => {
  const producer = new FakeProducer(2)
  const batches = Array.from({ length: 5 }, (_, b) => [record(b * 2), record(b * 2 + 1)])
  const s = setUp({ batches, producer })
  const running = s.runner.run()
  await producer.arrived(2)
  for (let i = 0; i < 5; i++) await nextTurn()
  expect(s.task.polls).toBeLessThanOrEqual(2)
  while (producer.sent.length < 10) {
    producer.settle(0)
    await nextTurn()
  }
  producer.ackAll()
  s.abort.abort()
  await running
  expect(producer.sent.map(r => r.value?.toString())).toEqual(Array.from({ length: 10 }, (_, n) => `v${n}`))
  expect(s.puts.at(-1)).toEqual([[{ p: 'one' }, { n: 9 }]])
})

test('a task stops while the producer is full, and offsets of unsent records are not committed', async () => {
  const producer = new FakeProducer(1)
  const s = setUp({ batches: [[record(1), record(2), record(3)]], producer })
  const running = s.runner.run()
  await producer.arrived(1)
  await nextTurn()
  s.abort.abort()
  producer.ackAll()
  await running
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 1 }]]])
})

test('the number of unacknowledged records is limited', async () => {
  const s = setUp({ batches: [Array.from({ length: 20 }, (_, n) => record(n))], capacity: 8 })
  const running = s.runner.run()
  await s.producer.arrived(8)
  for (let i = 0; i < 5; i++) await nextTurn()
  expect(s.producer.sent.length).toBe(8)
  s.producer.automatic = true
  s.producer.ackAll()
  await s.producer.arrived(20)
  s.abort.abort()
  await running
  expect(s.puts.at(-1)).toEqual([[{ p: 'one' }, { n: 19 }]])
})

test('a retriable error of poll is retried, and the status shows the error until poll succeeds', async () => {
  const s = setUp({ batches: [new RetriableError('away'), [record(1)]] })
  s.producer.automatic = true
  const running = s.runner.run()
  await s.producer.arrived(1)
  await nextTurn()
  s.abort.abort()
  await running
  expect(s.degraded).toEqual(['away', null])
  expect(s.metrics.retries).toBe(1)
})

test('an error of poll that is not retriable fails the task after sent records are committed', async () => {
  const s = setUp({ batches: [[record(1)], new Error('broken')] })
  s.producer.automatic = true
  await expect(s.runner.run()).rejects.toThrow('broken')
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 1 }]]])
  expect(s.task.stopped).toBe(1)
})

const failing = (bad: unknown, error: () => Error) =>
  new TransformChain([
    {
      className: 'Faulty',
      predicate: null,
      negate: false,
      transformation: {
        version: '0',
        config: {},
        configure: () => undefined,
        apply: r => {
          if (r.value === bad) throw error()
          return r.value === 'drop' ? null : r
        },
      },
    },
  ])

test('with errors.tolerance=none, a bad record fails the task, and the error names its source position', async () => {
  const s = setUp({ batches: [[record(1), record(2)]], chain: failing('v2', () => new DataError('no good')) })
  s.producer.automatic = true
  await expect(s.runner.run()).rejects.toMatchObject({
    code: 'MR_TASK_RECORD_FAILED',
    message: expect.stringMatching(/TRANSFORMATION \(Faulty\) failed on .*topic t .*"n":2.*no good/),
  })
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 1 }]]])
})

test('with errors.tolerance=all, bad records are skipped, and the committed offset includes skipped records', async () => {
  const s = setUp({
    batches: [[record(1), record(2), record(3, 'drop')]],
    props: { 'errors.tolerance': 'all' },
    chain: failing('v2', () => new DataError('no good')),
  })
  s.producer.automatic = true
  const running = s.runner.run()
  await s.producer.arrived(1)
  await nextTurn()
  s.abort.abort()
  await running
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 3 }]]])
  expect(s.metrics).toMatchObject({ recordsSkipped: 1, recordsFiltered: 1, recordErrors: 1 })
  expect(s.task.reported.map(([v, m]) => [v, m === null])).toEqual([
    ['v1', false],
    ['v2', true],
    ['drop', true],
  ])
})

test('the offset of a position without a record is committed immediately', async () => {
  const s = setUp({ batches: [[{ ...record(1), unwritten: 'progress' }]] })
  const running = s.runner.run()
  while (s.task.committed.length === 0) await nextTurn()
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 1 }]]])
  s.abort.abort()
  await running
  expect(s.producer.sent).toEqual([])
})

test('an item that the source cannot read fails the task, or is skipped with errors.tolerance=all', async () => {
  const bad = { ...record(2), unwritten: new DataError('a line of 9 MB') }
  const strict = setUp({ batches: [[record(1), bad]] })
  strict.producer.automatic = true
  await expect(strict.runner.run()).rejects.toMatchObject({
    code: 'MR_TASK_RECORD_FAILED',
    message: expect.stringMatching(/TASK_POLL \(ScriptedTask\) failed on .*a line of 9 MB/),
  })
  expect(strict.puts).toEqual([[[{ p: 'one' }, { n: 1 }]]])
  const tolerant = setUp({ batches: [[record(1), bad]], props: { 'errors.tolerance': 'all' } })
  tolerant.producer.automatic = true
  const running = tolerant.runner.run()
  await tolerant.producer.arrived(1)
  await nextTurn()
  tolerant.abort.abort()
  await running
  expect(tolerant.puts).toEqual([[[{ p: 'one' }, { n: 2 }]]])
  expect(tolerant.metrics).toMatchObject({ recordsSkipped: 1, recordErrors: 1 })
})

test('a retriable error of a transformation is retried for errors.retry.timeout', async () => {
  let left = 1
  const s = setUp({
    batches: [[record(1)]],
    props: { 'errors.retry.timeout': '5000' },
    chain: failing('v1', () => (left-- > 0 ? new RetriableError('soon') : new DataError('not again'))),
  })
  s.producer.automatic = true
  await expect(s.runner.run()).rejects.toThrow(/not again/)
  expect(s.metrics.retries).toBe(1)
})

test('a record that the broker rejects fails the task, or is skipped with errors.tolerance=all', async () => {
  const tooLarge = new Error('RECORD_TOO_LARGE')
  const strict = setUp({ batches: [[record(1), record(2)]] })
  const failed = strict.runner.run()
  await strict.producer.arrived(2)
  strict.producer.settle(0, tooLarge)
  strict.producer.ackAll()
  await expect(failed).rejects.toMatchObject({ code: 'MR_TASK_PRODUCE_FAILED', retriable: false })
  expect(strict.puts).toEqual([])

  const lenient = setUp({ batches: [[record(1), record(2)]], props: { 'errors.tolerance': 'all' } })
  const running = lenient.runner.run()
  await lenient.producer.arrived(2)
  lenient.producer.settle(0, tooLarge)
  lenient.producer.ackAll()
  lenient.abort.abort()
  await running
  expect(lenient.puts).toEqual([[[{ p: 'one' }, { n: 2 }]]])
})

test('a record whose error is retriable is never skipped, even with errors.tolerance=all', async () => {
  const s = setUp({ batches: [[record(1)]], props: { 'errors.tolerance': 'all' } })
  const running = s.runner.run()
  await s.producer.arrived(1)
  s.producer.settle(0, Object.assign(new Error('timed out'), { retriable: true }))
  await expect(running).rejects.toMatchObject({ retriable: true })
  expect(s.puts).toEqual([])
})

test('if a commit fails, the failure is counted and `commit` of the task is not called', async () => {
  const s = setUp({ batches: [[record(1)]], failPuts: 1 })
  s.producer.automatic = true
  const running = s.runner.run()
  await s.producer.arrived(1)
  await nextTurn()
  s.abort.abort()
  await running
  expect(s.puts).toEqual([])
  expect(s.metrics.offsetCommitFailures).toBe(1)
  expect(s.task.committed).toEqual([])
})

test('while the task is paused no record is sent, and records are sent after it is resumed', async () => {
  const s = setUp({ batches: [[record(1)]] })
  s.producer.automatic = true
  s.runner.pause()
  const running = s.runner.run()
  for (let i = 0; i < 5; i++) await nextTurn()
  expect(s.producer.sent).toEqual([])
  s.runner.resume()
  await s.producer.arrived(1)
  await nextTurn()
  s.abort.abort()
  await running
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 1 }]]])
})

test('a batch that was polled while the task was being paused counts as active until it is written', async () => {
  const s = setUp({ batches: [[record(1), record(2)]] })
  s.producer.automatic = true
  const { poll } = s.task
  s.task.poll = () => {
    s.runner.pause()
    return poll.call(s.task)
  }
  const running = s.runner.run()
  for (let i = 0; i < 5; i++) await nextTurn()
  expect(s.producer.sent).toEqual([])
  expect(s.metrics.recordsActive).toBe(2)
  expect(s.runner.activeSince).toBeGreaterThan(0)
  s.task.poll = poll
  s.runner.resume()
  await s.producer.arrived(2)
  await nextTurn()
  expect([s.metrics.recordsActive, s.runner.activeSince]).toEqual([0, null])
  s.abort.abort()
  await running
})

const to = (topic: string, n: number): SourceRecord => ({ ...record(n), topic })
const sentBy = (s: { producer: FakeProducer }) => s.producer.sent.map(r => r.value?.toString())

test('if the topic of a record is not writable, the task fails and later records are not sent', async () => {
  const s = setUp({ batches: [[to('t', 1), to('bad', 2), to('t', 3)]] })
  s.producer.automatic = true
  s.producer.topicErrors.set('bad', new Error('no such topic'))
  await expect(s.runner.run()).rejects.toMatchObject({
    code: 'MR_TASK_PRODUCE_FAILED',
    message: expect.stringContaining('no such topic'),
  })
  expect(sentBy(s)).toEqual(['v1'])
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 1 }]]])
})

test('with errors.tolerance=all, a record whose topic is not writable is skipped and later records are sent', async () => {
  const s = setUp({ batches: [[to('t', 1), to('bad', 2), to('t', 3)]], props: { 'errors.tolerance': 'all' } })
  s.producer.automatic = true
  s.producer.topicErrors.set('bad', new Error('no such topic'))
  const running = s.runner.run()
  await s.producer.arrived(2)
  await nextTurn()
  s.abort.abort()
  await running
  expect(sentBy(s)).toEqual(['v1', 'v3'])
  expect(s.metrics.recordsSkipped).toBe(1)
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 3 }]]])
})

test('while a topic is temporarily not writable, no later record is sent and no record is sent twice', async () => {
  const s = setUp({ batches: [[to('t', 1), to('slow', 2), to('t', 3)]] })
  s.producer.automatic = true
  s.producer.topicErrors.set('slow', new RetriableError('not yet'))
  const running = s.runner.run()
  while (s.degraded.length < 2) await sleep(5)
  expect(sentBy(s)).toEqual(['v1'])
  s.producer.topicErrors.clear()
  await s.producer.arrived(3)
  await nextTurn()
  s.abort.abort()
  await running
  expect(sentBy(s)).toEqual(['v1', 'v2', 'v3'])
  expect(s.degraded.slice(0, 2)).toEqual(['not yet', 'not yet'])
  expect(s.degraded.at(-1)).toBeNull()
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 3 }]]])
})

test('a stop of the task ends its wait for a topic', async () => {
  const s = setUp({ batches: [[to('t', 1)]] })
  s.producer.partitionsFor = () => new Promise(() => undefined)
  const running = s.runner.run()
  await nextTurn()
  s.abort.abort()
  await running
  expect(sentBy(s)).toEqual([])
})

test('after a record has failed, later records that are still unsent are not sent', async () => {
  const s = setUp({ batches: [[1, 2, 3, 4, 5].map(n => record(n))], props: { 'errors.tolerance': 'all' } })
  const running = s.runner.run()
  await s.producer.arrived(5)
  s.producer.settle(2, new RetriableError('the broker is away'))
  while (s.producer.waiting.length > 2) await nextTurn()
  s.producer.ackAll()
  await expect(running).rejects.toMatchObject({ retriable: true })
  expect(sentBy(s)).toEqual(['v1', 'v2', 'v3'])
  // Records that were not sent must not count as skipped, even with errors.tolerance=all.
  expect(s.metrics.recordsSkipped).toBe(0)
  expect(s.puts).toEqual([[[{ p: 'one' }, { n: 2 }]]])
})

const withOffset = (n: number, sourceOffset: unknown) => ({ ...record(n), sourceOffset }) as SourceRecord

test('if the last offset of a batch cannot be stored, the task fails before any record is sent', async () => {
  const s = setUp({ batches: [[record(1), withOffset(2, { at: new Date(0) })]] })
  await expect(s.runner.run()).rejects.toThrow(/sourceOffset\.at is a Date.*MR_TASK_SOURCE_OFFSET/)
  expect(s.producer.sent).toHaveLength(0)
  expect(s.puts).toEqual([])
})

test('if another offset of a batch cannot be stored, the task fails when that offset is committed', async () => {
  const other = { ...withOffset(1, { f: () => 1 }), sourcePartition: { p: 'two' } }
  const s = setUp({ batches: [[other, record(2)], [{ ...record(3), unwritten: 'progress' }]] })
  const running = s.runner.run()
  await s.producer.arrived(2)
  s.producer.ackAll()
  s.abort.abort()
  await expect(running).rejects.toThrow(/sourceOffset\.f is a function/)
  expect(s.puts).toEqual([])
  expect(s.task.stopped).toBe(1)
})

test.each([
  [[record(1), null], 'a list with null at index 1 instead'],
  [[5], 'a list with a number at index 0 instead'],
  ['nonsense', 'a string instead'],
])('the task fails if poll returns %o', async (batch, message) => {
  const s = setUp({ batches: [batch as SourceRecord[]] })
  await expect(s.runner.run()).rejects.toThrow(`poll of the task returned ${message} of a list of records`)
  expect(s.producer.sent).toHaveLength(0)
})

test('headers that are not a list fail the task with an error that names the headers', async () => {
  const s = setUp({ batches: [[{ ...record(1), headers: { a: 1 } } as unknown as SourceRecord]] })
  await expect(s.runner.run()).rejects.toThrow(/a record at index 0 whose headers is an Object, not a list/)
})
