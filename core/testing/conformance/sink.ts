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

/** The fixture of a sink connector: an external system to which the sink writes. */
export interface SinkFixture extends Fixture {
  /**
   * Returns the numbers of the records in the external system, in the order in which the sink wrote
   * them.
   */
  written(): Promise<readonly number[]> | readonly number[]
}

export interface SinkConformanceOptions extends ConformanceOptions<SinkFixture> {
  readonly connector: new () => SinkConnector
  /**
   * Returns record number `n`. The first number is 0. After the sink has written the record,
   * `written` of the fixture must return `n`.
   */
  record(n: number): SentRecord
  /** Whether the sink accepts a record whose value is null, or fails. Default: `accepts`. */
  readonly tombstones?: 'accepts' | 'fails'
  /**
   * Whether a crash can cause the sink to write a record twice. `never` is for a sink whose writes
   * are idempotent. Default: `possible`. If duplicates are possible, tell your users.
   */
  readonly duplicates?: 'never' | 'possible'
  /** Whether `written` returns the records of a partition in their order. Default: true. */
  readonly ordered?: boolean
  /**
   * A record that the sink cannot write. The suite checks that the dead letter queue receives it.
   */
  readonly badRecord?: SentRecord
  /** Whether the fixtures have an `outage`. Default: false. */
  readonly outages?: boolean
}

/** An interval between commits that is longer than any check, in milliseconds. */
const NEVER_MS = 600_000
const DEAD_LETTERS: Props = {
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.name': 'dead',
  'errors.deadletterqueue.context.headers.enable': 'true',
}
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b)

/**
 * Returns the checks that every sink connector must pass. They work with any test runner:
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

  /** Checks that the sink has written records 0 to `count - 1`. Allows duplicates after a crash. */
  async function assertWritten(fixture: SinkFixture, count: number, afterCrash: boolean): Promise<void> {
    const found = await fixture.written()
    const missing = numbers(0, count).filter(n => !found.includes(n))
    assert.deepEqual(missing, [], 'records were lost')
    if (options.duplicates === 'never' || !afterCrash)
      assert.deepEqual(sorted(found), numbers(0, count), 'records were written twice')
    if (options.ordered !== false && !afterCrash) assert.deepEqual(found, numbers(0, count), 'the order has changed')
  }

  /** Checks that the sink has written all records before a committed offset. */
  async function assertSafe(fixture: SinkFixture, offset: number): Promise<void> {
    const found = await fixture.written()
    const missing = numbers(0, offset).filter(n => !found.includes(n))
    assert.deepEqual(missing, [], `offset ${offset} is committed, but not all records before it are written`)
  }

  const checks = [
    ...sharedChecks({ connector, options, harness, idle: sink => sink.idle() }),
    check('the sink writes every record once and keeps the order of a partition', async fixture => {
      await using sink = await harness(fixture).start()
      for (let n = 0; n < 50; n += 10) {
        send(sink, n, n + 10)
        await sink.delivered()
      }
      await sink.committed()
      await assertWritten(fixture, 50, false)
    }),
    check('the sink commits only offsets of records that it has written', async fixture => {
      await using sink = harness(fixture, fixture.config, { offsetFlushIntervalMs: 1 })
      const commits = commitChecks(sink, offset => assertSafe(fixture, offset))
      await sink.start()
      // Sends 50 single records, then 5 batches of 10. The single records also check a sink whose
      // buffer is not full at the commit.
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
    check('the sink commits the consumed position of a record whose topic a transformation changes', async fixture => {
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
    check('the sink loses no record if it loses a partition whose topic a transformation changes', async fixture => {
      const { config, topic, rename, options } = changedTopics(fixture.config)
      await using sink = harness(fixture, config, { offsetFlushIntervalMs: NEVER_MS, ...options })
      await loseAndStop(sink, { topic, partition: 0 }, n => rename(record(n)))
      await assertWritten(fixture, 20, true)
    }),
    check('the sink loses no record if the worker crashes', async fixture => {
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
    check('the sink writes no record twice after an orderly stop', async fixture => {
      await using sink = await harness(fixture).start()
      send(sink, 0, 10)
      await sink.committed()
      await sink.restart()
      send(sink, 10, 20)
      await sink.committed()
      await assertWritten(fixture, 20, false)
    }),
    check('the sink writes the records that it has accepted before its partitions are revoked', async fixture => {
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
    check('the sink loses no record if its partitions are lost', async fixture => {
      await using sink = harness(fixture, fixture.config, { offsetFlushIntervalMs: NEVER_MS })
      await loseAndStop(sink, partitionOf(fixture), record)
      await assertWritten(fixture, 20, true)
    }),
    check('the sink accepts an empty batch', async fixture => {
      await using sink = await harness(fixture).start()
      await sink.idle()
      await sink.idle()
      send(sink, 0, 1)
      await sink.committed()
    }),
    check('the sink writes or skips a record with a null value, or fails with an error', async fixture => {
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
    check('the sink stops at once while it is processing records', async fixture => {
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
      check('the sink sends an invalid record to the dead letter queue and writes the others', async fixture => {
        const config = { ...fixture.config, ...DEAD_LETTERS }
        await using sink = harness(fixture, config, { offsetFlushIntervalMs: 1 })
        let badOffset = Number.POSITIVE_INFINITY
        const commits = commitChecks(sink, async offset => {
          const isSafe = offset <= badOffset || sink.deadLetters().length > 0
          assert.ok(
            isSafe,
            'the offset of the invalid record is committed before the record is in the dead letter queue',
          )
        })
        await sink.start()
        send(sink, 0, 2)
        for (const { offset } of sink.send(badRecord)) badOffset = offset
        send(sink, 2, 4)
        await sink.committed()
        await commits()
        assert.equal(sink.deadLetters().length, 1, 'the dead letter queue does not contain exactly the invalid record')
        assert.deepEqual(sorted(await fixture.written()), [0, 1, 2, 3])
      }),
    )
  }
  if (options.outages) {
    checks.push(
      check('the sink retries while its external system is unavailable, and loses no record', async fixture => {
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
 * Sends records 0 to 9. The sink loses their partition before it has committed them. Then sends
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
  // The first empty batch may come from a poll that began before the assignment.
  await sink.idle()
  await sink.idle()
  await sink.stop()
  assert.equal(sink.offset(partition.partition, partition.topic), 20, 'the sink did not commit when it stopped')
}

/** Returns partition 0 of the first topic of a fixture. */
function partitionOf({ config }: SinkFixture): TopicPartition {
  return { topic: config['topics']?.split(',')[0]?.trim() || 'test', partition: 0 }
}
