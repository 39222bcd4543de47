import type { ConfigDef, ConfigValues } from '../common/config/define.ts'
import type { Logger } from '../common/log.ts'
import type { OffsetReader } from './offset-reader.ts'
import type { PluginMetrics, SourceLag } from './plugin-metrics.ts'
import type { Props } from './props.ts'
import type { SourceOffset, SourcePartition, SourceRecord } from './record.ts'

/** The position at which the broker stored a record. With `acks=0`, `offset` is -1. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
}

/** The services that the runtime provides to a source task. They are available from `start` on. */
export interface SourceTaskContext {
  /** The task's configuration as text, with config providers resolved. */
  readonly configs: Props
  /** Reads the committed source offsets. */
  readonly offsets: OffsetReader
  /** The version of the plugin. */
  readonly version: string
  readonly logger: Logger
  /**
   * Aborts when the task must stop. `poll` must then return at once, with null or with the records
   * that it has.
   */
  readonly signal: AbortSignal
  /** The connector's name and the task's number. */
  readonly connector: string
  readonly taskId: number
  /**
   * Shows a message in the task's status while the task itself waits and retries in `poll`.
   * `retryAt` is the time of the next attempt in milliseconds since 1970. Null removes the message.
   * Missing in runtimes that cannot show it.
   */
  waits?(message: string | null, retryAt?: number): void
  /**
   * Returns an object to which the task can add metrics. Missing in runtimes that do not export
   * them.
   */
  pluginMetrics?(): PluginMetrics
}

/**
 * Reads one share of a source. The runtime calls the constructor without arguments and sets
 * `context` before `start`. `SourceTask<typeof config>` gives the parameter of `start` the types of
 * the settings.
 */
export abstract class SourceTask<C extends ConfigDef = ConfigDef> {
  declare context: SourceTaskContext
  /**
   * The keys of the task's configuration. Default: the keys of the connector. Declare them if
   * `taskConfigs` returns keys that the connector does not have, or leaves out keys that the
   * connector requires.
   */
  declare readonly config?: C

  /**
   * Called once, before the first `poll`. `settings` contains the parsed values of the task's
   * configuration.
   */
  abstract start(settings: ConfigValues<C>): Promise<void> | void

  /**
   * Returns the next batch, in order. Returns null or an empty batch if no data is available yet.
   * Wait for data here instead of returning at once, and stop waiting when `context.signal` aborts.
   * For back-pressure, the runtime calls `poll` again only when it can take more records. After an
   * error with `retriable: true`, the runtime retries with a back-off. Any other error fails the
   * task.
   */
  abstract poll(): Promise<readonly SourceRecord[] | null>

  /**
   * Called when records of an earlier `poll` are done, in order within each source partition. A
   * record is done when the broker has acknowledged it (`metadata[i]` is set), or when a
   * transformation or the error tolerance has dropped it (`metadata[i]` is null). One call covers
   * many records. Must not throw.
   */
  commitRecords?(records: readonly SourceRecord[], metadata: readonly (RecordMetadata | null)[]): void

  /**
   * Called after source offsets are committed. All data before these offsets is stored in the log,
   * so the source may release it. For example, Postgres confirms the position of a replication slot
   * here.
   */
  commit?(offsets: ReadonlyArray<readonly [SourcePartition, SourceOffset]>): Promise<void> | void

  /**
   * Returns how far the task is behind its source, for the metrics `millrace_connector_lag_*`.
   * Returns null if this is unknown. Called every two seconds, so it must return at once.
   */
  lag?(): SourceLag | null

  /**
   * Releases all resources. Called once, also after a failed `start`, and never while `poll` is
   * running.
   */
  stop(): Promise<void> | void {}
}
