import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ConsumerRecord } from '../../../client/types.ts'
import { sleep } from '../../../common/async/sleep.ts'
import { createLogger, setLogSink } from '../../../common/log.ts'
import { DataError, RetriableError } from '../../../connect/errors.ts'
import type { SinkRecord, TopicPartition, TopicPartitionOffset } from '../../../connect/record.ts'
import { SinkTask } from '../../../connect/sink-task.ts'
import { DeadLetterQueue } from '../failures/dead-letter-queue.ts'
import { ErrantRecords } from '../failures/errant-records.ts'
import { parseErrorConfig } from '../failures/error-config.ts'
import { ErrorPolicy } from '../failures/error-policy.ts'
import { MetricsRecorder } from '../metrics/recorder.ts'
import { FakeConsumer } from '../test-support/fake-consumer.ts'
import { FakeProducer } from '../test-support/fake-producer.ts'
import { textConverters } from '../test-support/text-converters.ts'
import { TransformChain } from '../transform-chain.ts'
import { GroupWait } from './group-wait.ts'
import { SinkContext } from './sink-context.ts'
import { describeConsumed, SinkRecordConverter } from './sink-converter.ts'
import { SinkTaskRunner } from './sink-task-runner.ts'

setLogSink(() => undefined)

const T0: TopicPartition = { topic: 't', partition: 0 }
const T1: TopicPartition = { topic: 't', partition: 1 }

class RecordingSink extends SinkTask {
  readonly taken: SinkRecord[] = []
  readonly events: string[] = []
  /** Called before a batch is accepted. If this function throws, `put` rejects the batch. */
  onPut: (records: SinkRecord[]) => void | Promise<void> = () => undefined
  onPreCommit: ((offsets: readonly TopicPartitionOffset[]) => readonly TopicPartitionOffset[]) | null = null

  start(): void {}

  async put(records: SinkRecord[]): Promise<void> {
    await this.onPut(records)
    this.taken.push(...records)
  }

  override async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    return this.onPreCommit ? this.onPreCommit(offsets) : offsets
  }

  override open(partitions: readonly TopicPartition[]): void {
    this.events.push(`open ${partitions.map(p => p.partition)}`)
  }

  override close(partitions: readonly TopicPartition[]): void {
    this.events.push(`close ${partitions.map(p => p.partition)}`)
  }

  override stop(): void {
    this.events.push('stop')
  }
}

function setUp(props: Record<string, string> = {}, flushMs = 60_000) {
  const abort = new AbortController()
  const consumer = new FakeConsumer()
  const task = new RecordingSink()
  const metrics = new MetricsRecorder('sink')
  const logger = createLogger('test.sink')
  const config = parseErrorConfig({ 'errors.retry.delay.max.ms': '5', ...props })
  const dlq = new FakeProducer()
  dlq.automatic = true
  const queue =
    config['errors.deadletterqueue.topic.name'] === ''
      ? null
      : new DeadLetterQueue(dlq, config, metrics, { connector: 'c', taskId: 3, logger })
  const policy = new ErrorPolicy<ConsumerRecord>({
    config,
    reporters: queue ? [queue] : [],
    metrics,
    signal: abort.signal,
    logger,
    describe: describeConsumed,
  })
  const errant = queue || policy.tolerant ? new ErrantRecords(policy, queue, textConverters) : null
  const context = new SinkContext(consumer, {
    configs: {},
    version: '1',
    logger,
    signal: abort.signal,
    connector: 'c',
    taskId: 3,
    errantRecordReporter: errant,
    metrics: metrics.plugin,
  })
  task.context = context
  const degraded: (string | null)[] = []
  const runner = new SinkTaskRunner({
    task,
    topics: ['t'],
    consumer,
    context,
    converter: new SinkRecordConverter(new TransformChain([]), textConverters, metrics.stages),
    policy,
    queue,
    errant,
    metrics,
    logger,
    abort,
    offsetFlushIntervalMs: flushMs,
    groupWait: new GroupWait({
      sessionTimeoutMs: 1000,
      describe: () => Promise.reject(new Error('no broker')),
      logger,
    }),
    onTopic: () => undefined,
    onMember: () => undefined,
    onDegraded: m => degraded.push(m),
  })
  const until = async (condition: () => boolean) => {
    while (!condition()) await sleep(1)
  }
  return { abort, consumer, task, metrics, dlq, runner, degraded, until, context }
}

