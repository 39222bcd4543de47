import { defineMetrics } from '../../common/metrics/metric.ts'

/**
 * Connect's metrics of a task (groups connector-task, source-task, sink-task and task-error). The
 * names are those that the JMX exporter's usual rules produce. The task's thread computes the
 * values.
 */
export const TASK_METRICS = defineMetrics(
  {
    kafka_connect_connector_task_running_ratio: [
      'gauge',
      'The fraction of the time since the start of the task in which the task was running.',
    ],
    kafka_connect_connector_task_pause_ratio: [
      'gauge',
      'The fraction of the time since the start of the task in which the task was paused.',
    ],
    kafka_connect_connector_task_batch_size_avg: [
      'gauge',
      'The average number of records in a batch. A batch is what a poll returned, unless it was empty, or what a put received.',
    ],
    kafka_connect_connector_task_batch_size_max: ['gauge', 'The number of records in the largest batch.'],
    kafka_connect_connector_task_offset_commit_avg_time_ms: [
      'gauge',
      'The average time of an offset commit, in milliseconds.',
    ],
    kafka_connect_connector_task_offset_commit_max_time_ms: [
      'gauge',
      'The longest time of an offset commit, in milliseconds.',
    ],
    kafka_connect_source_task_source_record_poll_total: ['counter', 'Records that the source task returned from poll.'],
    kafka_connect_source_task_source_record_poll_rate: ['gauge', 'Records per second that the source task returned.'],
    kafka_connect_source_task_source_record_write_total: [
      'counter',
      'Records that the brokers acknowledged. Records that a transform dropped or that were skipped are not included.',
    ],
    kafka_connect_source_task_source_record_write_rate: ['gauge', 'Records per second that the brokers acknowledged.'],
    kafka_connect_source_task_source_record_active_count: [
      'gauge',
      'Records that the source task returned and that the brokers have not acknowledged yet.',
    ],
    kafka_connect_source_task_poll_batch_avg_time_ms: ['gauge', 'The average time of a poll, in milliseconds.'],
    kafka_connect_source_task_poll_batch_max_time_ms: ['gauge', 'The longest time of a poll, in milliseconds.'],
    kafka_connect_sink_task_sink_record_read_total: ['counter', 'Records that the task consumed, before transforms.'],
    kafka_connect_sink_task_sink_record_read_rate: ['gauge', 'Records per second that the task consumed.'],
    kafka_connect_sink_task_sink_record_send_total: ['counter', 'Records that put accepted.'],
    kafka_connect_sink_task_sink_record_send_rate: ['gauge', 'Records per second that put accepted.'],
    kafka_connect_sink_task_sink_record_active_count: [
      'gauge',
      'Records that the task consumed and whose offsets are not committed yet.',
    ],
    kafka_connect_sink_task_partition_count: ['gauge', 'Partitions that are assigned to the task.'],
    kafka_connect_sink_task_offset_commit_seq_no: [
      'gauge',
      'The sequence number of the last offset commit that was started.',
    ],
    kafka_connect_sink_task_offset_commit_completion_total: ['counter', 'Offset commits that succeeded.'],
    kafka_connect_sink_task_offset_commit_completion_rate: ['gauge', 'Offset commits per second that succeeded.'],
    kafka_connect_sink_task_put_batch_avg_time_ms: ['gauge', 'The average time of a put, in milliseconds.'],
    kafka_connect_sink_task_put_batch_max_time_ms: ['gauge', 'The longest time of a put, in milliseconds.'],
    kafka_connect_task_error_total_record_failures: [
      'gauge',
      'Failed attempts to process a record. An attempt that is retried counts too.',
    ],
    kafka_connect_task_error_total_record_errors: ['gauge', 'Records that could not be processed, after all retries.'],
    kafka_connect_task_error_total_records_skipped: [
      'gauge',
      'Records that were skipped because of errors.tolerance=all.',
    ],
    kafka_connect_task_error_total_retries: ['gauge', 'Retries of polls, puts, transforms and conversions.'],
    kafka_connect_task_error_total_errors_logged: ['gauge', 'Record errors that were logged (errors.log.enable).'],
    kafka_connect_task_error_deadletterqueue_produce_requests: [
      'gauge',
      'Records that were sent to the dead letter queue.',
    ],
    kafka_connect_task_error_deadletterqueue_produce_failures: [
      'gauge',
      'Records that could not be written to the dead letter queue.',
    ],
    kafka_connect_task_error_last_error_timestamp: [
      'gauge',
      'When the task last had a record error, in milliseconds since 1970; 0 if it had none.',
    ],
    millrace_connect_task_records_filtered_total: ['counter', 'Records that a transform dropped.'],
    millrace_connect_task_offset_commit_failures_total: ['counter', 'Offset commits that failed.'],
    millrace_connect_task_last_commit_timestamp_seconds: [
      'gauge',
      'When the task last committed offsets, in seconds since 1970; 0 if it has not.',
    ],
  },
  ['connector', 'task'],
)

export type TaskMetricName = keyof typeof TASK_METRICS
export type TaskValues = Partial<Record<TaskMetricName, number>>

/** The stages of a source task. Its time is measured for each stage. */
export const SOURCE_STAGES = ['poll', 'transform', 'convert', 'produce'] as const
export const SINK_STAGES = ['consume', 'convert', 'transform', 'put', 'commit'] as const
export type Stage = (typeof SOURCE_STAGES)[number] | (typeof SINK_STAGES)[number]
