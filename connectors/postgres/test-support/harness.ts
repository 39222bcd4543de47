import type { CompleteSourceRecord, MillraceError, Props } from 'millrace/connect'
import { OffsetStorage, SourceHarness } from 'millrace/testing'
import { connectionSettings } from '../../../test/services/connection-settings.ts'
import { PostgresConnector } from '../connector.ts'

/** Returns a configuration for the database of a URL. */
export function propsFor(url: string, more: Props = {}): Props {
  return {
    ...connectionSettings(url),
    'topic.prefix': 't',
    'plugin.name': 'pgoutput',
    'slot.name': `slot_${new URL(url).pathname.slice(1)}`,
    ...more,
  }
}

/** The timeout of an expected event. It is long enough for a busy machine. */
const WAIT_MS = 60_000

export interface TaskHarnessOptions {
  /**
   * Whether the broker acknowledges every record immediately. By default, only `commit`
   * acknowledges records. Tests of more than 16384 records need this, because the runtime stops
   * polling at this number of unacknowledged records.
   */
  readonly acknowledges?: boolean
}

/** A SourceHarness whose offsets are committed on request. */
export class TaskHarness {
  readonly source: SourceHarness

  constructor(props: Props, offsets = new OffsetStorage(), { acknowledges = false }: TaskHarnessOptions = {}) {
    // Skips validation, like a restarted worker. validate.pg.test.ts tests validation.
    this.source = new SourceHarness(PostgresConnector, { config: props, offsets, validate: false, timeoutMs: WAIT_MS })
    if (!acknowledges) this.source.holdAcks()
  }

  /** The records that the broker has received. */
  get records(): readonly CompleteSourceRecord[] {
    return this.source.received
  }

  get log(): { text(): string } {
    return this.source.logger
  }

  async start(): Promise<this> {
    await this.source.start()
    return this
  }

  /** Waits until `done` returns true. Throws if the task fails first. */
  async until(done: (records: readonly CompleteSourceRecord[]) => boolean): Promise<readonly CompleteSourceRecord[]> {
    await this.source.until(() => done(this.records), `a condition; ${this.records.length} records have come`)
    return this.records
  }

  /** Waits until the snapshot is complete and all of its rows have been received. */
  async snapshot(): Promise<void> {
    const completed = () => /snapshot complete: (\d+) rows/.exec(this.log.text())
    await this.until(() => completed() !== null)
    const rows = Number(completed()![1])
    await this.until(records => records.filter(isRead).length >= rows)
  }

  /** Waits until `n` records have been received. */
  count(n: number): Promise<readonly CompleteSourceRecord[]> {
    return this.until(r => r.length >= n)
  }

  /** Waits until the task fails, and returns the error that it threw. */
  async failure(): Promise<MillraceError> {
    const { code, message } = await this.source.failed()
    const thrown = this.source.calls.find(c => c.error instanceof Error && (c.error as MillraceError).code === code)
    if (!thrown) throw new Error(`the status shows an error that the task did not throw: ${message}`)
    return thrown.error as MillraceError
  }

  /** Acknowledges the first `n` records (default: all). Waits until their offsets are committed. */
  async commit(n = this.records.length): Promise<void> {
    const { source } = this
    if (n > source.records.length) source.limitAcks(n - source.records.length)
    await source.take(n)
    await source.committed()
  }

  /**
   * Stops the task. Unacknowledged records stay uncommitted, as after a crash of the worker. Throws
   * the error of the task's `stop`, which a worker only logs.
   */
  async stop(): Promise<void> {
    if (this.records.length > this.source.records.length) {
      await this.source.kill()
      await this.source[Symbol.asyncDispose]()
    } else await this.source.stop()
    const failed = this.source.calls.find(c => c.method === 'stop' && c.error !== undefined)
    if (failed) throw failed.error
  }
}

const isRead = ({ value }: CompleteSourceRecord): boolean => (value as { op?: string } | null)?.op === 'r'
