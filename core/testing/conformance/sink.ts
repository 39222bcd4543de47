import { isRetriable } from '../../common/errors/error-table.ts'
import type { SinkConnector } from '../../connect/connector.ts'
import type { Props } from '../../connect/props.ts'
import type { TopicPartition } from '../../connect/record.ts'
import type { HarnessOptions } from '../harness.ts'
import { type SentRecord, SinkHarness } from '../sink-harness.ts'
import { changedTopics } from './changed-topics.ts'
import { assert, type ConformanceCheck, type ConformanceOptions, type Fixture, withFixture, within } from './check.ts'
import { commitChecks } from './commit-checks.ts'
import { checkOutage, sharedChecks } from './shared-checks.ts'

/** The target of a sink. */
export interface SinkFixture extends Fixture {
  /**
   * Returns the numbers of the records that the target holds, in the order in which they were
   * written.
   */
  written(): Promise<readonly number[]> | readonly number[]
}

export interface SinkConformanceOptions extends ConformanceOptions<SinkFixture> {
  readonly connector: new () => SinkConnector
  /**
   * Returns record number `n`, from 0. `written` of the fixture returns `n` once the target holds
   * it.
   */
  record(n: number): SentRecord
  /** What the sink does with a record whose value is null. Default `accepts`. */
  readonly tombstones?: 'accepts' | 'fails'
  /**
   * Whether the target may hold a record twice after a crash: `never` for a sink that writes
   * idempotently. Default `possible`; document it for users.
   */
  readonly duplicates?: 'never' | 'possible'
  /** Whether the target keeps the order of records. Default true. */
  readonly ordered?: boolean
  /**
   * A record that the sink cannot write. The suite checks that it ends in the dead letter queue.
   */
  readonly badRecord?: SentRecord
  /** Whether the fixtures have an `outage`. Default false. */
  readonly outages?: boolean
}

/** An interval between commits that is longer than any check. Milliseconds. */
const NEVER_MS = 600_000
const DEAD_LETTERS: Props = {
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.name': 'dead',
  'errors.deadletterqueue.context.headers.enable': 'true',
}
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b)

/**
 * Returns the checks that every sink connector must pass. Works with any test runner:
 *
 * ```ts
 * for (const check of sinkConformance({ connector, fixture, record })) test(check.name, check.run)
 * ```
 */
