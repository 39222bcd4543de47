import { all, defineConfig, key } from 'millrace/connect'
import { mode, required, topicName, unsupported } from './config-keys.ts'
import { unsupportedConfig } from './config-unsupported.ts'
import { ADJUSTMENT_MODES } from './name-adjuster.ts'

export const BINARY_MODES = ['bytes', 'base64', 'base64-url-safe', 'hex'] as const
export type BinaryMode = (typeof BINARY_MODES)[number]
export const FAILURE_MODES = ['fail', 'warn', 'skip', 'ignore'] as const

const STREAMED = 'Snapshots and changes are streamed, and use a limited amount of memory.'

const topicKeys = defineConfig({
  'topic.prefix': key.string({
    default: null,
    validator: all(required, topicName),
    importance: 'HIGH',
    documentation:
      'A name for this source database. Names of topics and schemas begin with it, and it identifies the stored offsets. It must be unique among connectors. If you change it, the connector starts again with a new snapshot and new topics.',
  }),
  'topic.naming.strategy': key.class({
    default: 'io.debezium.schema.SchemaTopicNamingStrategy',
    importance: 'MEDIUM',
    documentation:
      'How topics are named. SchemaTopicNamingStrategy: PREFIX.SCHEMA.TABLE, with an underscore for each character that a topic name cannot contain. SchemaUnicodeTopicNamingStrategy: the same, with _uXXXX for such characters.',
  }),
  'topic.delimiter': key.string({
    default: '.',
    validator: topicName,
    importance: 'LOW',
    documentation: 'The separator between prefix, schema and table in the name of a topic.',
  }),
  'topic.cache.size': key.int({
    default: 10000,
    min: 0,
    importance: 'LOW',
    noEffect: 'The name of a topic is stored with its table.',
    documentation: 'The maximum number of topic names to keep in memory.',
  }),
  'topic.transaction': key.string({
    default: 'transaction',
    validator: topicName,
    importance: 'LOW',
    documentation:
      'The last part of the name of the topic for transaction metadata, after topic.prefix. Used with provide.transaction.metadata.',
  }),
  'topic.heartbeat.prefix': key.string({
    default: null,
    validator: topicName,
    importance: 'LOW',
    documentation:
      'The first part of the name of the heartbeat topic, before topic.prefix. Default: heartbeat.topics.prefix.',
  }),
  'topic.heartbeat.name': key.string({
    default: null,
    validator: topicName,
    importance: 'LOW',
    documentation:
      'The whole name of the heartbeat topic. Set it if several connectors share one heartbeat topic. Default: a name from topic.heartbeat.prefix and topic.prefix.',
  }),
})

