import { SINK_STAGES, SOURCE_STAGES, type TaskValues } from '../../metrics/task-metrics.ts'
import type { LagSample, TaskSnapshot } from '../host/messages-out.ts'
import { PluginMetricsRegistry } from './plugin-metrics.ts'
import { StageClock } from './stage-clock.ts'
import { DEFAULT_WINDOW, Windowed, type WindowOptions } from './windowed.ts'

/** Returns the parts of a snapshot that the task's clients and plugin provide. */
export type SnapshotExtras = () => Partial<Pick<TaskSnapshot, 'lag' | 'clients' | 'activeSince'>>

/**
 * The counters of a task. The task sets the fields directly, and reads the clock only once per
 * batch. A timer calls `snapshot` to read the values.
 */
export class MetricsRecorder {
  /** Source: the records that `poll` has returned. Sink: the records that were consumed. */
  recordsRead = 0
  /**
   * Source: the records that the brokers have acknowledged. Sink: the records that `put` has
   * accepted.
   */
  recordsWritten = 0
  recordsFiltered = 0
  recordsSkipped = 0
  recordErrors = 0
  recordFailures = 0
  errorsLogged = 0
  lastErrorAt = 0
  retries = 0
  deadLetterRequests = 0
  deadLetterFailures = 0
  /**
   * Source: the records that are polled but not acknowledged. Sink: those that are consumed but not
   * committed.
   */
  recordsActive = 0
  offsetCommitsStarted = 0
  offsetCommits = 0
  offsetCommitFailures = 0
  lastCommitAt = 0
  partitions = 0
  readonly stages: StageClock
  readonly plugin = new PluginMetricsRegistry()
  extras: SnapshotExtras = () => ({})
  readonly #type: 'source' | 'sink'
  readonly #startedAt = performance.now()
  /** The lag at the time of the failure; null if the task has not failed. */
  #lastLag: LagSample | null = null
  #pausedAt: number | null = null
  #pausedMs = 0
  readonly #batchSizes: Windowed
  readonly #batchTimes: Windowed
  readonly #commitTimes: Windowed
  readonly #commitRate: Windowed
  readonly #reads: Windowed
  readonly #writes: Windowed
  #ratedWrites = 0
  #ratedReads = 0
  #ratedCommits = 0

  constructor(type: 'source' | 'sink' = 'source', window: WindowOptions = DEFAULT_WINDOW) {
    this.#type = type
    this.stages = new StageClock(type === 'source' ? SOURCE_STAGES : SINK_STAGES)
    const windowed = () => new Windowed(window)
    this.#batchSizes = windowed()
    this.#batchTimes = windowed()
    this.#commitTimes = windowed()
    this.#commitRate = windowed()
    this.#reads = windowed()
    this.#writes = windowed()
  }

  /**
   * Counts a `poll` that returned records, or a `put`. `startedAt` is the value of
   * performance.now() at the start of the call.
   */
  batch(records: number, startedAt: number): void {
    const now = performance.now()
    this.#batchSizes.record(records, now)
    this.#batchTimes.record(now - startedAt, now)
  }

  commitStarted(): number {
    this.offsetCommitsStarted++
    return performance.now()
  }

  /** Counts a successful commit. `startedAt` is the value that `commitStarted` returned. */
  commitSucceeded(startedAt: number): void {
    const now = performance.now()
    this.offsetCommits++
    this.lastCommitAt = Date.now()
    this.#commitTimes.record(now - startedAt, now)
  }

  /**
   * Reads the lag for the last time. Must be called after the task has failed and before it is
   * stopped, because a stopped task cannot report its lag.
   */
  failed(): void {
    this.#lastLag ??= this.#readExtras().lag ?? null
  }

