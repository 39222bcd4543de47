import { isRetriable } from '../../common/errors/error-table.ts'
import type { SinkConnector } from '../../connect/connector.ts'
import type { Props } from '../../connect/props.ts'
import { type SentRecord, SinkHarness } from '../sink-harness.ts'
import { assert, type ConformanceCheck, type ConformanceOptions, type Fixture, withFixture, within } from './check.ts'
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

const PARTITION = { topic: 'test', partition: 0 }
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
  const harness = (fixture: SinkFixture, config: Props = fixture.config, offsetFlushIntervalMs?: number) =>
    new SinkHarness(connector, {
      config,
      ...(timeoutMs && { timeoutMs }),
      ...(offsetFlushIntervalMs && { offsetFlushIntervalMs }),
    })
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
      await using sink = harness(fixture, fixture.config, 1)
      const commits: Promise<unknown>[] = []
      // These promises resolve to an error, so that none rejects before it is awaited.
      sink.onCommit = (_topic, _partition, offset) => {
        commits.push(
          assertSafe(fixture, offset).then(
            () => null,
            (error: unknown) => error,
          ),
        )
      }
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
      assert.ok(commits.length > 0)
      for (const error of await Promise.all(commits)) if (error !== null) throw error
    }),
    check('loses nothing when the worker crashes', async fixture => {
      await using sink = await harness(fixture).start()
      send(sink, 0, 20)
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
      await sink.revoke([PARTITION])
      await assertSafe(fixture, sink.offset())
      send(sink, 10, 20)
      sink.assign([PARTITION])
      await sink.committed()
      await assertWritten(fixture, 20, true)
    }),
    check('loses nothing when its partitions are lost', async fixture => {
      await using sink = await harness(fixture).start()
      send(sink, 0, 10)
      await sink.delivered()
      await sink.revoke([PARTITION], { lost: true })
      send(sink, 10, 20)
      sink.assign([PARTITION])
      await sink.committed()
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
        await using sink = await harness(fixture, { ...fixture.config, ...DEAD_LETTERS }).start()
        send(sink, 0, 2)
        sink.send(badRecord)
        send(sink, 2, 4)
        await sink.committed()
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