type Set = ReturnType<typeof setUp>

/** Runs the task with partition 0 until the condition is true, and then stops the task. */
async function runUntil(s: Set, condition: () => boolean): Promise<void> {
  s.consumer.script.push(() => s.consumer.give([T0]))
  const running = s.runner.run()
  await s.until(condition)
  s.abort.abort()
  await running
}

const values = (s: Set) => s.task.taken.map(r => r.value)

test('records are put in order with their positions, and their offsets are committed when the task stops', async () => {
  const s = setUp()
  s.consumer.produce('t', 0, ['a', 'b', null])
  await runUntil(s, () => s.task.taken.length === 3)
  expect(values(s)).toEqual(['a', 'b', null])
  expect(s.task.taken[1]).toMatchObject({
    topic: 't',
    partition: 0,
    offset: 1,
    originalOffset: 1,
    key: 'k1',
    timestamp: 1001,
    timestampType: 'CreateTime',
  })
  expect(s.consumer.committedOffsets.get('t-0')).toBe(3)
  expect(s.task.events).toEqual(['open 0', 'close 0', 'stop'])
})

test('only the offsets that preCommit returns for delivered records are committed', async () => {
  const s = setUp()
  s.task.onPreCommit = () => [
    { ...T0, offset: 1 },
    { ...T1, offset: 5 },
    { topic: 't', partition: 0, offset: 99 },
  ]
  s.consumer.produce('t', 0, ['a', 'b'])
  await runUntil(s, () => s.task.taken.length === 2)
  expect(s.consumer.commits).toEqual([[{ ...T0, offset: 1, leaderEpoch: 0 }]])
})

test.each([
  [undefined, 'undefined instead'],
  [[{ ...T0, offset: -1 }], 'a list in which the offset of t-0 is -1 instead'],
])('if preCommit returns %o, the task fails and no offset is committed', async (returned, message) => {
  const s = setUp({}, 1)
  s.task.onPreCommit = () => returned as readonly TopicPartitionOffset[]
  s.consumer.produce('t', 0, ['a'])
  await expect(s.runner.run()).rejects.toThrow(`preCommit of the task returned ${message} of a list of offsets`)
  expect(s.consumer.commits).toEqual([])
})

test('an offset is committed with the leader epoch of the record before that offset', async () => {
  const s = setUp({}, 1)
  s.consumer.epochOf = offset => [3, 3, 5, 5, 6][offset]!
  const answers = [1, 2, 3, 4, 5]
  s.task.onPreCommit = offsets => (offsets.length === 0 ? [] : [{ ...T0, offset: answers.shift() ?? 5 }])
  s.consumer.produce('t', 0, ['a', 'b', 'c', 'd', 'e'])
  await runUntil(s, () => answers.length === 0)
  const committed = s.consumer.commits.flat().map(o => [o.offset, o.leaderEpoch])
  expect(committed).toEqual([
    [1, 3],
    [2, 3],
    [3, 5],
    [4, 5],
    [5, 6],
  ])
})

test('a batch that fails with a retriable error is put again unchanged, before any later batch', async () => {
  const s = setUp()
  let left = 2
  const sizes: number[] = []
  s.task.onPut = records => {
    if (records.length > 0) sizes.push(records.length)
    if (records.length > 0 && left-- > 0) {
      s.consumer.produce('t', 0, ['later'])
      throw new RetriableError('busy')
    }
  }
  s.consumer.produce('t', 0, ['a', 'b'])
  await runUntil(s, () => s.task.taken.length === 4)
  expect(sizes.slice(0, 3)).toEqual([2, 2, 2])
  expect(values(s)).toEqual(['a', 'b', 'later', 'later'])
  expect(s.degraded).toEqual(['busy', 'busy', null])
  expect(s.consumer.paused()).toEqual([])
})

