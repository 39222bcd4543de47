import { defineErrors } from '../../common/errors/error-table.ts'

/** What can go wrong with tasks and their threads. */
export const errors = defineErrors({
  MR_TASK_CONFIGS: {
    message: 'taskConfigs of the connector gave {what} instead of a list of configurations',
    fix: 'This is a bug of the plugin: report it to its author.',
  },
  MR_TASK_THREAD_MEMORY: {
    message: 'the thread {thread} ran out of memory: its limit is {limit} MB of heap',
    fix: 'Lower the batch sizes of its tasks, or raise task.memory.max.mb.',
    retriable: true,
  },
  MR_TASK_EXTERNAL_MEMORY: {
    message: 'the thread {thread} held {held} MB in Buffers, its limit is {limit} MB',
    fix: 'Lower the batch sizes of its tasks, or raise task.memory.max.mb.',
    retriable: true,
  },
  MR_TASK_THREAD_CRASHED: {
    message: 'the thread {thread} died: {cause}',
    fix: 'An error that nobody caught in a plugin ends its thread: see the stack, and report it to the author of the plugin.',
    retriable: true,
  },
  MR_TASK_THREAD_ENDED: {
    message: 'the thread {thread} ended with code {code} though its tasks were running',
    fix: 'A plugin must not call process.exit: report it to its author.',
    retriable: true,
  },
  MR_TASK_HUNG: {
    message: '{unit} did not stop within {ms} ms; its thread was terminated',
    fix: 'A plugin must end poll and put when context.signal aborts: report it to its author. Raise task.shutdown.graceful.timeout.ms if it only needs more time.',
  },
  MR_TASK_NEIGHBOUR: {
    message: 'the thread {thread} was terminated because {unit}, which shared it, hung',
    fix: 'Nothing to do: it can be started again. With task.isolation=task no task shares a thread.',
    retriable: true,
  },
  MR_TASK_REQUEST_TIMEOUT: {
    message: 'the thread {thread} did not answer {request} within {ms} ms',
    fix: 'The plugin is busy or hangs: look at its log lines, then restart the connector.',
    retriable: true,
  },
  MR_TASK_BLOCKED: {
    message:
      'the thread {thread} has not come to rest since {since}: a plugin keeps it busy without a pause, or the machine gives it no time',
    fix: 'A plugin must await instead of blocking: report it to its author. task.blocked.timeout.ms says when the thread is ended.',
    retriable: true,
  },
  MR_TASK_THREAD_GONE: {
    message: 'the thread {thread} ended before it answered {request}: {cause}',
    fix: 'See the cause; restart the connector.',
    retriable: true,
  },
  MR_TASK_RECORD_FAILED: {
    message: '{stage} ({class}) failed on {record}: {cause}',
    fix: 'Correct the record or the configuration. errors.tolerance=all skips such records; errors.deadletterqueue.topic.name keeps them.',
  },
  MR_TASK_NO_TOPIC: {
    message: '{record} came out of the connector and its transformations with the topic {topic}',
    fix: 'A record needs a topic to be written to: check the settings that name it, or report it to the author of the plugin.',
  },
  MR_TASK_PRODUCE_FAILED: {
    message: 'the log did not take {record}: {cause}',
    fix: 'See the cause; producer.override.* changes the limits of the producer (max.request.size for large records).',
  },
  MR_TASK_DLQ: {
    message: 'the dead letter queue {topic} did not take a record: {cause}',
    fix: 'See the cause. The replication factor is errors.deadletterqueue.topic.replication.factor; the task may not go on without its queue.',
    retriable: true,
  },
  MR_TASK_UNKNOWN_UNIT: { message: '{unit} does not run in this thread', fix: 'Start it first.' },
  MR_PLUGIN_LOAD: {
    message: 'cannot load the plugin {plugin} from {module}: {cause}',
    fix: 'Check that its package is installed whole (npm install in its folder) and that its manifest names the right module and export.',
  },
  MR_PLUGIN_EXPORT: {
    message: 'the module {module} of the plugin {plugin} has no class named {export}; it has {found}',
    fix: 'Correct "export" in the package.json of the plugin.',
  },
  MR_PLUGIN_CONSTRUCT: {
    message: 'the plugin {plugin} cannot be constructed: {cause}',
    fix: 'Its constructor takes no arguments and must not fail: report it to its author.',
  },
})
