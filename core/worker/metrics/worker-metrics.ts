import { defineMetrics } from '../../common/metrics/metric.ts'

const TASK = ['connector', 'task']
const CONNECTOR = ['connector']
const CLIENT = ['clientid']
const THREAD = ['thread']

/**
 * The metrics of a worker, except those of its tasks. They are Connect's groups connector,
 * connect-worker and connect-coordinator, the metrics of the tasks' Kafka clients, and the metrics
 * that only Millrace has.
 */
export const WORKER_METRICS = defineMetrics({
  kafka_connect_connector_connector_class: ['gauge', 'The class of a connector.', ['connector', 'connector_class']],
  kafka_connect_connector_connector_type: [
    'gauge',
    'The type of a connector: source or sink.',
    ['connector', 'connector_type'],
  ],
  kafka_connect_connector_connector_version: [
    'gauge',
    'The version of a connector.',
    ['connector', 'connector_version'],
  ],
  kafka_connect_connector_status: [
    'gauge',
    'The state of a connector: running, paused, stopped, failed, unassigned or restarting.',
    ['connector', 'status'],
  ],
  kafka_connect_connector_task_status: [
    'gauge',
    'The state of a task: running, paused, failed, unassigned or restarting.',
    ['connector', 'task', 'status'],
  ],
  kafka_connect_worker_connector_count: ['gauge', 'Connectors of this worker.'],
  kafka_connect_worker_task_count: ['gauge', 'Tasks of this worker.'],
  kafka_connect_worker_connector_startup_attempts_total: ['counter', 'Starts of connectors.'],
  kafka_connect_worker_connector_startup_success_total: ['counter', 'Starts of connectors that succeeded.'],
  kafka_connect_worker_connector_startup_failure_total: ['counter', 'Starts of connectors that failed.'],
  kafka_connect_worker_connector_startup_success_percentage: [
    'gauge',
    'The fraction of finished starts of connectors that succeeded.',
  ],
  kafka_connect_worker_connector_startup_failure_percentage: [
    'gauge',
    'The fraction of finished starts of connectors that failed.',
  ],
  kafka_connect_worker_task_startup_attempts_total: ['counter', 'Starts of tasks.'],
  kafka_connect_worker_task_startup_success_total: ['counter', 'Starts of tasks that succeeded.'],
  kafka_connect_worker_task_startup_failure_total: ['counter', 'Starts of tasks that failed.'],
  kafka_connect_worker_task_startup_success_percentage: [
    'gauge',
    'The fraction of finished starts of tasks that succeeded.',
  ],
  kafka_connect_worker_task_startup_failure_percentage: [
    'gauge',
    'The fraction of finished starts of tasks that failed.',
  ],
  kafka_connect_worker_connector_total_task_count: ['gauge', 'Tasks of a connector.', CONNECTOR],
  kafka_connect_worker_connector_running_task_count: ['gauge', 'Tasks of a connector that are RUNNING.', CONNECTOR],
  kafka_connect_worker_connector_paused_task_count: ['gauge', 'Tasks of a connector that are PAUSED.', CONNECTOR],
  kafka_connect_worker_connector_failed_task_count: ['gauge', 'Tasks of a connector that are FAILED.', CONNECTOR],
  kafka_connect_worker_connector_unassigned_task_count: [
    'gauge',
    'Tasks of a connector that are UNASSIGNED.',
    CONNECTOR,
  ],
  kafka_connect_worker_connector_restarting_task_count: [
    'gauge',
    'Tasks of a connector that are RESTARTING.',
    CONNECTOR,
  ],
  kafka_connect_worker_connector_destroyed_task_count: ['gauge', 'Tasks of a connector that are DESTROYED.', CONNECTOR],
  kafka_connect_coordinator_assigned_connectors: ['gauge', 'Connectors that are assigned to this worker.', CLIENT],
  kafka_connect_coordinator_assigned_tasks: ['gauge', 'Tasks that are assigned to this worker.', CLIENT],

  kafka_producer_connection_count: ['gauge', "Open connections of a source task's producer.", CLIENT],
  kafka_producer_connection_creation_total: ['counter', "Connections that a source task's producer opened.", CLIENT],
  kafka_producer_incoming_byte_total: ['counter', "Bytes that a source task's producer received.", CLIENT],
  kafka_producer_outgoing_byte_total: ['counter', "Bytes that a source task's producer sent.", CLIENT],
  kafka_consumer_connection_count: ['gauge', "Open connections of a sink task's consumer.", CLIENT],
  kafka_consumer_connection_creation_total: ['counter', "Connections that a sink task's consumer opened.", CLIENT],
  kafka_consumer_incoming_byte_total: ['counter', "Bytes that a sink task's consumer received.", CLIENT],
  kafka_consumer_outgoing_byte_total: ['counter', "Bytes that a sink task's consumer sent.", CLIENT],
  kafka_consumer_fetch_manager_records_lag: [
    'gauge',
    'Records between the position of a sink task and the end of the partition.',
    ['clientid', 'topic', 'partition'],
  ],
  kafka_consumer_fetch_manager_records_lag_max: [
    'gauge',
    'The largest current records_lag of all partitions of a sink task. In Kafka, the maximum over the last sample windows.',
    CLIENT,
  ],

  millrace_connector_lag_seconds: [
    'gauge',
    'How far a connector is behind: 0 if it has handled everything, otherwise the age of the data that it handled last.',
    ['connector', 'type'],
  ],
  millrace_connector_lag_bytes: ['gauge', 'Bytes that a connector has not handled yet.', ['connector', 'type']],
  millrace_connector_lag_records: [
    'gauge',
    'Records that a sink connector has not handled yet.',
    ['connector', 'type'],
  ],
  millrace_task_stage_seconds_total: [
    'counter',
    'Where a task spends its time. Source: poll, transform, convert, produce. Sink: consume, convert, transform, put, commit.',
    ['connector', 'task', 'stage'],
  ],
  millrace_task_lag_seconds: ['gauge', 'The same as millrace_connector_lag_seconds, for one task.', TASK],
  millrace_task_lag_bytes: ['gauge', 'The same as millrace_connector_lag_bytes, for one task.', TASK],
  millrace_thread_heap_used_bytes: ['gauge', 'The used heap of a task thread.', THREAD],
  millrace_thread_heap_limit_bytes: ['gauge', 'The heap limit of a task thread (task.memory.max.mb).', THREAD],
  millrace_thread_external_memory_bytes: ['gauge', 'Memory of Buffers of a task thread, outside of its heap.', THREAD],
  millrace_thread_event_loop_utilization: [
    'gauge',
    'The fraction of the last five seconds in which the event loop of a task thread was busy.',
    THREAD,
  ],
  millrace_thread_blocked_seconds: [
    'gauge',
    'For how long the event loop of a task thread has been blocked; 0 if it is not blocked.',
    THREAD,
  ],
})
