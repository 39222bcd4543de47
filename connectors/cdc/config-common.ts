import { defineConfig, range } from 'millrace/connect'
import { bool, both, choice, classKey, int, list, long, required, text, topicName } from './config-keys.ts'
import { ADJUSTMENT_MODES } from './name-adjuster.ts'

export const BINARY_MODES = ['bytes', 'base64', 'base64-url-safe', 'hex'] as const
export type BinaryMode = (typeof BINARY_MODES)[number]
export const FAILURE_MODES = ['fail', 'warn', 'skip', 'ignore'] as const

/** Keys that every Debezium connector has. Names, types, defaults and importance are Debezium 3.7's. */
export const commonConfig = defineConfig({
  'topic.prefix': text(
    null,
    'HIGH',
    'The logical name of the database: topic names begin with it, schema names too, and it is the key of the offsets. Unique among connectors; changing it later means starting anew.',
    { validator: both(required, topicName) },
  ),
  'topic.naming.strategy': classKey(
    'io.debezium.schema.SchemaTopicNamingStrategy',
    'MEDIUM',
    'How topics are named: SchemaTopicNamingStrategy (prefix.schema.table) or SchemaUnicodeTopicNamingStrategy, which writes characters that a topic cannot have as _uXXXX.',
  ),
  'topic.delimiter': text('.', 'LOW', 'What stands between the parts of a topic name.', { validator: topicName }),
  'topic.cache.size': int(10000, 'LOW', 'Accepted and not needed: topic names are kept with the tables.'),
  'topic.transaction': text(
    'transaction',
    'LOW',
    'The end of the name of the topic for transaction metadata; the prefix stands before it.',
    { validator: topicName },
  ),
  'topic.heartbeat.prefix': text(
    null,
    'LOW',
    'The begin of the name of the heartbeat topic; topic.prefix follows. Default __debezium-heartbeat.',
    { validator: topicName },
  ),
  'topic.heartbeat.name': text(
    null,
    'LOW',
    'The whole name of the heartbeat topic, for one that several connectors share.',
    { validator: topicName },
  ),
  'tombstones.on.delete': bool(
    true,
    'MEDIUM',
    'Whether a delete is followed by a record with the same key and no value, so that compaction forgets the key.',
  ),
  'skipped.operations': list(
    't',
    'LOW',
    'Operations that give no events: c (insert), u (update), d (delete), t (truncate), none.',
    {
      validator: {
        describe: 'list of c, u, d, t, none',
        check: v =>
          (v as string[] | null)?.find(o => !/^\s*(c|u|d|t|none)?\s*$/i.test(o)) === undefined
            ? null
            : 'Only c, u, d, t and none are allowed',
      },
    },
  ),
  'skip.messages.without.change': bool(
    false,
    'MEDIUM',
    'Whether updates that change no captured column are left out. Needs the old row: REPLICA IDENTITY FULL.',
  ),
  'binary.handling.mode': choice(
    'bytes',
    BINARY_MODES,
    'LOW',
    'How binary columns are shown: bytes, base64, base64-url-safe or hex.',
  ),
  'schema.name.adjustment.mode': choice(
    'none',
    ADJUSTMENT_MODES,
    'LOW',
    'How schema names are made to fit Avro: none, avro (_ for other characters) or avro_unicode (_uXXXX).',
  ),
  'field.name.adjustment.mode': choice(
    'none',
    ADJUSTMENT_MODES,
    'LOW',
    'How field names are made to fit Avro; as schema.name.adjustment.mode.',
  ),
  'event.converting.failure.handling.mode': choice(
    'warn',
    FAILURE_MODES,
    'MEDIUM',
    'What becomes of a value that cannot be converted: warn (null and a line in the log), skip (null), fail.',
  ),
  'event.processing.failure.handling.mode': choice(
    'fail',
    FAILURE_MODES,
    'MEDIUM',
    'What becomes of an event that cannot be processed. Only fail so far.',
  ),
  'provide.transaction.metadata': bool(
    false,
    'LOW',
    'Whether events say to which transaction they belong, and a topic tells where transactions begin and end.',
  ),
  'transaction.metadata.factory': classKey(
    'io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory',
    'LOW',
    'Only the default is there.',
  ),
  'extended.headers.enabled': bool(true, 'LOW', 'Whether events carry the headers __debezium.context.*.'),
  'max.queue.size': int(
    8192,
    'MEDIUM',
    'Accepted; must be larger than max.batch.size. What is read ahead is bounded in bytes (max.queue.size.in.bytes) and decoded only when it is asked for.',
    { validator: range(1) },
  ),
  'max.batch.size': int(
    2048,
    'MEDIUM',
    'How many events the runtime gets at once, at most. More than 256 change nothing.',
    { validator: range(1) },
  ),
  'max.queue.size.in.bytes': long(0, 'MEDIUM', 'How many bytes are read ahead of the runtime. 0 means 64 KiB.'),
  'poll.interval.ms': long(500, 'MEDIUM', 'Accepted and not needed: the task wakes when data arrives.', {
    validator: range(1),
  }),
  'poll.dispatch.interval.ms': long(0, 'MEDIUM', 'Accepted and not needed.'),
  'queue.provider.type': text(null, 'LOW', 'Only the default is there.'),
  'snapshot.delay.ms': long(0, 'LOW', 'How long to wait before the snapshot, in milliseconds.'),
  'streaming.delay.ms': long(0, 'LOW', 'How long to wait between the snapshot and streaming, in milliseconds.'),
  'snapshot.fetch.size': int(null, 'MEDIUM', 'Accepted and not needed: snapshots are streamed.'),
  'query.fetch.size': int(0, 'MEDIUM', 'Accepted and not needed.'),
  'snapshot.include.collection.list': list(
    null,
    'MEDIUM',
    'Regular expressions of the tables to snapshot, among those captured. Default: all.',
  ),
  'snapshot.max.threads': int(1, 'MEDIUM', 'How many tables are read at a time. Only 1 so far.', {
    validator: range(1),
  }),
  'snapshot.max.threads.multiplier': int(1, 'MEDIUM', 'Only 1 so far.', { validator: range(1) }),
  'legacy.snapshot.max.threads': bool(false, 'LOW', 'Only false so far.'),
  'snapshot.mode.custom.name': text(null, 'MEDIUM', 'For snapshot.mode=custom, which there is not.'),
  'snapshot.query.mode': choice(
    'select_all',
    ['select_all', 'custom'],
    'LOW',
    'How the snapshot query is made: select_all.',
  ),
  'snapshot.query.mode.custom.name': text(null, 'MEDIUM', 'For snapshot.query.mode=custom, which there is not.'),
  'snapshot.locking.mode.custom.name': text(null, 'MEDIUM', 'For snapshot.locking.mode=custom, which there is not.'),
  'snapshot.mode.configuration.based.snapshot.data': bool(
    false,
    'MEDIUM',
    'For snapshot.mode=configuration_based, which there is not yet.',
  ),
  'snapshot.mode.configuration.based.snapshot.schema': bool(
    false,
    'MEDIUM',
    'For snapshot.mode=configuration_based, which there is not yet.',
  ),
  'snapshot.mode.configuration.based.start.stream': bool(
    false,
    'MEDIUM',
    'For snapshot.mode=configuration_based, which there is not yet.',
  ),
  'snapshot.mode.configuration.based.snapshot.on.schema.error': bool(
    false,
    'MEDIUM',
    'For snapshot.mode=configuration_based, which there is not yet.',
  ),
  'snapshot.mode.configuration.based.snapshot.on.data.error': bool(
    false,
    'MEDIUM',
    'For snapshot.mode=configuration_based, which there is not yet.',
  ),
  'incremental.snapshot.chunk.size': int(1024, 'MEDIUM', 'For incremental snapshots, which there are not yet.', {
    validator: range(1),
  }),
  'incremental.snapshot.allow.schema.changes': bool(
    false,
    'LOW',
    'For incremental snapshots, which there are not yet.',
  ),
  'incremental.snapshot.watermarking.strategy': text(
    'INSERT_INSERT',
    'LOW',
    'For incremental snapshots, which there are not yet.',
  ),
  'signal.data.collection': list(null, 'MEDIUM', 'For signals, which there are not yet.'),
  'signal.enabled.channels': list('source', 'MEDIUM', 'For signals, which there are not yet.'),
  'signal.poll.interval.ms': long(5000, 'MEDIUM', 'For signals, which there are not yet.'),
  'signal.emit.failure.max.retries': int(0, 'MEDIUM', 'For signals, which there are not yet.'),
  'signal.emit.failure.backoff.ms': long(10000, 'MEDIUM', 'For signals, which there are not yet.'),
  'signal.file': text(null, 'LOW', 'For signals, which there are not yet.'),
  'signal.kafka.topic': text(null, 'LOW', 'For signals, which there are not yet.'),
  'signal.kafka.bootstrap.servers': text(null, 'LOW', 'For signals, which there are not yet.'),
  'signal.kafka.groupId': text(null, 'LOW', 'For signals, which there are not yet.'),
  'signal.kafka.poll.timeout.ms': int(null, 'LOW', 'For signals, which there are not yet.'),
  'notification.enabled.channels': list(null, 'MEDIUM', 'For notifications, which there are not yet.'),
  'notification.sink.topic.name': text(null, 'HIGH', 'For notifications, which there are not yet.'),
  'notification.http.url': text(null, 'HIGH', 'For notifications, which there are not yet.'),
  'notification.http.timeout.ms': int(5000, 'LOW', 'For notifications, which there are not yet.'),
  'notification.http.retries': int(2, 'LOW', 'For notifications, which there are not yet.'),
  'notification.http.allow.private.networks': bool(false, 'LOW', 'For notifications, which there are not yet.'),
  'heartbeat.interval.ms': int(
    0,
    'MEDIUM',
    'How often a record goes to the heartbeat topic, in milliseconds, so that offsets move on where no captured table changes. 0: never. (An idle slot lets go of its WAL without it.)',
  ),
  'heartbeat.topics.prefix': text('__debezium-heartbeat', 'LOW', 'The older spelling of topic.heartbeat.prefix.', {
    validator: topicName,
  }),
  'heartbeat.action.query': text(null, 'LOW', 'SQL that is run in the database with every heartbeat.'),
  'errors.max.retries': int(
    -1,
    'LOW',
    'How often a lost connection is made anew before the task fails. -1: for ever. 0: not at all.',
    { validator: range(-1) },
  ),
  'retriable.restart.connector.wait.ms': long(
    10000,
    'LOW',
    'The longest wait between two tries of a connection, in milliseconds; it begins with a tenth of a second and doubles.',
    { validator: range(1) },
  ),
  'connection.validation.timeout.ms': long(
    60000,
    'LOW',
    'How long the check of the configuration may take to connect, in milliseconds.',
    { validator: range(1) },
  ),
  'executor.shutdown.timeout.ms': long(4000, 'MEDIUM', 'Accepted and not needed: a task stops at once.'),
  converters: text(null, 'LOW', "Debezium's custom converters are Java: there are none here."),
  'post.processors': text(null, 'LOW', "Debezium's post processors, which there are not yet."),
  'sourceinfo.struct.maker': classKey(null, 'LOW', 'Only the default is there.'),
  'custom.metric.tags': list(null, 'LOW', 'Accepted; metrics have no such tags yet.'),
  'custom.sanitize.pattern': text(
    String.raw`.*secret$|.*password$|.*sasl\.jaas\.config$|.*basic\.auth\.user\.info|.*registry\.auth\.client-secret|.*credentials\.json$|.*connectionstring$|.*connection\.string$`,
    'LOW',
    'Accepted and not needed: secrets are never logged.',
  ),
  'statistics.metrics.enabled': bool(true, 'MEDIUM', 'Accepted; metrics come with the runtime.'),
  'guardrail.collections.max': int(0, 'MEDIUM', 'How many tables may be captured. 0: any number.'),
  'guardrail.collections.limit.action': choice(
    'warn',
    ['warn', 'fail'],
    'MEDIUM',
    'What to do when there are more tables than guardrail.collections.max: warn or fail.',
  ),
  'openlineage.integration.enabled': bool(false, 'LOW', 'For OpenLineage, which there is not.'),
  'openlineage.integration.config.file.path': text('./openlineage.yml', 'LOW', 'For OpenLineage, which there is not.'),
  'openlineage.integration.job.namespace': text(null, 'LOW', 'For OpenLineage, which there is not.'),
  'openlineage.integration.job.description': text(
    'Debezium change data capture job',
    'LOW',
    'For OpenLineage, which there is not.',
  ),
  'openlineage.integration.job.tags': list(null, 'LOW', 'For OpenLineage, which there is not.'),
  'openlineage.integration.job.owners': list(null, 'LOW', 'For OpenLineage, which there is not.'),
  'openlineage.integration.dataset.kafka.bootstrap.servers': text(null, 'LOW', 'For OpenLineage, which there is not.'),
})
