import type { Logger } from '../common/log.ts'
import type { OffsetReader } from './offset-reader.ts'
import type { PluginMetrics, SourceLag } from './plugin-metrics.ts'
import type { Props } from './props.ts'
import type { SourceOffset, SourcePartition, SourceRecord } from './record.ts'

/** Where the broker put a record. `offset` is -1 where it is not known (acks=0). */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
}

export interface SourceTaskContext {
  /** The task's configuration, config providers resolved. */
  readonly configs: Props
  readonly offsets: OffsetReader
  readonly logger: Logger
  /** Aborted when the task is asked to stop: `poll` must return (null or what it has) without delay. */
  readonly signal: AbortSignal
  /** The connector's name and the task's number. */
  readonly connector: string
  readonly taskId: number
  /**
   * Shows in the task's status what it waits for, for a task that tries again by itself inside `poll`, and when it tries
   * next (ms since 1970); null when it goes on. Absent in runtimes that cannot show it.
   */
  waits?(message: string | null, retryAt?: number): void
  /** Metrics of the task's own, exported with the worker's. Absent in runtimes without them. */
  pluginMetrics?(): PluginMetrics
}

/** Reads one share of a source. Constructed without arguments; `context` is set before `start`. */
export abstract class SourceTask {
  declare context: SourceTaskContext
  abstract readonly version: string

  abstract start(props: Props): Promise<void> | void

  /**
   * The next batch, in order; null or empty when there is nothing yet. Waits for data itself (no busy loop), ends when
   * `context.signal` aborts, and is not called again before the runtime has room for more: this is the back-pressure.
   * An error with `retriable: true` is retried with back-off; any other fails the task.
   */
  abstract poll(): Promise<SourceRecord[] | null>

  /**
   * Records of an earlier `poll` are done with, in the order of each partition: acked by the log (`metadata[i]` is set),
   * or dropped by a transformation or by the error tolerance (`metadata[i]` is null). Batched; must not throw.
   */
  commitRecords?(records: readonly SourceRecord[], metadata: readonly (RecordMetadata | null)[]): void

  /**
   * These offsets are now committed: whatever lies before them is safe in the log, and the source may let go of it
   * (a replication slot confirms here).
   */
  commit?(offsets: ReadonlyArray<readonly [SourcePartition, SourceOffset]>): Promise<void> | void

  /**
   * How far the task is behind its source, for the metrics `millrace_connector_lag_*`. Called every
   * few seconds; must return at once. Null when it is unknown at present.
   */
  lag?(): SourceLag | null

  /** Releases everything. Called once, also after a failed `start`; no `poll` is running then. */
  abstract stop(): Promise<void> | void
}