export function sinkConformance(options: SinkConformanceOptions): ConformanceCheck[] {
  const { connector, record, timeoutMs } = options
  const harness = (fixture: SinkFixture, config: Props = fixture.config, others: Omit<HarnessOptions, 'config'> = {}) =>
    new SinkHarness(connector, { config, ...(timeoutMs && { timeoutMs }), ...others })
  const check = (name: string, body: (fixture: SinkFixture) => Promise<void>): ConformanceCheck => ({
    name,
    run: () => withFixture(options, body),
  })
  const send = (sink: SinkHarness, from: number, to: number) => sink.send(...numbers(from, to).map(record))

  /** Compares what the target holds with the records that were sent. */
  async function assertWritten(fixture: SinkFixture, count: number, afterCrash: boolean): Promise<void> {
    const found = await fixture.written()
    const missing = numbers(0, count).filter(n => !found.includes(n))
    assert.deepEqual(missing, [], 'records were lost')
    if (options.duplicates === 'never' || !afterCrash)
      assert.deepEqual(sorted(found), numbers(0, count), 'records were written twice')
    if (options.ordered !== false && !afterCrash) assert.deepEqual(found, numbers(0, count), 'the order has changed')
  }

  /** Checks that the target holds everything before a committed offset. */
  async function assertSafe(fixture: SinkFixture, offset: number): Promise<void> {
    const found = await fixture.written()
    const missing = numbers(0, offset).filter(n => !found.includes(n))
    assert.deepEqual(missing, [], `offset ${offset} is committed, but the target does not hold all records before it`)
  }

  const checks = [
    ...sharedChecks({ connector, options, harness, idle: sink => sink.idle() }),
    check('writes every record once and keeps the order of a partition', async fixture => {
      await using sink = await harness(fixture).start()
      for (let n = 0; n < 50; n += 10) {
        send(sink, n, n + 10)
        await sink.delivered()
      }
      await sink.committed()
      await assertWritten(fixture, 50, false)
    }),
    check('commits only what its target holds', async fixture => {
      await using sink = harness(fixture, fixture.config, { offsetFlushIntervalMs: 1 })
      const commits = commitChecks(sink, offset => assertSafe(fixture, offset))
      await sink.start()
      // Sends 50 single records, then 5 batches, so that a sink that buffers is also checked with a
      // partly filled buffer.
      for (let n = 0; n < 50; n++) {
        send(sink, n, n + 1)
        await sink.delivered()
        const before = preCommits(sink)
        await sink.until(() => preCommits(sink) > before, 'a call of preCommit')
      }
      for (let n = 50; n < 100; n += 10) {
        send(sink, n, n + 10)
        await sink.delivered()
        await sink.idle()
      }
      await sink.committed()
      await commits()
    }),
    check('commits the consumed positions of records whose topic a transformation changes', async fixture => {
      const { config, topic, rename, options } = changedTopics(fixture.config)
      await using sink = harness(fixture, config, { offsetFlushIntervalMs: 1, ...options })
      const commits = commitChecks(sink, offset => assertSafe(fixture, offset))
      await sink.start()
      sink.send(...numbers(0, 10).map(n => rename(record(n))))
      const ignored = () => sink.logger.lines.find(line => line.message.includes('which was never delivered'))
      await sink.until(() => ignored() !== undefined || sink.offset(0, topic) >= 10, 'everything to be committed')
      assert.equal(
        ignored()?.message,
        undefined,
        'preCommit returned a position after the transformations: use originalTopic, originalPartition and originalOffset',
      )
      await commits()
      await assertWritten(fixture, 10, false)
    }),
    check('loses nothing when partitions are lost whose topic a transformation changes', async fixture => {
      const { config, topic, rename, options } = changedTopics(fixture.config)
      await using sink = harness(fixture, config, { offsetFlushIntervalMs: NEVER_MS, ...options })
      await loseAndStop(sink, { topic, partition: 0 }, n => rename(record(n)))
      await assertWritten(fixture, 20, true)
    }),
    check('loses nothing when the worker crashes', async fixture => {
      await using sink = await harness(fixture).start()
      send(sink, 0, 10)
      await sink.delivered()
      const before = preCommits(sink)
      await sink.until(() => preCommits(sink) > before, 'a call of preCommit')
      await sink.idle()
      send(sink, 10, 20)
      await sink.delivered()
      await sink.kill()
      send(sink, 20, 30)
      await sink.start()
      await sink.committed()
      await assertWritten(fixture, 30, true)
    }),
    check('repeats nothing after an orderly stop', async fixture => {
      await using sink = await harness(fixture).start()
      send(sink, 0, 10)
      await sink.committed()
      await sink.restart()
      send(sink, 10, 20)
      await sink.committed()
      await assertWritten(fixture, 20, false)
    }),
    check('writes what it has taken when its partitions are revoked', async fixture => {
      await using sink = await harness(fixture).start()
      send(sink, 0, 10)
      await sink.delivered()
      const partition = partitionOf(fixture)
      await sink.revoke([partition])
      await assertSafe(fixture, sink.offset())
      send(sink, 10, 20)
      sink.assign([partition])
      await sink.committed()
      await assertWritten(fixture, 20, true)
    }),
    check('loses nothing when its partitions are lost', async fixture => {
      await using sink = harness(fixture, fixture.config, { offsetFlushIntervalMs: NEVER_MS })
      await loseAndStop(sink, partitionOf(fixture), record)
      await assertWritten(fixture, 20, true)
    }),
    check('accepts an empty batch', async fixture => {
      await using sink = await harness(fixture).start()
      await sink.idle()
      await sink.idle()
      send(sink, 0, 1)
      await sink.committed()
    }),
    check('a record with a null value is written or skipped, or fails the task with an error', async fixture => {
      await using sink = await harness(fixture).start()
      send(sink, 0, 1)
      await sink.committed()
      sink.send({ ...record(1), value: null, valueSchema: null })
      if (options.tombstones === 'fails') {
        await sink.failed()
        assert.ok(sink.calls.some(c => c.error !== undefined && !isRetriable(c.error)))
      } else await sink.committed()
      await assertSafe(fixture, 1)
    }),
    check('stops at once with records on their way', async fixture => {
      const sink = await harness(fixture).start()
      send(sink, 0, 20)
      await sink.delivered(1)
      await within(options.stopWithinMs ?? 5000, sink.stop(), 'the task did not stop')
      await assertSafe(fixture, sink.offset())
    }),
  ]
  const { badRecord } = options
  if (badRecord) {
    checks.push(
      check('a bad record goes to the dead letter queue, and the others are written', async fixture => {
        const config = { ...fixture.config, ...DEAD_LETTERS }
        await using sink = harness(fixture, config, { offsetFlushIntervalMs: 1 })
        let badOffset = Number.POSITIVE_INFINITY
        const commits = commitChecks(sink, async offset => {
          const isSafe = offset <= badOffset || sink.deadLetters().length > 0
          assert.ok(isSafe, 'the offset of the bad record is committed before the record is in the dead letter queue')
        })
        await sink.start()
        send(sink, 0, 2)
        for (const { offset } of sink.send(badRecord)) badOffset = offset
        send(sink, 2, 4)
        await sink.committed()
        await commits()
        assert.equal(sink.deadLetters().length, 1, 'the dead letter queue does not hold exactly the bad record')
        assert.deepEqual(sorted(await fixture.written()), [0, 1, 2, 3])
      }),
    )
  }
  if (options.outages) {
    checks.push(
      check('retries while its target is unavailable, and loses nothing', async fixture => {
        const sink = harness(fixture)
        let sending = 0
        await checkOutage(sink, fixture, {
          before: async () => {
            send(sink, 0, (sending = 10))
            await sink.committed()
            send(sink, 10, (sending = 20))
          },
          after: () => sink.committed(),
        })
        await assertWritten(fixture, sending, true)
      }),
    )
  }
  return checks
}

function preCommits(sink: SinkHarness): number {
  return sink.calls.filter(call => call.method === 'preCommit').length
}

/**
 * Sends records 0 to 9, takes their partition away from the task before it commits them, sends
 * records 10 to 19, assigns the partition again, and stops the sink.
 */
async function loseAndStop(
  sink: SinkHarness,
  partition: TopicPartition,
  record: (n: number) => SentRecord,
): Promise<void> {
  await sink.start()
  sink.send(...numbers(0, 10).map(record))
  await sink.delivered()
  await sink.revoke([partition], { lost: true })
  sink.send(...numbers(10, 20).map(record))
  sink.assign([partition])
  // the first empty batch may belong to a poll that began before the assignment
  await sink.idle()
  await sink.idle()
  await sink.stop()
  assert.equal(sink.offset(partition.partition, partition.topic), 20, 'the sink did not commit when it stopped')
}

/** Returns partition 0 of the first topic of a fixture. */
function partitionOf({ config }: SinkFixture): TopicPartition {
  return { topic: config['topics']?.split(',')[0]?.trim() || 'test', partition: 0 }
}