const eventKeys = defineConfig({
  'tombstones.on.delete': key.boolean({
    default: true,
    importance: 'MEDIUM',
    documentation:
      'Whether a delete event is followed by a tombstone: a record with the same key and a null value. Log compaction needs tombstones to remove the key.',
  }),
  'skipped.operations': key.list({
    default: 't',
    validator: {
      describe: 'list of c, u, d, t, none',
      check: v =>
        (v as string[] | null)?.find(o => !/^\s*(c|u|d|t|none)?\s*$/i.test(o)) === undefined
          ? null
          : 'Only c, u, d, t and none are allowed',
    },
    importance: 'LOW',
    documentation:
      'The operations for which the connector sends no events: c (insert), u (update), d (delete), t (truncate). With none, the connector sends events for all operations.',
  }),
  'skip.messages.without.change': key.boolean({
    default: false,
    importance: 'MEDIUM',
    documentation:
      'Whether an update that changes no captured column is skipped. The tables need REPLICA IDENTITY FULL, so that events contain the old row.',
  }),
  'binary.handling.mode': key.string({
    default: 'bytes',
    validator: mode(BINARY_MODES),
    importance: 'LOW',
    documentation:
      'How events represent binary columns. bytes: as bytes. base64, base64-url-safe and hex: as text in that encoding.',
  }),
  'schema.name.adjustment.mode': key.string({
    default: 'none',
    validator: mode(ADJUSTMENT_MODES),
    importance: 'LOW',
    documentation:
      'How the names of schemas are changed for Avro, which allows only letters, digits and underscores. none: not at all. avro: other characters become an underscore. avro_unicode: other characters become _uXXXX.',
  }),
  'field.name.adjustment.mode': key.string({
    default: 'none',
    validator: mode(ADJUSTMENT_MODES),
    importance: 'LOW',
    documentation:
      'How the names of fields are changed for Avro: none, avro or avro_unicode, as in schema.name.adjustment.mode.',
  }),
  'event.converting.failure.handling.mode': key.string({
    default: 'warn',
    validator: mode(FAILURE_MODES),
    importance: 'MEDIUM',
    documentation:
      'What happens to a value that cannot be converted. warn: the field is null, or has the nearest value or a default if its column is NOT NULL, and a warning is logged. skip or ignore: the same without a warning. fail: the task fails.',
  }),
  'event.processing.failure.handling.mode': key.string({
    default: 'fail',
    validator: mode(FAILURE_MODES),
    importance: 'MEDIUM',
    noEffect:
      'An event that cannot be processed fails the task. For values, use event.converting.failure.handling.mode.',
    documentation: 'What happens to an event that cannot be processed.',
  }),
  'provide.transaction.metadata': key.boolean({
    default: false,
    importance: 'LOW',
    documentation:
      'Whether events contain the id of their transaction. A separate topic then also receives a record at the beginning and end of each transaction.',
  }),
  'extended.headers.enabled': key.boolean({
    default: true,
    importance: 'LOW',
    documentation: 'Whether records have the headers __debezium.context.*, which name the connector and the task.',
  }),
})

const queueKeys = defineConfig({
  'max.batch.size': key.int({
    default: 2048,
    min: 1,
    importance: 'MEDIUM',
    documentation: 'The maximum number of events that the task returns at a time. Values above 256 act like 256.',
  }),
  'max.queue.size': key.int({
    default: 8192,
    min: 1,
    importance: 'MEDIUM',
    noEffect: 'max.queue.size.in.bytes limits the memory for changes that are read ahead.',
    documentation: 'The maximum number of events to read ahead. Must be larger than max.batch.size.',
  }),
  'max.queue.size.in.bytes': key.long({
    default: 0,
    min: 0,
    importance: 'MEDIUM',
    documentation: 'The memory for changes that the task reads ahead, in bytes. 0 means 64 KiB.',
  }),
  'poll.interval.ms': key.long({
    default: 500,
    min: 1,
    importance: 'MEDIUM',
    noEffect: 'The task continues as soon as data arrives.',
    documentation: 'The interval at which the connector checks for new events, in milliseconds.',
  }),
  'poll.dispatch.interval.ms': key.long({
    default: 0,
    min: 0,
    importance: 'MEDIUM',
    noEffect: 'The task returns events as soon as they arrive.',
    documentation: 'The shortest time between two batches of events, in milliseconds.',
  }),
  'queue.provider.type': key.string({
    ...unsupported(null, 'There is only one implementation of the queue.'),
    importance: 'LOW',
    documentation: 'The Java class of the queue between reading and sending events.',
  }),
})

const snapshotKeys = defineConfig({
  'snapshot.delay.ms': key.long({
    default: 0,
    min: 0,
    importance: 'LOW',
    documentation: 'The delay before the snapshot starts, in milliseconds.',
  }),
  'streaming.delay.ms': key.long({
    default: 0,
    min: 0,
    importance: 'LOW',
    documentation:
      'The delay between the end of the snapshot and the start of streaming, in milliseconds. The offsets of the snapshot can be committed in this time.',
  }),
  'snapshot.fetch.size': key.int({
    default: null,
    min: 0,
    importance: 'MEDIUM',
    noEffect: STREAMED,
    documentation: 'The number of rows that a snapshot reads at a time.',
  }),
  'query.fetch.size': key.int({
    default: 0,
    min: 0,
    importance: 'MEDIUM',
    noEffect: STREAMED,
    documentation: 'The number of rows that other queries read at a time.',
  }),
  'snapshot.include.collection.list': key.list({
    default: null,
    importance: 'MEDIUM',
    documentation:
      'Regular expressions of the captured tables whose rows the snapshot reads. Default: all captured tables.',
  }),
})