test('while a batch waits for its retry, its offsets are not committed', async () => {
  const s = setUp({}, 1)
  let tries = 0
  s.task.onPut = records => {
    if (records.length > 0 && tries++ < 5) throw new RetriableError('busy')
  }
  s.task.onPreCommit = offsets => {
    if (s.task.taken.length === 0) expect(offsets).toEqual([])
    return offsets
  }
  s.consumer.produce('t', 0, ['a'])
  await runUntil(s, () => s.task.taken.length === 1)
  expect(s.consumer.committedOffsets.get('t-0')).toBe(1)
})

test('with errors.tolerance=none, a record that cannot be converted fails the task, and the error names the record', async () => {
  const s = setUp()
  s.consumer.produce('t', 0, ['a', '!bad'])
  s.consumer.script.push(() => s.consumer.give([T0]))
  await expect(s.runner.run()).rejects.toMatchObject({
    code: 'MR_TASK_RECORD_FAILED',
    message: expect.stringMatching(/VALUE_CONVERTER \(TextConverter\) failed on the record t-0@1: it is bad/),
  })
  expect(s.consumer.committedOffsets.get('t-0')).toBeUndefined()
  expect(s.task.events).toEqual(['open 0', 'close 0', 'stop'])
})

const DLQ = {
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.name': 'dead',
  'errors.deadletterqueue.context.headers.enable': 'true',
}

test('with errors.tolerance=all, a record that cannot be converted is written to the dead letter queue with headers', async () => {
  const s = setUp(DLQ)
  s.consumer.produce('t', 0, ['a', '!bad', 'c'])
  await runUntil(s, () => s.task.taken.length === 2)
  expect(values(s)).toEqual(['a', 'c'])
  const [dead] = s.dlq.sent
  expect(dead).toMatchObject({ topic: 'dead', timestamp: 1001 })
  expect(dead?.value?.toString()).toBe('!bad')
  const headers = Object.fromEntries((dead?.headers ?? []).map(h => [h.key, h.value?.toString()]))
  expect(headers).toMatchObject({
    '__connect.errors.topic': 't',
    '__connect.errors.partition': '0',
    '__connect.errors.offset': '1',
    '__connect.errors.connector.name': 'c',
    '__connect.errors.task.id': '3',
    '__connect.errors.stage': 'VALUE_CONVERTER',
    '__connect.errors.class.name': 'TextConverter',
    '__connect.errors.exception.class.name': 'org.apache.kafka.connect.errors.DataException',
    '__connect.errors.exception.message': 'it is bad',
  })
  expect(s.consumer.committedOffsets.get('t-0')).toBe(3)
})

test('bad records are found by halving a batch, and only bad records are written to the dead letter queue', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), async plan => {
      const s = setUp(DLQ)
      s.task.onPut = records => {
        if (records.some(r => String(r.value).startsWith('poison'))) throw new DataError('poisoned')
      }
      const all = plan.map((bad, n) => (bad ? `poison${n}` : `fine${n}`))
      s.consumer.produce('t', 0, all)
      await runUntil(s, () => s.task.taken.length + s.dlq.sent.length === all.length)
      expect(values(s)).toEqual(all.filter(v => v.startsWith('fine')))
      expect(s.dlq.sent.map(r => r.value?.toString())).toEqual(all.filter(v => v.startsWith('poison')))
      const classes = s.dlq.sent.map(r =>
        r.headers?.find(h => h.key === '__connect.errors.class.name')?.value?.toString(),
      )
      expect(new Set(classes)).toEqual(new Set(classes.length === 0 ? [] : ['org.apache.kafka.connect.sink.SinkTask']))
      expect(s.consumer.committedOffsets.get('t-0')).toBe(all.length)
    }),
    { numRuns: 40 },
  )
})

test('an error of put that is not a DataError fails the task, even with errors.tolerance=all', async () => {
  const s = setUp(DLQ)
  s.task.onPut = records => {
    if (records.length > 0) throw new Error('no permission')
  }
  s.consumer.produce('t', 0, ['a'])
  s.consumer.script.push(() => s.consumer.give([T0]))
  await expect(s.runner.run()).rejects.toThrow('no permission')
  expect(s.dlq.sent).toEqual([])
  expect(s.consumer.commits).toEqual([])
})

