import type { CompleteSourceRecord, Props, SourceLag, SourceOffset } from 'millrace/connect'
import { completeRecord, parseSettings } from 'millrace/testing'
import { postgresConfig } from '../config.ts'
import { PostgresTask } from '../task.ts'
import { createTestLogger, type TestLog } from './test-log.ts'

/** Stores the offsets of a connector by partition, as JSON. It outlives a task. */
export class OffsetStore {
  readonly #stored = new Map<string, string>()

  get(partition: unknown): SourceOffset | null {
    const text = this.#stored.get(JSON.stringify(partition))
    return text === undefined ? null : (JSON.parse(text) as SourceOffset)
  }

  set(partition: unknown, offset: SourceOffset): void {
    this.#stored.set(JSON.stringify(partition), JSON.stringify(offset))
  }

  clear(): void {
    this.#stored.clear()
  }
}

/** Returns a configuration for the database of a URL. */
export function propsFor(url: string, more: Props = {}): Props {
  const u = new URL(url)
  return {
    'database.hostname': u.hostname,
    'database.port': u.port,
    'database.user': u.username,
    'database.password': u.password,
    'database.dbname': u.pathname.slice(1),
    'topic.prefix': 't',
    'plugin.name': 'pgoutput',
    'slot.name': `slot_${u.pathname.slice(1)}`,
    ...more,
  }
}

/** Far longer than any expected event takes on a busy machine. */
const WAIT_MS = 50_000

/** Far longer than a stop takes on the busiest machine. */
const STOP_MS = 60_000

/**
 * Runs one task as the runtime does: polls it, stores its records, and commits offsets on request.
 */
export class TaskHarness {
  readonly records: CompleteSourceRecord[] = []
  readonly log: TestLog = createTestLogger()
  /** The metrics that the task has added, by name and table. */
  readonly metrics = new Map<string, () => number | null>()
  /** The messages of the task about what it was waiting for. */
  readonly waits: string[] = []
  readonly #task = new PostgresTask()
  readonly #abort = new AbortController()
  readonly #offsets: OffsetStore
  readonly #props: Props
  #polling: Promise<void> | null = null
  #failure: Error | null = null
  #notify: (() => void) | null = null
  /**
   * The number of committed records, and an offset without a record that waits for their commit.
   */
  #committed = 0
  #idle: CompleteSourceRecord | null = null

  constructor(props: Props, offsets: OffsetStore = new OffsetStore()) {
    this.#props = props
    this.#offsets = offsets
  }

  async start(): Promise<this> {
    this.#task.context = {
      configs: this.#props,
      version: 'test',
      logger: this.log.logger,
      signal: this.#abort.signal,
      waits: message => {
        if (message !== null) this.waits.push(message)
        this.#notify?.()
      },
      pluginMetrics: () => ({
        addMetric: ({ name, tags }, value) => {
          this.metrics.set(tags?.['table'] ? `${name} ${tags['table']}` : name, value)
        },
        removeMetric: () => {},
      }),
      connector: 'test',
      taskId: 0,
      offsets: {
        offset: async partition => this.#offsets.get(partition),
        offsets: async partitions => partitions.map(p => this.#offsets.get(p)),
      },
    }
    await this.#task.start(parseSettings(postgresConfig, this.#props))
    this.#polling = this.#poll()
    return this
  }

  async #poll(): Promise<void> {
    try {
      while (!this.#abort.signal.aborted) {
        const records = await this.#task.poll()
        for (const record of records ?? []) this.#take(completeRecord(record))
        this.#notify?.()
      }
    } catch (error) {
      this.#failure = error as Error
      this.#notify?.()
    }
  }

  /**
   * Like the runtime, commits an offset without a record when all records before it are committed.
   */
  #take(record: CompleteSourceRecord): void {
    if (record.unwritten === undefined) {
      this.records.push(record)
      this.#idle = null
    } else if (this.#committed === this.records.length) this.#commit(record)
    else this.#idle = record
  }

  #commit(record: CompleteSourceRecord): void {
    this.#offsets.set(record.sourcePartition, record.sourceOffset!)
    this.#task.commit([[record.sourcePartition!, this.#offsets.get(record.sourcePartition)!]])
  }

  /**
   * Waits until `done` returns true. Throws the error of the task, or an error if no record arrives
   * for `ms`.
   */
  async until(
    done: (records: readonly CompleteSourceRecord[]) => boolean,
    ms = WAIT_MS,
  ): Promise<readonly CompleteSourceRecord[]> {
    let deadline = Date.now() + ms
    let count = this.records.length
    while (!done(this.records)) {
      if (this.#failure) throw this.#failure
      if (this.records.length > count) deadline = Date.now() + ms
      count = this.records.length
      const left = deadline - Date.now()
      if (left <= 0)
        throw new Error(`the condition is not true after ${ms} ms: ${count} records; log:\n${this.log.text()}`)
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, Math.min(left, 200))
        this.#notify = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#notify = null
    }
    return this.records
  }

  /** The present value of a metric. */
  metric(name: string): number | null | undefined {
    return this.metrics.get(name)?.()
  }

  lag(): SourceLag | null {
    return this.#task.lag()
  }

  count(n: number, ms?: number): Promise<readonly CompleteSourceRecord[]> {
    return this.until(r => r.length >= n, ms)
  }

  /** Waits until the task fails, and returns its error. */
  async failure(ms = WAIT_MS): Promise<Error> {
    await this.until(() => this.#failure !== null, ms)
    return this.#failure!
  }

  /**
   * Commits the offset of the first `n` records (default: all), as the runtime does after their
   * acknowledgement.
   */
  commit(n = this.records.length): void {
    const record = this.records[n - 1]
    if (!record?.sourceOffset) return
    this.#committed = n
    const whole = n === this.records.length
    this.#commit(whole && this.#idle ? this.#idle : record)
    if (whole) this.#idle = null
  }

  /**
   * Stops the task as the runtime does: aborts its signal and waits for `poll` and `stop`. Throws
   * if one does not return.
   */
  async stop(): Promise<void> {
    this.#abort.abort(new Error('stopped'))
    await this.#ends('poll', this.#polling)
    await this.#ends('stop', this.#task.stop())
  }

  async #ends(what: string, work: Promise<void> | null): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const error = () =>
        reject(new Error(`${what} has not returned ${STOP_MS} ms after a stop; log:\n${this.log.text()}`))
      timer = setTimeout(error, STOP_MS)
    })
    await Promise.race([work, late]).finally(() => clearTimeout(timer))
  }
}
