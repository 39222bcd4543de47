import { sleep } from '../../common/async/sleep.ts'
import type { SourceConnector } from '../../connect/connector.ts'
import type { Props } from '../../connect/props.ts'
import type { CompleteSourceRecord } from '../../connect/record.ts'
import { valueFault } from '../../connect/value-fault.ts'
import { positionFault } from '../../worker/task/source/json-fault.ts'
import { OffsetStorage } from '../offset-storage.ts'
import { SourceHarness } from '../source-harness.ts'
import { assert, type ConformanceCheck, type ConformanceOptions, type Fixture, withFixture } from './check.ts'
import { checkOutage, sharedChecks } from './shared-checks.ts'

/** The fixture of a source connector: an external system that contains data. */
export interface SourceFixture extends Fixture {
  /** The number of records in the external system at the start. At least 4. */
  readonly records: number
  /** Adds records to the external system. Required if `produces` of the suite is true. */
  produce?(count: number): Promise<void> | void
}

export interface SourceConformanceOptions extends ConformanceOptions<SourceFixture> {
  readonly connector: new () => SourceConnector
  /**
   * Returns a string that identifies a record. All records of a fixture must have different
   * strings. Default: the topic, key and value as JSON.
   */
  identify?(record: CompleteSourceRecord): string
  /** Whether the fixtures have `produce`, for the checks that need new records. Default: false. */
  readonly produces?: boolean
  /** Whether the fixtures have an `outage`. Default: false. */
  readonly outages?: boolean
}

/** How long a check waits to make sure that no record arrives, in milliseconds. */
const LOOK_MS = 300

/**
 * Returns the checks that every source connector must pass. They work with any test runner:
 *
 * ```ts
 * for (const check of sourceConformance({ connector, fixture })) test(check.name, check.run)
 * ```
 */
export function sourceConformance(options: SourceConformanceOptions): ConformanceCheck[] {
  const { connector } = options
  const identify = options.identify ?? identity
  const timeoutMs = options.timeoutMs
  const harness = (fixture: SourceFixture, config: Props = fixture.config, offsets?: OffsetStorage) =>
    new SourceHarness(connector, { config, ...(offsets && { offsets }), ...(timeoutMs && { timeoutMs }) })
  const check = (name: string, body: (fixture: SourceFixture) => Promise<void>): ConformanceCheck => ({
    name,
    run: () => withFixture(options, body),
  })
  const checks = [
    ...sharedChecks({
      connector,
      options,
      harness,
      idle: async (source, fixture) => {
        await source.take(fixture.records)
        await source.polling()
      },
    }),
    check('records match their schemas, and source partitions and offsets are JSON', async fixture => {
      await using source = await harness(fixture).start()
      for (const record of await source.take(fixture.records)) {
        assert.equal(valueFault(record.keySchema, record.key, 'the key'), null)
        assert.equal(valueFault(record.valueSchema, record.value), null)
        assert.equal(positionFault(record), null)
      }
    }),
    check('the source returns every record once', async fixture => {
      await using source = await harness(fixture).start()
      await source.take(fixture.records)
      assertOnce(source.records.map(identify), fixture.records)
    }),
    check('the source resumes after the committed offset and loses no record', async fixture => {
      const offsets = new OffsetStorage()
      const half = Math.ceil(fixture.records / 2)
      await using first = harness(fixture, fixture.config, offsets)
      first.limitAcks(half)
      await first.start()
      await first.take(half)
      await first.committed()
      await first.kill()
      const known = first.records.map(identify)
      await using second = await harness(fixture, fixture.config, offsets).start()
      const all = () => new Set([...known, ...second.records.map(identify)])
      await second.until(
        () => all().size >= fixture.records,
        `all ${fixture.records} records after the restart; ${all().size} have come`,
      )
      const again = second.records.map(identify)
      assert.ok(!again.includes(known[0]!), 'the source started again from its beginning')
    }),
    check('the source reads the records again that were not committed when the worker crashed', async fixture => {
      const offsets = new OffsetStorage()
      await using first = harness(fixture, fixture.config, offsets)
      first.holdAcks()
      await first.start()
      await first.until(() => first.calls.some(c => c.method === 'poll'), 'a poll')
      await first.kill()
      await using second = await harness(fixture, fixture.config, offsets).start()
      await second.take(fixture.records)
      assert.equal(new Set(second.records.map(identify)).size, fixture.records, 'records were lost')
    }),
    check('the source loses and repeats no record while the broker is slow', async fixture => {
      await using source = harness(fixture)
      source.holdAcks(1)
      await source.start()
      await source.until(() => source.calls.some(c => c.method === 'poll'), 'a poll')
      for (let n = 1; n <= fixture.records; n++) {
        source.limitAcks(1)
        await source.take(n)
      }
      assertOnce(source.records.map(identify), fixture.records)
    }),
  ]
  if (options.produces) {
    checks.push(
      check('the source repeats no record after an orderly stop', async fixture => {
        await using source = await harness(fixture).start()
        await source.take(fixture.records)
        await source.committed()
        await source.restart()
        await fixture.produce!(1)
        await source.take(fixture.records + 1)
        assertOnce(source.records.map(identify), fixture.records + 1)
      }),
      check('the source writes no record while it is paused, and all records after resume', async fixture => {
        await using source = await harness(fixture).start()
        await source.take(fixture.records)
        await source.pause()
        await fixture.produce!(2)
        await sleep(LOOK_MS)
        assert.equal(source.records.length, fixture.records, 'records were written while paused')
        await source.resume()
        await source.take(fixture.records + 2)
        assertOnce(source.records.map(identify), fixture.records + 2)
      }),
    )
  }
  if (options.outages) {
    checks.push(
      check('the source retries while its external system is unavailable', async fixture => {
        const source = harness(fixture)
        await checkOutage(source, fixture, {
          before: async () => void (await source.take(1)),
          after: async () => {
            await fixture.produce?.(1)
            await source.take(fixture.records + (fixture.produce ? 1 : 0))
          },
        })
      }),
    )
  }
  return checks
}

const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)

function identity({ topic, key, value }: CompleteSourceRecord): string {
  return JSON.stringify([topic, key, value], plain)
}

function assertOnce(ids: readonly string[], count: number): void {
  const repeated = ids.find((id, n) => ids.indexOf(id) !== n)
  assert.equal(repeated, undefined, 'the source returned a record twice')
  assert.equal(ids.length, count)
}
