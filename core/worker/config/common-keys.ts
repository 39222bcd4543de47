import { defineConfig } from '../../common/config/define.ts'
import { listOf, nonEmpty, oneOf, range } from '../../common/config/validators.ts'

/** What every worker is configured with, in both modes. Names and defaults are Connect's unless said otherwise. */
export const commonKeys = defineConfig({
  'bootstrap.servers': {
    type: 'LIST',
    default: ['localhost:9092'],
    importance: 'HIGH',
    documentation: 'host:port of some brokers, separated by commas. The rest of the cluster is found through them.',
  },
  'client.dns.lookup': {
    type: 'STRING',
    default: 'use_all_dns_ips',
    importance: 'MEDIUM',
    documentation:
      'How the addresses of a broker are tried: all of them, or those of its canonical names. No effect: all of them are tried.',
    validator: oneOf(['use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only']),
  },
  'key.converter': {
    type: 'CLASS',
    importance: 'HIGH',
    documentation:
      "The converter of record keys, unless a connector names its own. Its settings follow as 'key.converter.*'.",
  },
  'value.converter': {
    type: 'CLASS',
    importance: 'HIGH',
    documentation:
      "The converter of record values, unless a connector names its own. Its settings follow as 'value.converter.*'.",
  },
  'header.converter': {
    type: 'CLASS',
    default: 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
    importance: 'LOW',
    documentation: 'The converter of header values, unless a connector names its own.',
  },
  'key.converter.plugin.version': version('key converter'),
  'value.converter.plugin.version': version('value converter'),
  'header.converter.plugin.version': version('header converter'),
  'task.shutdown.graceful.timeout.ms': {
    type: 'LONG',
    default: 5000,
    importance: 'LOW',
    documentation: 'How long a task has to stop and commit, milliseconds. Its thread is terminated afterwards.',
    validator: range(0),
  },
  'offset.flush.interval.ms': {
    type: 'LONG',
    default: 60000,
    importance: 'LOW',
    documentation: 'How often tasks commit offsets, milliseconds.',
    validator: range(1),
  },
  'offset.flush.timeout.ms': {
    type: 'LONG',
    default: 5000,
    importance: 'LOW',
    documentation: 'Accepted for compatibility: a commit covers what the log has acked, so nothing is waited for.',
    validator: range(0),
  },
  'plugin.path': {
    type: 'LIST',
    default: [],
    importance: 'LOW',
    documentation:
      'Folders with plugins: npm packages with a "millrace" manifest, or folders of such packages, separated by commas.',
  },
  'plugin.discovery': {
    type: 'STRING',
    default: 'hybrid_warn',
    importance: 'LOW',
    documentation: 'Accepted for compatibility: plugins are always found by their manifests, without running them.',
    validator: oneOf(['only_scan', 'hybrid_warn', 'hybrid_fail', 'service_load'], { ignoreCase: true }),
  },
  'config.providers': {
    type: 'LIST',
    default: [],
    importance: 'LOW',
    documentation:
      "Names of config providers; each needs 'config.providers.<name>.class' and may take 'config.providers.<name>.param.*'.",
  },
  'connector.client.config.override.policy': {
    type: 'STRING',
    default: 'All',
    importance: 'LOW',
    documentation:
      'Which client settings connectors may override: All, None, Principal (only the credentials), Allowlist.',
  },
  'connector.client.config.override.allowlist': {
    type: 'LIST',
    default: [],
    importance: 'LOW',
    documentation: 'The client settings that the policy Allowlist lets connectors override.',
  },
  'metrics.sample.window.ms': {
    type: 'LONG',
    default: 30000,
    importance: 'LOW',
    documentation: 'The window of a metrics sample, milliseconds. No effect yet.',
    validator: range(0),
  },
  'metrics.num.samples': {
    type: 'INT',
    default: 2,
    importance: 'LOW',
    documentation: 'How many samples a metric keeps. No effect yet.',
    validator: range(1),
  },
  'metrics.recording.level': {
    type: 'STRING',
    default: 'INFO',
    importance: 'LOW',
    documentation: 'The highest level of metrics that are recorded. No effect yet.',
    validator: oneOf(['INFO', 'DEBUG', 'TRACE']),
  },
  'metric.reporters': {
    type: 'LIST',
    default: [],
    importance: 'LOW',
    documentation: 'Accepted for compatibility: Java classes cannot be loaded.',
  },
  'topic.tracking.enable': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation: 'Whether the topics that a connector uses are recorded in the status topic.',
  },
  'topic.tracking.allow.reset': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation: 'Whether the recorded topics of a connector can be reset over REST.',
  },
  'topic.creation.enable': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation: "Whether source connectors create their topics by 'topic.creation.*'.",
  },
  'task.isolation': {
    type: 'STRING',
    default: 'task',
    importance: 'MEDIUM',
    documentation:
      'Which tasks share a thread: task (none), connector (all of one connector), worker (all). Threads cost 10 to 60 MB each. Not in Connect.',
    validator: oneOf(['task', 'connector', 'worker']),
  },
  'task.memory.max.mb': {
    type: 'INT',
    default: 256,
    importance: 'MEDIUM',
    documentation:
      'The JavaScript heap of a thread that runs tasks, MB; twice as much is allowed for buffers. Not in Connect.',
    validator: range(16),
  },
  'task.blocked.timeout.ms': {
    type: 'LONG',
    default: 300000,
    importance: 'LOW',
    documentation:
      "How long a plugin may keep its thread busy without a pause, milliseconds; then the thread is ended, and its tasks are FAILED and restarted by their policy. A sink's max.poll.interval.ms counts where it is longer. 0: for ever. Not in Connect.",
    validator: range(0),
  },
  'plugin.inspection.timeout.ms': {
    type: 'LONG',
    default: 30000,
    importance: 'LOW',
    documentation: 'How long a plugin may take to validate a configuration, milliseconds. Not in Connect.',
    validator: range(1),
  },
})