test('a commit waits for the dead letter queue, and a failure of the queue fails the task', async () => {
  const s = setUp(DLQ)
  s.dlq.automatic = false
  s.consumer.produce('t', 0, ['!bad', 'b'])
  s.consumer.script.push(() => s.consumer.give([T0]))
  const running = s.runner.run()
  await s.until(() => s.task.taken.length === 1)
  s.context.requestCommit()
  await s.until(() => s.metrics.stages.activity === 'commit')
  expect(s.consumer.commits).toEqual([])
  s.dlq.settle(0, new Error('no such topic'))
  await expect(running).rejects.toMatchObject({ code: 'MR_TASK_DLQ' })
  expect(s.consumer.commits).toEqual([])
})

test('the task waits while the dead letter queue is full, and all failed records are written in order', async () => {
  const s = setUp(DLQ)
  s.dlq.capacity = 1
  s.consumer.maxPollRecords = 3
  const bad = Array.from({ length: 10 }, () => '!bad')
  s.consumer.produce('t', 0, [...bad, 'good'])
  await runUntil(s, () => s.task.taken.length === 1)
  expect(s.dlq.sent.map(r => r.key?.toString())).toEqual(bad.map((_, n) => `k${n}`))
  expect(s.consumer.committedOffsets.get('t-0')).toBe(11)
})

test('records that a sink reports are written to the dead letter queue as they were consumed', async () => {
  const s = setUp(DLQ)
  s.task.onPut = async records => {
    for (const r of records) {
      if (r.value === 'odd') await s.context.errantRecordReporter?.report({ ...r }, new DataError('odd'))
    }
  }
  s.consumer.produce('t', 0, ['a', 'odd'])
  await runUntil(s, () => s.task.taken.length === 2)
  expect(s.dlq.sent.map(r => r.value?.toString())).toEqual(['odd'])
})

/** Makes the sink report the records with the value `odd` and not await the results. */
function reportOddRecords(
  s: Set,
  report = (r: SinkRecord) => s.context.errantRecordReporter?.report(r, new DataError('odd')),
) {
  s.task.onPut = records => {
    for (const r of records) if (r.value === 'odd') void report(r)
  }
}

test('a commit waits for the reports that a sink did not await', async () => {
  const s = setUp(DLQ)
  s.dlq.automatic = false
  reportOddRecords(s)
  s.consumer.produce('t', 0, ['a', 'odd'])
  s.consumer.script.push(() => s.consumer.give([T0]))
  const running = s.runner.run()
  await s.until(() => s.task.taken.length === 2)
  s.context.requestCommit()
  await s.until(() => s.metrics.stages.activity === 'commit')
  await s.until(() => s.dlq.waiting.length === 1)
  expect(s.consumer.commits).toEqual([])
  s.dlq.ackAll()
  await s.until(() => s.consumer.committedOffsets.get('t-0') === 2)
  s.abort.abort()
  await running
})

test.each([
  ['that errors.tolerance=none does not allow', undefined, { code: 'MR_TASK_RECORD_FAILED' }],
  [
    'of something that is not a record',
    {},
    { message: expect.stringContaining('with an Object without a topic instead') },
  ],
  ['of null', null, { message: expect.stringContaining('was called with null instead of a record') }],
])('a report %s fails the task before its commit, even if the sink does not await it', async (_, record, error) => {
  const s = setUp({ ...DLQ, 'errors.tolerance': record === undefined ? 'none' : 'all' })
  const reporter = s.context.errantRecordReporter
  reportOddRecords(s, r => reporter?.report((record === undefined ? r : record) as SinkRecord, new DataError('odd')))
  s.consumer.produce('t', 0, ['a', 'odd'])
  s.consumer.script.push(() => s.consumer.give([T0]))
  await expect(s.runner.run()).rejects.toMatchObject(error)
  expect(s.consumer.commits).toEqual([])
})

test('a report without an error says that the task gave no reason', async () => {
  const s = setUp({ ...DLQ, 'errors.deadletterqueue.context.headers.enable': 'true' })
  reportOddRecords(s, r => s.context.errantRecordReporter?.report(r, undefined as never))
  s.consumer.produce('t', 0, ['odd'])
  await runUntil(s, () => s.task.taken.length === 1)
  const header = s.dlq.sent[0]?.headers?.find(h => h.key === '__connect.errors.exception.message')
  expect(header?.value?.toString()).toBe('the task gave no reason')
})