  set paused(paused: boolean) {
    const now = performance.now()
    if (this.#pausedAt !== null) this.#pausedMs += now - this.#pausedAt
    this.#pausedAt = paused ? now : null
  }

  /** Returns the current values in a form that can be sent to another thread. */
  snapshot(): TaskSnapshot {
    const now = performance.now()
    this.#rate(now)
    const { lag, clients = [], activeSince = null } = this.#readExtras()
    return {
      values: { ...this.#common(now), ...(this.#type === 'source' ? this.#source(now) : this.#sink(now)) },
      stages: this.stages.seconds(),
      activeSince,
      lag: lag ?? this.#lastLag,
      clients,
      plugin: this.plugin.read(),
    }
  }

  // Reads the extras. A plugin's error must not end the thread, because a timer calls this method.
  #readExtras(): ReturnType<SnapshotExtras> {
    try {
      return this.extras()
    } catch {
      return {}
    }
  }

  #rate(now: number): void {
    this.#reads.record(this.recordsRead - this.#ratedReads, now)
    this.#writes.record(this.recordsWritten - this.#ratedWrites, now)
    this.#commitRate.record(this.offsetCommits - this.#ratedCommits, now)
    this.#ratedReads = this.recordsRead
    this.#ratedWrites = this.recordsWritten
    this.#ratedCommits = this.offsetCommits
  }

  #common(now: number): TaskValues {
    const lifetime = Math.max(now - this.#startedAt, 1)
    const paused = (this.#pausedMs + (this.#pausedAt === null ? 0 : now - this.#pausedAt)) / lifetime
    return {
      kafka_connect_connector_task_running_ratio: 1 - paused,
      kafka_connect_connector_task_pause_ratio: paused,
      kafka_connect_connector_task_batch_size_avg: this.#batchSizes.average(now),
      kafka_connect_connector_task_batch_size_max: this.#batchSizes.maximum(now),
      kafka_connect_connector_task_offset_commit_avg_time_ms: this.#commitTimes.average(now),
      kafka_connect_connector_task_offset_commit_max_time_ms: this.#commitTimes.maximum(now),
      kafka_connect_task_error_total_record_failures: this.recordFailures,
      kafka_connect_task_error_total_record_errors: this.recordErrors,
      kafka_connect_task_error_total_records_skipped: this.recordsSkipped,
      kafka_connect_task_error_total_retries: this.retries,
      kafka_connect_task_error_total_errors_logged: this.errorsLogged,
      kafka_connect_task_error_deadletterqueue_produce_requests: this.deadLetterRequests,
      kafka_connect_task_error_deadletterqueue_produce_failures: this.deadLetterFailures,
      kafka_connect_task_error_last_error_timestamp: this.lastErrorAt,
      millrace_connect_task_records_filtered_total: this.recordsFiltered,
      millrace_connect_task_offset_commit_failures_total: this.offsetCommitFailures,
      millrace_connect_task_last_commit_timestamp_seconds: this.lastCommitAt / 1000,
    }
  }

  #source(now: number): TaskValues {
    return {
      kafka_connect_source_task_source_record_poll_total: this.recordsRead,
      kafka_connect_source_task_source_record_poll_rate: this.#reads.rate(now),
      kafka_connect_source_task_source_record_write_total: this.recordsWritten,
      kafka_connect_source_task_source_record_write_rate: this.#writes.rate(now),
      kafka_connect_source_task_source_record_active_count: this.recordsActive,
      kafka_connect_source_task_poll_batch_avg_time_ms: this.#batchTimes.average(now),
      kafka_connect_source_task_poll_batch_max_time_ms: this.#batchTimes.maximum(now),
    }
  }

  #sink(now: number): TaskValues {
    return {
      kafka_connect_sink_task_sink_record_read_total: this.recordsRead,
      kafka_connect_sink_task_sink_record_read_rate: this.#reads.rate(now),
      kafka_connect_sink_task_sink_record_send_total: this.recordsWritten,
      kafka_connect_sink_task_sink_record_send_rate: this.#writes.rate(now),
      kafka_connect_sink_task_sink_record_active_count: this.recordsActive,
      kafka_connect_sink_task_partition_count: this.partitions,
      kafka_connect_sink_task_offset_commit_seq_no: this.offsetCommitsStarted,
      kafka_connect_sink_task_offset_commit_completion_total: this.offsetCommits,
      kafka_connect_sink_task_offset_commit_completion_rate: this.#commitRate.rate(now),
      kafka_connect_sink_task_put_batch_avg_time_ms: this.#batchTimes.average(now),
      kafka_connect_sink_task_put_batch_max_time_ms: this.#batchTimes.maximum(now),
    }
  }
}
