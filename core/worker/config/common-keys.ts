import { addressList } from '../../client/config/addresses.ts'
import { defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { distinctItems, nonEmpty, oneOf } from '../../common/config/validators.ts'
import { overridePolicy } from './client-overrides.ts'

const version = (of: string) =>
  key.string({
    default: null,
    importance: 'LOW',
    documentation: `The version of the ${of}, or a range of versions such as [1.0,2.0). Default: the latest installed version.`,
  })

const clientKeys = defineConfig({
  'bootstrap.servers': key.list({
    default: ['localhost:9092'],
    validator: addressList,
    importance: 'HIGH',
    documentation:
      'The addresses of some brokers, as host:port. The worker connects to any of them and discovers the other brokers of the cluster.',
  }),
  'client.dns.lookup': key.string({
    default: 'use_all_dns_ips',
    validator: oneOf(['use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only']),
    importance: 'MEDIUM',
    noEffect: 'Node resolves host names and tries all addresses of a broker.',
    documentation: 'How the worker resolves the host names of brokers.',
  }),
  'connector.client.config.override.policy': key.string({
    default: 'All',
    validator: overridePolicy,
    importance: 'MEDIUM',
    documentation:
      'Which settings of clients a connector may override with producer.override., consumer.override. and admin.override. All: all settings. None: no settings. Principal: only credentials. Allowlist: those in connector.client.config.override.allowlist.',
  }),
  'connector.client.config.override.allowlist': key.list({
    default: [],
    importance: 'LOW',
    documentation: 'The settings of clients that connectors may override with the policy Allowlist.',
  }),
})

const converterKeys = defineConfig({
  'key.converter': key.class({
    importance: 'HIGH',
    documentation:
      "The converter, such as JsonConverter or StringConverter, that converts record keys to and from bytes. It is used by connectors that do not set their own. Its settings have the prefix 'key.converter.'.",
  }),
  'value.converter': key.class({
    importance: 'HIGH',
    documentation:
      "The converter, such as JsonConverter or StringConverter, that converts record values to and from bytes. It is used by connectors that do not set their own. Its settings have the prefix 'value.converter.'.",
  }),
  'header.converter': key.class({
    default: 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
    importance: 'LOW',
    documentation:
      'The converter, such as SimpleHeaderConverter, that converts header values to and from bytes. It is used by connectors that do not set their own. The default writes values as text and guesses their types when it reads them.',
  }),
  'key.converter.plugin.version': version('key converter'),
  'value.converter.plugin.version': version('value converter'),
  'header.converter.plugin.version': version('header converter'),
})

const offsetKeys = defineConfig({
  'task.shutdown.graceful.timeout.ms': key.long({
    default: 5000,
    min: 0,
    importance: 'LOW',
    documentation:
      'The maximum time that a task may take to stop and to commit its offsets, in milliseconds. After that its thread is terminated, and records since the last commit are processed again.',
  }),
  'offset.flush.interval.ms': key.long({
    default: 60000,
    min: 1,
    importance: 'LOW',
    documentation:
      'The interval at which tasks commit offsets, in milliseconds. A shorter interval means fewer duplicates after a crash.',
  }),
  'offset.flush.timeout.ms': key.long({
    default: 5000,
    min: 0,
    importance: 'LOW',
    noEffect: 'A commit covers the records that are acknowledged, and does not wait for others.',
    documentation: 'How long a commit waits for records to be acknowledged, in milliseconds.',
  }),
})

const pluginKeys = defineConfig({
  'plugin.path': key.list({
    default: [],
    importance: 'LOW',
    documentation:
      'The folders with plugins, separated by commas. A folder is an npm package with a "millrace" manifest, or contains such packages.',
  }),
  'plugin.discovery': key.string({
    default: 'hybrid_warn',
    validator: oneOf(['only_scan', 'service_load', 'hybrid_warn', 'hybrid_fail'], { ignoreCase: true }),
    importance: 'LOW',
    noEffect: 'Plugins are found by their manifests.',
    documentation: 'How Java plugins are found.',
  }),
  'config.providers': key.list({
    default: [],
    validator: distinctItems({ allowEmpty: true }),
    importance: 'LOW',
    documentation:
      "The names of config providers, which replace references such as ${file:/path:key} in configurations. Each needs 'config.providers.NAME.class' and may have 'config.providers.NAME.param.*'.",
  }),
  'plugin.inspection.timeout.ms': key.long({
    default: 30000,
    min: 1,
    importance: 'LOW',
    documentation:
      'The maximum time that a plugin may take to validate a configuration, in milliseconds. Millrace only.',
  }),
})

const metricsKeys = defineConfig({
  'metrics.sample.window.ms': key.long({
    default: 30000,
    min: 0,
    importance: 'LOW',
    documentation:
      'The length of one metrics sample, in milliseconds. The averages, maxima and rates in /metrics are computed from the last metrics.num.samples samples.',
  }),
  'metrics.num.samples': key.int({
    default: 2,
    min: 1,
    importance: 'LOW',
    documentation: 'The number of samples from which averages, maxima and rates are computed.',
  }),
  'metrics.recording.level': key.string({
    default: 'INFO',
    validator: oneOf(['INFO', 'DEBUG']),
    importance: 'LOW',
    noEffect: 'All metrics are recorded.',
    documentation: 'The most detailed level of metrics to record.',
  }),
  'metric.reporters': key.list({
    default: 'org.apache.kafka.common.metrics.JmxReporter',
    validator: distinctItems({ allowEmpty: true }),
    importance: 'LOW',
    noEffect: 'Java classes cannot be loaded.',
    documentation: 'Java classes that receive the metrics of the worker.',
  }),
})

const topicKeys = defineConfig({
  'topic.tracking.enable': key.boolean({
    default: true,
    importance: 'LOW',
    documentation:
      'Whether the worker records which topics each connector uses. REST returns them at /connectors/NAME/topics.',
  }),
  'topic.tracking.allow.reset': key.boolean({
    default: true,
    importance: 'LOW',
    documentation: 'Whether REST can reset the recorded topics of a connector.',
  }),
  'topic.creation.enable': key.boolean({
    default: true,
    importance: 'LOW',
    documentation: "Whether source connectors create topics according to their 'topic.creation.*' settings.",
  }),
})

const taskKeys = defineConfig({
  'task.isolation': key.string({
    default: 'task',
    validator: oneOf(['task', 'connector', 'worker']),
    importance: 'MEDIUM',
    documentation:
      'Which tasks share a thread. task: each task has its own thread. connector: all tasks of a connector share one thread. worker: all tasks of the worker share one thread. Each thread uses 10 to 60 MB of memory, but isolates its tasks from those in other threads. Millrace only.',
  }),
  'task.memory.max.mb': key.int({
    default: 256,
    min: 16,
    importance: 'MEDIUM',
    documentation:
      'The maximum size of the JavaScript heap of a task thread, in megabytes. In addition to the heap, Buffers may use up to twice this size. Tasks that exceed one of these limits fail. Millrace only.',
  }),
  'task.blocked.timeout.ms': key.long({
    default: 300000,
    min: 0,
    importance: 'LOW',
    documentation:
      'The longest time that a plugin may block its thread, in milliseconds. After that the thread is terminated. Its tasks are then FAILED, and restart according to errors.restart.policy. If max.poll.interval.ms of a sink is longer, that interval applies instead. 0 means no limit. Millrace only.',
  }),
})

/**
 * The keys of every worker, in both modes. Names and defaults are Connect's unless the
 * documentation of a key says otherwise.
 */
export const commonKeys = defineConfig({
  ...clientKeys,
  ...converterKeys,
  ...offsetKeys,
  ...pluginKeys,
  ...metricsKeys,
  ...topicKeys,
  ...taskKeys,
})

/** The keys of a standalone worker. */
export const standaloneKeys = defineConfig({
  'offset.storage.file.filename': key.string({
    validator: nonEmpty,
    importance: 'HIGH',
    documentation:
      "The file in which the worker stores the offsets of source connectors, in Connect's format. Keep it across restarts.",
  }),
})
