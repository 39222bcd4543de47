import type { ConfigDef, ConfigValues } from '../common/config/define.ts'
import type { Logger } from '../common/log.ts'
import type { PluginMetrics } from './plugin-metrics.ts'
import type { Props } from './props.ts'
import type { SinkRecord, TopicPartition, TopicPartitionOffset } from './record.ts'

/** Accepts records that the sink cannot write (KIP-610). */
export interface ErrantRecordReporter {
  /**
   * Reports a record. Resolves when the dead letter queue has stored the record, or the error has
   * been logged. Rejects if the task must fail.
   */
  report(record: SinkRecord, error: Error): Promise<void>
}

/** The services that the runtime provides to a sink task. They are available from `start` on. */
export interface SinkTaskContext {
  /** The task's configuration as text, with config providers resolved. */
  readonly configs: Props
  /** The version of the plugin. */
  readonly version: string
  readonly logger: Logger
  /**
   * Aborts when the task must stop. `put` must then end at once. If `put` has not taken the batch,
   * it must throw an error.
   */
  readonly signal: AbortSignal
  /** The connector's name and the task's number. */
  readonly connector: string
  readonly taskId: number
  /** Returns the partitions that are currently assigned to the task. */
  assignment(): readonly TopicPartition[]
  /** Continues to consume from these offsets, regardless of the committed offsets. */
  seek(offsets: readonly TopicPartitionOffset[]): void
  /**
   * Sets how many milliseconds the runtime waits before the next retry of a batch for which `put`
   * throws a retriable error. Later retries use the normal back-off again.
   */
  timeout(ms: number): void
  /** Stops consuming from partitions until `resume`. */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Asks the runtime to commit offsets soon rather than at the next interval. */
  requestCommit(): void
  /**
   * The reporter of records that the sink cannot write. Null unless `errors.tolerance=all` or a
   * dead letter queue is configured.
   */
  readonly errantRecordReporter: ErrantRecordReporter | null
  /**
   * Returns an object to which the task can add metrics. Missing in runtimes that do not export
   * them.
   */
  pluginMetrics?(): PluginMetrics
}

/**
 * Writes one share of the topics. The runtime calls the constructor without arguments and sets
 * `context` before `start`. `SinkTask<typeof config>` gives the parameter of `start` the types of
 * the settings.
 */
export abstract class SinkTask<C extends ConfigDef = ConfigDef> {
  declare context: SinkTaskContext
  /**
   * The keys of the task's configuration. Default: the keys of the connector. Declare them if
   * `taskConfigs` returns keys that the connector does not have, or leaves out keys that the
   * connector requires.
   */
  declare readonly config?: C

  /**
   * Called once, before the first `put`. `settings` contains the parsed values of the task's
   * configuration.
   */
  abstract start(settings: ConfigValues<C>): Promise<void> | void

  /**
   * Takes a batch of records, and writes or buffers them. `preCommit` decides which offsets are
   * committed. After an error with `retriable: true`, the runtime calls `put` with the same batch
   * again, with a back-off. Any other error fails the task. If no records arrive, the runtime calls
   * `put` with an empty batch about once a second, so that a task can flush its buffer by time.
   */
  abstract put(records: SinkRecord[]): Promise<void>

  /** Called after partitions were assigned, and before the first `put` with their records. */
  open?(partitions: readonly TopicPartition[]): Promise<void> | void

  /** Called when partitions are revoked, after `preCommit` was called for these partitions. */
  close?(partitions: readonly TopicPartition[]): Promise<void> | void

  /**
   * Returns the offsets that are safe to commit. For each partition, `offsets` contains the offset
   * after the last record that `put` has taken. A partition that is missing in the result is not
   * committed. The default implementation calls `flush` and returns all offsets. May be called with
   * no offsets.
   */
  async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    await this.flush?.(offsets)
    return offsets
  }

  /**
   * Writes everything that `put` has taken. Implement it if the task keeps the default `preCommit`.
   */
  flush?(offsets: readonly TopicPartitionOffset[]): Promise<void>

  /**
   * Releases all resources. Called once, also after a failed `start`, and never while `put` is
   * running.
   */
  stop(): Promise<void> | void {}
}
