import { defineErrors } from '../common/errors/error-table.ts'

/** The errors that occur when the worker starts, or when its topics and stores are used. */
export const errors = defineErrors({
  MR_WORKER_TOPIC_NOT_COMPACTED: {
    message:
      "the topic {topic}, named by {key}, has cleanup.policy={policy}, so the broker would delete this worker's state",
    fix: 'Set cleanup.policy=compact on the topic, or name another topic.',
  },
  MR_WORKER_TOPIC_PARTITIONS: {
    message:
      'the topic {topic}, named by {key}, has {found} partitions; it must have exactly 1, to keep its records in order',
    fix: 'Name another topic, or delete this one if nothing uses it.',
  },
  MR_WORKER_TOPIC_CREATE: {
    message: 'cannot create the topic {topic} with replication factor {factor}: {cause}',
    fix: 'If there are fewer brokers than replicas, set {key} to the number of brokers, or to -1 for the default of the broker.',
  },
  MR_WORKER_STORE_CLOSED: {
    message: 'the store of the topic {topic} is closed: {cause}',
    fix: 'The worker is stopping, or it could not read this topic. If the worker is not stopping, find the cause in its earlier log lines, then restart it.',
    retriable: true,
  },
  MR_WORKER_STORE_WRITE: {
    message: 'cannot write to the topic {topic}: {cause}',
    fix: 'Check that the brokers can be reached and that the topic accepts writes, then try again.',
    retriable: true,
  },
  MR_WORKER_OFFSETS_FILE: {
    message: 'the offsets file {path} cannot be read: {cause}',
    fix: 'Restore the file from a backup. If you move the file away instead, every source is read from the beginning.',
  },
  MR_WORKER_OFFSETS_FILE_WRITE: {
    message: 'the offsets file {path} cannot be written: {cause}',
    fix: 'Check that its folder exists and is writable, and that the disk has free space. Until the file can be written, offsets are not committed.',
    retriable: true,
  },
  MR_WORKER_LISTEN: {
    message: 'cannot listen on {address}: {cause}',
    fix: 'Choose another address in "listeners", or stop the program that uses this address.',
  },
  MR_WORKER_CONNECTOR_FILE: {
    message: 'the connector file {path} cannot be used: {cause}',
    fix: 'The file must be a .properties file, or contain a JSON object with "name" and "config".',
  },
  MR_WORKER_BROKERS_AWAY: {
    message: 'no broker can be reached: {servers}',
    fix: 'Start the brokers, or correct bootstrap.servers. The worker keeps retrying.',
    retriable: true,
  },
  MR_WORKER_STARTING: {
    message: 'the worker is still starting: {reason}',
    fix: 'Try again shortly. GET /health shows when the worker is ready.',
    retriable: true,
  },
  MR_WORKER_ABORTED: {
    message: 'the worker was stopped before it was ready',
    fix: 'No action is needed, because the stop was requested.',
  },
})

/** The errors that occur when plugins are found and loaded. */
export const pluginErrors = defineErrors({
  MR_PLUGIN_UNKNOWN: {
    message: 'no {type} is named {name}; available: {available}',
    fix: 'Check the spelling, or add the folder of the package with this plugin to plugin.path.',
  },
  MR_PLUGIN_AMBIGUOUS: {
    message: '{name} matches several plugins: {candidates}',
    fix: 'Use the full class name.',
  },
  MR_PLUGIN_TYPE: {
    message: '{name} is a {found}, not a {type}',
    fix: 'Use the name of a plugin of the type that the key needs.',
  },
  MR_PLUGIN_VERSION: {
    // This message is Connect's.
    message: 'plugin {name} not found that matches the version range {range}, available versions: [{available}]',
    fix: 'Correct the range, or install a version in that range into plugin.path.',
  },
  MR_PLUGIN_RANGE: {
    message: '{range} is not a version or a version range',
    fix: 'Write 1.2.3 for one version, or a range such as [1.0,2.0).',
  },
  MR_PLUGIN_MANIFEST: {
    message: 'the package {path} has an invalid "millrace" manifest: {cause}',
    fix: 'Correct its package.json. The other packages are not affected.',
  },
  MR_PLUGIN_PATH: {
    message: 'the folder {path} of plugin.path cannot be read: {cause}',
    fix: 'Correct plugin.path or the permissions of the folder.',
  },
  MR_PLUGIN_TIMEOUT: {
    message: 'the plugin {name} did not answer {request} within {ms} ms',
    fix: 'The plugin hangs, or a system that it connects to does not respond. Check the addresses in its configuration.',
    retriable: true,
  },
})
