import type { Logger } from '../common/log.ts'
import type { PluginMetrics } from './plugin-metrics.ts'
import type { Props } from './props.ts'
import type { SinkRecord, TopicPartition, TopicPartitionOffset } from './record.ts'

/** Takes records that the sink could not write (KIP-610). */
export interface ErrantRecordReporter {
  /** Resolves when the record is safe in the dead letter queue (or was logged); rejects when the task must fail. */
  report(record: SinkRecord, error: Error): Promise<void>
}

export interface SinkTaskContext {
  readonly configs: Props
  readonly logger: Logger
  /** Aborted when the task is asked to stop: `put` must end without delay, with an error if the batch was not taken. */
  readonly signal: AbortSignal
  readonly connector: string
  readonly taskId: number
  /** The partitions assigned at present. */
  assignment(): readonly TopicPartition[]
  /** Consumes from these offsets next, whatever was committed. */
  seek(offsets: readonly TopicPartitionOffset[]): void
  /** The wait before the next try of a batch that `put` refused with a retriable error. Milliseconds. */
  timeout(ms: number): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Commits offsets soon, rather than at the next interval. */
  requestCommit(): void
  /** Null unless `errors.tolerance=all` or a dead letter queue is configured. */
  readonly errantRecordReporter: ErrantRecordReporter | null
  /** Metrics of the task's own, exported with the worker's. Absent in runtimes without them. */
  pluginMetrics?(): PluginMetrics
}

/** Writes one share of the topics. Constructed without arguments; `context` is set before `start`. */
export abstract class SinkTask {
  declare context: SinkTaskContext
  abstract readonly version: string

  abstract start(props: Props): Promise<void> | void

  /**
   * Takes a batch. May buffer; what it has buffered is not committed until `preCommit` says so. An error with
   * `retriable: true` means: the same batch again after a back-off. Any other fails the task. Also called with an empty
   * batch, so that a buffering sink can flush by time.
   */
  abstract put(records: SinkRecord[]): Promise<void>

  /** Partitions were assigned; before the first `put` of them. */
  open?(partitions: readonly TopicPartition[]): Promise<void> | void

  /** Partitions go away; after `preCommit` for them. */
  close?(partitions: readonly TopicPartition[]): Promise<void> | void

  /**
   * The offsets that are safe to commit, given those delivered to `put` so far (next offsets, by partition). The
   * default calls `flush` and accepts all. What is left out stays uncommitted. May be called with none.
   */
  async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    await this.flush?.(offsets)
    return offsets
  }

  /** Writes out everything delivered so far, for sinks that keep `preCommit`'s default. */
  flush?(offsets: readonly TopicPartitionOffset[]): Promise<void>

  abstract stop(): Promise<void> | void
}