function version(of: string) {
  return {
    type: 'STRING',
    default: null,
    importance: 'LOW',
    documentation: `The version of the ${of}, or a range of versions. Default: the latest.`,
  } as const
}

/** REST. */
export const restKeys = defineConfig({
  listeners: {
    type: 'LIST',
    default: ['http://127.0.0.1:8083'],
    importance: 'LOW',
    documentation:
      'Addresses of the REST API. An empty host means all interfaces, port 0 any free port. Connect listens on all interfaces by default; Millrace on the loopback.',
  },
  'rest.advertised.host.name': {
    type: 'STRING',
    default: null,
    importance: 'LOW',
    documentation: 'The host under which other workers reach this one.',
  },
  'rest.advertised.port': {
    type: 'INT',
    default: null,
    importance: 'LOW',
    documentation: 'The port under which other workers reach this one.',
  },
  'rest.advertised.listener': {
    type: 'STRING',
    default: null,
    importance: 'LOW',
    documentation:
      'The scheme under which other workers reach this one: http or https. No effect yet: every worker is alone.',
    validator: oneOf(['http', 'https'], { ignoreCase: true }),
  },
  'access.control.allow.origin': {
    type: 'STRING',
    default: '',
    importance: 'LOW',
    documentation: 'The value of Access-Control-Allow-Origin for cross-origin requests; empty: they are not allowed.',
  },
  'access.control.allow.methods': {
    type: 'STRING',
    default: '',
    importance: 'LOW',
    documentation: 'The methods allowed for cross-origin requests; empty: GET, POST and HEAD.',
  },
  'admin.listeners': {
    type: 'LIST',
    default: null,
    importance: 'LOW',
    documentation:
      'Addresses of the admin endpoints (/admin/loggers). Default: those of "listeners". Empty: the admin endpoints are off.',
  },
  'rest.extension.classes': {
    type: 'LIST',
    default: [],
    importance: 'LOW',
    documentation: 'Accepted for compatibility: Java classes cannot be loaded.',
    validator: listOf([]),
  },
  'response.http.headers.config': {
    type: 'STRING',
    default: '',
    importance: 'LOW',
    documentation:
      "Headers of every answer: 'set X-Frame-Options: DENY, add Cache-Control: no-cache'. Actions: set, add, setDate, addDate.",
  },
  'rest.secrets.mask': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation:
      'Whether settings of type PASSWORD show as [hidden] in REST answers; sent back so, they keep their value. Not in Connect, which shows them.',
  },
  'rest.request.max.bytes': {
    type: 'INT',
    default: 1048576,
    importance: 'LOW',
    documentation: 'The longest request body that is read, bytes. Not in Connect.',
    validator: range(1024),
  },
})

export const standaloneKeys = defineConfig({
  'offset.storage.file.filename': {
    type: 'STRING',
    importance: 'HIGH',
    documentation: "The file with the source offsets, in Connect's format.",
    validator: nonEmpty,
  },
})
