import {
  backoffMs,
  isRetriable,
  type MillraceError,
  type SourceLag,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  SourceTask,
  sleepOrAbort,
} from 'millrace/connect'
import { contextHeaders, Heartbeat } from '../cdc/index.ts'
import { streamFailure } from './client/failure.ts'
import type { PostgresValues, postgresConfig } from './config.ts'
import { errors } from './errors.ts'
import { addMetrics, addTableMetrics, LagMeter } from './metrics.ts'
import { loadOffset } from './offset.ts'
import { offsetFault } from './offset-fields.ts'
import { type PostgresOptions, parseOptions } from './options.ts'
import { Session } from './session/session.ts'
import { ShapeCache } from './shape-cache.ts'
import { CONNECTOR, postgresSource, SourceBlocks } from './source-block.ts'

const FIRST_WAIT_MS = 100

/** Captures the changes of one database. */
export class PostgresTask extends SourceTask<typeof postgresConfig> {
  #options: PostgresOptions | null = null
  #session: Session | null = null
  #failures = 0
  readonly #lag = new LagMeter()
  #waiting = false
  #countsTables = false

  override async start(settings: PostgresValues): Promise<void> {
    const { configs, version, logger, signal, offsets, taskId } = this.context
    const options = parseOptions(settings, configs)
    const { prefix, connection } = options
    const stored = await offsets.offset({ server: prefix })
    const what = stored && offsetFault(stored, false)
    if (what) throw errors.create('MR_PG_OFFSET_INVALID', { what })
    this.#options = options
    this.#session = new Session({
      options,
      logger,
      signal,
      shapes: new ShapeCache({ options, source: postgresSource, logger }),
      sources: new SourceBlocks(prefix, connection.database, version),
      headers: options.contextHeaders ? contextHeaders(prefix, taskId, CONNECTOR) : [],
      heartbeat: new Heartbeat(options.topics.heartbeat(), prefix, options.heartbeatMs),
      committed: stored === null ? null : loadOffset(stored),
      waits: (message, retryAt) => this.#waits(message, retryAt),
    })
    const metrics = this.context.pluginMetrics?.()
    if (metrics) addMetrics(metrics, prefix, () => this.#session?.view() ?? null)
    const from = stored === null ? 'starting without an offset' : `resuming from ${JSON.stringify(stored, plainBigint)}`
    logger.info(from)
  }

  /** Returns how far the task is behind the server. */
  override lag(): SourceLag | null {
    return this.#session && this.#lag.read(this.#session.view())
  }

  override async poll(): Promise<SourceRecord[] | null> {
    const { signal } = this.context
    try {
      await this.#session!.connect()
      this.#countTables()
      if (this.#waiting) this.context.waits?.(null)
      this.#waiting = false
      const records = await this.#session!.next()
      if (records !== null) this.#failures = 0
      return records
    } catch (error) {
      if (signal.aborted) return null
      return this.#failed(streamFailure(error, this.#options!.slot.name))
    }
  }

  /** Waits before the next attempt if the failure is retriable. Throws it otherwise. */
  async #failed(failure: MillraceError): Promise<null> {
    const { logger, signal } = this.context
    const { maxRetries, maxRetryWaitMs } = this.#options!
    await this.#session!.disconnect()
    if (!isRetriable(failure)) throw failure
    this.#failures++
    if (maxRetries >= 0 && this.#failures > maxRetries)
      throw errors.create('MR_PG_RETRIES_EXHAUSTED', { count: maxRetries, cause: failure.message }, { cause: failure })
    const wait = backoffMs(this.#failures - 1, { initialMs: FIRST_WAIT_MS, maxMs: maxRetryWaitMs })
    logger.warn(`${failure.message} Retrying in ${wait} ms.`)
    this.#waits(failure.message, Date.now() + wait)
    await sleepOrAbort(wait, signal)
    return null
  }

  #countTables(): void {
    const metrics = this.context.pluginMetrics?.()
    if (this.#countsTables || metrics === undefined) return
    this.#countsTables = addTableMetrics(metrics, this.#options!.prefix, () => this.#session?.view() ?? null)
  }

  #waits(message: string, retryAt: number): void {
    this.#waiting = true
    this.context.waits?.(message, retryAt)
  }

  override commit(offsets: ReadonlyArray<readonly [SourcePartition, SourceOffset]>): void {
    for (const [partition, offset] of offsets) {
      if (partition['server'] === this.#options?.prefix) this.#session?.committed(offset)
    }
  }

  override async stop(): Promise<void> {
    await this.#session?.close()
    this.#session = null
  }
}

const plainBigint = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