test('when a partition is revoked, its pending records are dropped and the other partitions continue', async () => {
  const s = setUp()
  let refuse = true
  s.task.onPut = records => {
    if (refuse && records.length > 0) throw new RetriableError('busy')
  }
  s.consumer.produce('t', 0, ['a0'])
  s.consumer.produce('t', 1, ['b0'])
  s.consumer.script.push(() => s.consumer.give([T0, T1]))
  const running = s.runner.run()
  await s.until(() => s.metrics.retries > 0)
  s.consumer.script.push(async () => {
    await s.consumer.take([T0])
    refuse = false
  })
  await s.until(() => s.task.taken.length === 1)
  s.abort.abort()
  await running
  expect(values(s)).toEqual(['b0'])
  expect(s.consumer.committedOffsets.get('t-0')).toBeUndefined()
  expect(s.consumer.committedOffsets.get('t-1')).toBe(1)
  expect(s.task.events).toEqual(['open 0,1', 'close 0', 'close 1', 'stop'])
})

test('when a partition is lost, it is closed without a commit', async () => {
  const s = setUp()
  s.consumer.produce('t', 0, ['a'])
  s.consumer.script.push(() => s.consumer.give([T0]))
  const running = s.runner.run()
  await s.until(() => s.task.taken.length === 1)
  s.consumer.script.push(() => s.consumer.take([T0], true))
  await s.until(() => s.task.events.includes('close 0'))
  s.abort.abort()
  await running
  expect(s.consumer.commits).toEqual([])
})

test('after a seek, the task gets the records from the new position', async () => {
  const s = setUp()
  let sought = false
  s.task.onPut = records => {
    if (records.length > 0 && !sought) {
      sought = true
      s.context.seek([{ ...T0, offset: 1 }])
    }
  }
  s.consumer.produce('t', 0, ['a', 'b', 'c'])
  await runUntil(s, () => s.task.taken.length === 5)
  expect(values(s)).toEqual(['a', 'b', 'c', 'b', 'c'])
  expect(s.consumer.committedOffsets.get('t-0')).toBe(3)
})

test('a failed commit of offsets is retried and does not fail the task', async () => {
  const s = setUp({}, 1)
  s.consumer.failCommits = new Error('coordinator away')
  s.consumer.produce('t', 0, ['a'])
  s.consumer.script.push(() => s.consumer.give([T0]))
  const running = s.runner.run()
  await s.until(() => s.metrics.offsetCommitFailures > 1)
  s.consumer.failCommits = null
  await s.until(() => s.consumer.committedOffsets.get('t-0') === 1)
  s.abort.abort()
  await running
})

test('while the task is paused, polls continue but no record is put', async () => {
  const s = setUp()
  s.consumer.produce('t', 0, ['a'])
  s.runner.pause()
  s.consumer.script.push(() => s.consumer.give([T0]))
  const running = s.runner.run()
  await s.until(() => s.consumer.polls > 3)
  expect(s.task.taken).toEqual([])
  s.runner.resume()
  await s.until(() => s.task.taken.length === 1)
  s.abort.abort()
  await running
})

test.each([
  ['an error', new Error('aborted')],
  ['a retriable error', new RetriableError('aborted')],
])('if a cancelled put throws %s, the task does not fail and the batch is not committed', async (_what, error) => {
  const s = setUp()
  s.task.onPut = async records => {
    if (records.length === 0) return
    await new Promise<void>(resolve => s.abort.signal.addEventListener('abort', () => resolve()))
    throw error
  }
  s.consumer.produce('t', 0, ['a'])
  s.consumer.script.push(() => s.consumer.give([T0]))
  const running = s.runner.run()
  await s.until(() => s.metrics.stages.activity === 'put' && s.metrics.recordsRead === 1)
  s.abort.abort()
  await running
  expect(s.consumer.commits).toEqual([])
})

test('the status names missing topics until they exist', async () => {
  const s = setUp()
  s.consumer.missing = ['u', 'v']
  await runUntil(s, () => {
    if (s.degraded.length === 1) s.consumer.missing = []
    return s.degraded.length === 2
  })
  expect(s.degraded).toEqual(['topics do not exist: [u, v]; the task is waiting for them', null])
})
