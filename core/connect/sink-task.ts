import type { ConfigDef, ConfigValues } from '../common/config/define.ts'
import type { Logger } from '../common/log.ts'
import type { PluginMetrics } from './plugin-metrics.ts'
import type { Props } from './props.ts'
import type { SinkRecord, TopicPartition, TopicPartitionOffset } from './record.ts'

/** Takes records that the sink cannot write (KIP-610). */
export interface ErrantRecordReporter {
  /**
   * Resolves when the record is in the dead letter queue or in the log. Rejects if the task must
   * fail.
   */
  report(record: SinkRecord, error: Error): Promise<void>
}

/** The services of the runtime for a sink task. Set before `start`. */
export interface SinkTaskContext {
  /** The task's configuration as text, with config providers resolved. */
  readonly configs: Props
  /** The version of the plugin. */
  readonly version: string
  readonly logger: Logger
  /**
   * Aborts when the task is asked to stop. `put` must then end at once, with an error if it did not
   * take the batch.
   */
  readonly signal: AbortSignal
  /** The connector's name and the task's number. */
  readonly connector: string
  readonly taskId: number
  /** Returns the partitions that are assigned at present. */
  assignment(): readonly TopicPartition[]
  /** Continues to consume from these offsets, whatever was committed. */
  seek(offsets: readonly TopicPartitionOffset[]): void
  /**
   * Sets the wait before the runtime repeats a batch after a retriable error of `put`, in
   * milliseconds.
   */
  timeout(ms: number): void
  /** Stops consuming from partitions until `resume`. */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Asks the runtime to commit offsets soon rather than at the next interval. */
  requestCommit(): void
  /** Null unless `errors.tolerance=all` or a dead letter queue is configured. */
  readonly errantRecordReporter: ErrantRecordReporter | null
  /** Returns the metrics that the task defines. Absent in runtimes that do not export them. */
  pluginMetrics?(): PluginMetrics
}

/**
 * Writes one share of the topics. The runtime constructs the class without arguments and sets
 * `context` before `start`. `SinkTask<typeof config>` gives `start` the types of the settings.
 */
export abstract class SinkTask<C extends ConfigDef = ConfigDef> {
  declare context: SinkTaskContext
  /**
   * The keys of the task's configuration. Default: those of the connector. Declare them if
   * `taskConfigs` returns keys that the connector does not have, or leaves out keys that the
   * connector requires.
   */
  declare readonly config?: C

  /**
   * Called once, before the first `put`. `settings` are the parsed values of the task's
   * configuration.
   */
  abstract start(settings: ConfigValues<C>): Promise<void> | void

  /**
   * Takes a batch. May buffer records; `preCommit` decides which offsets are committed. After an
   * error with `retriable: true` the runtime calls `put` with the same batch again, with a
   * back-off. Any other error fails the task. Also called with an empty batch, at least once a
   * second, so that a task that buffers can flush by time.
   */
  abstract put(records: SinkRecord[]): Promise<void>

  /** Called after partitions were assigned and before the first `put` with records of them. */
  open?(partitions: readonly TopicPartition[]): Promise<void> | void

  /** Called when partitions are revoked, after `preCommit` for them. */
  close?(partitions: readonly TopicPartition[]): Promise<void> | void

  /**
   * Returns the offsets that are safe to commit. `offsets` are the next offsets of the partitions
   * after all records that `put` has taken. A partition that is left out is not committed. The
   * default calls `flush` and returns all. May be called with no offsets.
   */
  async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    await this.flush?.(offsets)
    return offsets
  }

  /** Writes everything that `put` has taken. For tasks that keep the default of `preCommit`. */
  flush?(offsets: readonly TopicPartitionOffset[]): Promise<void>

  /** Releases everything. Called once, also after a failed `start`. No `put` is running then. */
  stop(): Promise<void> | void {}
}
