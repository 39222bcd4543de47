import type { ConfigDef, ConfigValues } from '../common/config/define.ts'
import type { Logger } from '../common/log.ts'
import type { OffsetReader } from './offset-reader.ts'
import type { PluginMetrics, SourceLag } from './plugin-metrics.ts'
import type { Props } from './props.ts'
import type { SourceOffset, SourcePartition, SourceRecord } from './record.ts'

/** The position at which the broker stored a record. `offset` is -1 with `acks=0`. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
}

/** The services of the runtime for a source task. Set before `start`. */
export interface SourceTaskContext {
  /** The task's configuration as text, with config providers resolved. */
  readonly configs: Props
  /** Reads the source offsets that are committed. */
  readonly offsets: OffsetReader
  /** The version of the plugin. */
  readonly version: string
  readonly logger: Logger
  /**
   * Aborts when the task is asked to stop. `poll` must then return at once, with null or with the
   * records that it has.
   */
  readonly signal: AbortSignal
  /** The connector's name and the task's number. */
  readonly connector: string
  readonly taskId: number
  /**
   * Shows a message in the task's status while the task itself waits and retries in `poll`.
   * `retryAt` is the time of the next attempt in milliseconds since 1970. Null removes the message.
   * Not every runtime can show it.
   */
  waits?(message: string | null, retryAt?: number): void
  /** Returns the metrics that the task defines. Absent in runtimes that do not export them. */
  pluginMetrics?(): PluginMetrics
}

/**
 * Reads one share of a source. The runtime constructs the class without arguments and sets
 * `context` before `start`. `SourceTask<typeof config>` gives `start` the types of the settings.
 */
export abstract class SourceTask<C extends ConfigDef = ConfigDef> {
  declare context: SourceTaskContext
  /**
   * The keys of the task's configuration. Default: those of the connector. Declare them if
   * `taskConfigs` returns keys that the connector does not have, or leaves out keys that the
   * connector requires.
   */
  declare readonly config?: C

  /**
   * Called once, before the first `poll`. `settings` are the parsed values of the task's
   * configuration.
   */
  abstract start(settings: ConfigValues<C>): Promise<void> | void

  /**
   * Returns the next batch, in order; null or an empty batch if there is nothing yet. Wait for data
   * here rather than return at once, and stop waiting when `context.signal` aborts. The runtime
   * does not call `poll` again before it has room for more: this is the back-pressure. The runtime
   * retries after an error with `retriable: true`, with a back-off. Any other error fails the task.
   */
  abstract poll(): Promise<readonly SourceRecord[] | null>

  /**
   * Called when records of an earlier `poll` are done, in order within each source partition. A
   * record is done when the broker has acknowledged it (`metadata[i]` is set), or when a
   * transformation or the error tolerance has dropped it (`metadata[i]` is null). Called for
   * batches of records. Must not throw.
   */
  commitRecords?(records: readonly SourceRecord[], metadata: readonly (RecordMetadata | null)[]): void

  /**
   * Called after source offsets are committed. Everything before them is stored in the log, so the
   * source may release it. For example, Postgres confirms the position of a replication slot here.
   */
  commit?(offsets: ReadonlyArray<readonly [SourcePartition, SourceOffset]>): Promise<void> | void

  /**
   * Returns how far the task is behind its source, for the metrics `millrace_connector_lag_*`. Null
   * if it is unknown. Called every two seconds; must return at once.
   */
  lag?(): SourceLag | null

  /** Releases everything. Called once, also after a failed `start`. No `poll` is running then. */
  stop(): Promise<void> | void {}
}
