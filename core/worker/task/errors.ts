import { defineErrors } from '../../common/errors/error-table.ts'

/** The errors of tasks and of the threads in which they run. */
export const errors = defineErrors({
  MR_TASK_CONFIGS: {
    message: 'taskConfigs() of the connector returned {what} instead of a list of configurations',
    fix: 'This is a bug in the plugin: report it to its author.',
  },
  MR_TASK_BATCH: {
    message: 'poll of the task returned {what} instead of a list of records',
    fix: 'This is a bug in the plugin: report it to its author.',
  },
  MR_TASK_PRE_COMMIT: {
    message: 'preCommit of the task returned {what} instead of a list of offsets',
    fix: 'This is a bug in the plugin: report it to its author.',
  },
  MR_TASK_RECORD: {
    message: '{record} cannot be written: {fault}',
    fix: 'If a setting determines the invalid value, correct the setting. Otherwise this is a bug in the plugin: report it to its author.',
  },
  MR_TASK_RETURNED: {
    message: '{method} of {plugin} returned {what} instead of {expected}',
    fix: 'This is a bug in the plugin: report it to its author.',
  },
  MR_TASK_ARGUMENT: {
    message: '{method} was called with {what} instead of {expected}',
    fix: 'This is a bug in the plugin: report it to its author.',
  },
  MR_TASK_REPORT: {
    message: 'errantRecordReporter.report was called with {what} instead of a record of this task',
    fix: 'Pass a record that put has received, or a copy of it. This is a bug in the plugin: report it to its author.',
  },
  MR_TASK_SOURCE_OFFSET: {
    message: 'poll of the task returned a source offset that cannot be stored: {cause}',
    fix: 'Source partitions and offsets are JSON objects. This is a bug in the plugin: report it to its author.',
  },
  MR_TASK_THREAD_MEMORY: {
    message: 'the thread {thread} ran out of memory: its heap limit is {limit} MB',
    fix: 'Lower the batch sizes of the tasks in this thread, or raise task.memory.max.mb.',
    retriable: true,
  },
  MR_TASK_EXTERNAL_MEMORY: {
    message: 'the thread {thread} used {held} MB of memory for Buffers, but its limit is {limit} MB',
    fix: 'Lower the batch sizes of the tasks in this thread, or raise task.memory.max.mb.',
    retriable: true,
  },
  MR_TASK_THREAD_CRASHED: {
    message: 'the thread {thread} crashed: {cause}',
    fix: 'An uncaught error in a plugin ends its thread. See the stack trace, and report the error to the author of the plugin.',
    retriable: true,
  },
  MR_TASK_THREAD_ENDED: {
    message: 'the thread {thread} exited with code {code} while its tasks were running',
    fix: 'A plugin must not call process.exit(). This is a bug in the plugin: report it to its author.',
    retriable: true,
  },
  MR_TASK_HUNG: {
    message: '{unit} did not stop within {ms} ms; its thread was terminated',
    fix: 'If poll() or put() does not return when context.signal aborts, this is a bug in the plugin: report it to its author. If the plugin only needs more time, raise task.shutdown.graceful.timeout.ms.',
  },
  MR_TASK_NEIGHBOUR: {
    message: 'the thread {thread} was terminated because {unit}, which ran in the same thread, hung',
    fix: 'The task restarts according to errors.restart.policy. To protect it from other tasks, set task.isolation=task, which gives each task its own thread.',
    retriable: true,
  },
  MR_TASK_REQUEST_TIMEOUT: {
    message: 'the thread {thread} did not answer {request} within {ms} ms',
    fix: 'The plugin is busy or hangs. Check its log lines, then restart the connector.',
    retriable: true,
  },
  MR_TASK_BLOCKED: {
    message:
      'the event loop of the thread {thread} has been blocked since {since}: a plugin runs without yielding, or the machine is overloaded',
    fix: 'A plugin must await instead of blocking. If the machine is not overloaded, this is a bug in the plugin: report it to its author. A thread that stays blocked for task.blocked.timeout.ms is terminated.',
    retriable: true,
  },
  MR_TASK_THREAD_GONE: {
    message: 'the thread {thread} ended before it answered {request}: {cause}',
    fix: 'See the cause, then restart the connector.',
    retriable: true,
  },
  MR_TASK_RECORD_FAILED: {
    message: '{stage} ({class}) failed on {record}: {cause}',
    fix: 'Correct the record or the configuration. To skip records that fail, set errors.tolerance=all. To keep the records that a sink skips, also set errors.deadletterqueue.topic.name.',
  },
  MR_TASK_NO_TOPIC: {
    message: '{record} has the invalid topic "{topic}" after all transformations',
    fix: 'Check the settings that name the topic. If they are correct, this is a bug in the plugin: report it to its author.',
  },
  MR_TASK_PRODUCE_FAILED: {
    message: 'cannot write {record} to Kafka: {cause}',
    fix: 'See the cause. Settings under producer.override.* change the limits of the producer, such as max.request.size for large records.',
  },
  MR_TASK_DLQ: {
    message: 'cannot write a record to the dead letter queue {topic}: {cause}',
    fix: 'See the cause. If the topic cannot be created with its replication factor, lower errors.deadletterqueue.topic.replication.factor. The task cannot run without its dead letter queue.',
    retriable: true,
  },
  MR_TASK_METRIC: {
    message: 'the metric {name} cannot be added: {cause}',
    fix: 'This is a bug in the plugin: report it to its author.',
  },
  MR_TASK_UNKNOWN_UNIT: {
    message: '{unit} is not running in this thread',
    fix: 'This is a bug in Millrace: report it.',
  },
  MR_PLUGIN_LOAD: {
    message: 'cannot load the plugin {plugin} from {module}: {cause}',
    fix: 'Check that the package of the plugin is completely installed (npm install in its folder), and that its manifest names the right module and export.',
  },
  MR_PLUGIN_EXPORT: {
    message: 'the module {module} of the plugin {plugin} has no class named {export}; it has {found}',
    fix: 'Correct "export" in the package.json of the plugin.',
  },
  MR_PLUGIN_DECLARATION: {
    message: 'the plugin {plugin} is declared incorrectly: {cause}',
    fix: 'This is a bug in the plugin: report it to its author. docs/writing-a-plugin.md describes the methods and properties of each type of plugin.',
  },
  MR_PLUGIN_CONSTRUCT: {
    message: 'the plugin {plugin} cannot be constructed: {cause}',
    fix: 'The constructor is called without arguments and must not throw. This is a bug in the plugin: report it to its author.',
  },
})