const connectionKeys = defineConfig({
  'heartbeat.interval.ms': key.int({
    default: 0,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'The interval between records in the heartbeat topic, in milliseconds. Heartbeats update the stored offset while the captured tables do not change. 0 means no heartbeats. The replication slot of an idle database advances without them.',
  }),
  'heartbeat.topics.prefix': key.string({
    default: '__debezium-heartbeat',
    validator: topicName,
    importance: 'LOW',
    documentation: 'The older name of topic.heartbeat.prefix.',
  }),
  'heartbeat.action.query': key.string({
    default: null,
    importance: 'LOW',
    documentation: 'An SQL statement that the connector runs in the source database with each heartbeat.',
  }),
  'errors.max.retries': key.int({
    default: -1,
    min: -1,
    importance: 'LOW',
    documentation:
      'The number of times that the task tries to reconnect after it has lost the connection. If no attempt succeeds, the task fails. -1 means no limit. With 0, the task fails without a new attempt.',
  }),
  'retriable.restart.connector.wait.ms': key.long({
    default: 10000,
    min: 1,
    importance: 'LOW',
    documentation:
      'The longest delay between two attempts to reconnect, in milliseconds. The first delay is a tenth of a second. Each further attempt doubles the delay.',
  }),
  'connection.validation.timeout.ms': key.long({
    default: 60000,
    min: 1,
    importance: 'LOW',
    documentation: 'The time to wait for a connection when the configuration is validated, in milliseconds.',
  }),
  'executor.shutdown.timeout.ms': key.long({
    default: 4000,
    min: 0,
    importance: 'MEDIUM',
    noEffect: 'A task stops at once.',
    documentation: 'The maximum time that the threads of a task may take to stop, in milliseconds.',
  }),
})

const otherKeys = defineConfig({
  'custom.metric.tags': key.list({
    default: null,
    importance: 'LOW',
    noEffect: 'Metrics do not have additional tags yet.',
    documentation: 'Additional tags for the metrics of the connector, as KEY=VALUE pairs.',
  }),
  'custom.sanitize.pattern': key.string({
    default: String.raw`.*secret$|.*password$|.*sasl\.jaas\.config$|.*basic\.auth\.user\.info|.*registry\.auth\.client-secret|.*credentials\.json$|.*connectionstring$|.*connection\.string$`,
    importance: 'LOW',
    noEffect: 'The runtime hides secrets in logs and errors.',
    documentation: 'A regular expression of the keys whose values are hidden in logs.',
  }),
  'statistics.metrics.enabled': key.boolean({
    default: true,
    importance: 'MEDIUM',
    noEffect: 'The runtime always collects metrics.',
    documentation: 'Whether the connector collects statistics as metrics.',
  }),
  'guardrail.collections.max': key.int({
    default: 0,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'The maximum number of tables to capture, as a protection against a filter that matches too many tables. 0 means no limit.',
  }),
  'guardrail.collections.limit.action': key.string({
    default: 'warn',
    validator: mode(['warn', 'fail']),
    importance: 'MEDIUM',
    documentation:
      'What happens if more tables than guardrail.collections.max match. warn: a warning is logged. fail: the configuration is rejected, and a running task fails.',
  }),
})

/**
 * The keys of all Debezium connectors. Names, types, defaults and importance are those of Debezium
 * 3.7.
 */
export const commonConfig = defineConfig({
  ...topicKeys,
  ...eventKeys,
  ...queueKeys,
  ...snapshotKeys,
  ...connectionKeys,
  ...otherKeys,
  ...unsupportedConfig,
})
