import { defineConfig, key } from 'millrace/connect'
import { mode, unsupported } from './config-keys.ts'

const SIGNALS = 'Signals and incremental snapshots are not supported yet.'
const NOTIFICATIONS = 'Notifications are not supported yet.'
const LINEAGE = 'OpenLineage is not supported.'
const CONFIGURATION_BASED = 'snapshot.mode=configuration_based is not supported yet.'
const ONE_TABLE = 'The snapshot reads one table at a time.'
const JAVA = 'Java classes cannot be loaded.'

const signalKeys = defineConfig({
  'signal.data.collection': key.list({
    ...unsupported(null, SIGNALS),
    importance: 'MEDIUM',
    documentation: 'The table into which you insert signals for the connector.',
  }),
  'signal.enabled.channels': key.list({
    ...unsupported('source', SIGNALS),
    importance: 'MEDIUM',
    documentation: 'The channels through which the connector receives signals.',
  }),
  'signal.poll.interval.ms': key.long({
    default: 5000,
    min: 0,
    importance: 'MEDIUM',
    noEffect: SIGNALS,
    documentation: 'The interval at which the connector checks for signals, in milliseconds.',
  }),
  'signal.emit.failure.max.retries': key.int({
    default: 0,
    min: 0,
    importance: 'MEDIUM',
    noEffect: SIGNALS,
    documentation: 'The maximum number of retries after a signal could not be written.',
  }),
  'signal.emit.failure.backoff.ms': key.long({
    default: 10000,
    min: 0,
    importance: 'MEDIUM',
    noEffect: SIGNALS,
    documentation: 'The delay before the connector tries again to write a signal, in milliseconds.',
  }),
  'signal.file': key.string({
    ...unsupported(null, SIGNALS),
    importance: 'LOW',
    documentation: 'The file from which the connector reads signals. Used if signal.enabled.channels contains file.',
  }),
  'signal.kafka.topic': key.string({
    ...unsupported(null, SIGNALS),
    importance: 'LOW',
    documentation: 'The topic from which the connector reads signals. Used if signal.enabled.channels contains kafka.',
  }),
  'signal.kafka.bootstrap.servers': key.string({
    ...unsupported(null, SIGNALS),
    importance: 'LOW',
    documentation: 'The brokers of the topic with signals.',
  }),
  'signal.kafka.groupId': key.string({
    ...unsupported(null, SIGNALS),
    importance: 'LOW',
    documentation: 'The consumer group that reads the topic with signals.',
  }),
  'signal.kafka.poll.timeout.ms': key.int({
    ...unsupported(null, SIGNALS),
    importance: 'LOW',
    documentation: 'How long a poll of the topic with signals waits, in milliseconds.',
  }),
  'incremental.snapshot.chunk.size': key.int({
    default: 1024,
    min: 1,
    importance: 'MEDIUM',
    noEffect: SIGNALS,
    documentation: 'The number of rows that an incremental snapshot reads at a time.',
  }),
  'incremental.snapshot.allow.schema.changes': key.boolean({
    default: false,
    importance: 'LOW',
    noEffect: SIGNALS,
    documentation: 'Whether the structure of a table may change during an incremental snapshot.',
  }),
  'incremental.snapshot.watermarking.strategy': key.string({
    default: 'INSERT_INSERT',
    importance: 'LOW',
    noEffect: SIGNALS,
    documentation: 'How an incremental snapshot marks its chunks in the signal table.',
  }),
})

const notificationKeys = defineConfig({
  'notification.enabled.channels': key.list({
    ...unsupported(null, NOTIFICATIONS),
    importance: 'MEDIUM',
    documentation: 'The channels to which the connector sends notifications about its progress.',
  }),
  'notification.sink.topic.name': key.string({
    ...unsupported(null, NOTIFICATIONS),
    importance: 'HIGH',
    documentation: 'The topic for notifications. Used if notification.enabled.channels contains sink.',
  }),
  'notification.http.url': key.string({
    ...unsupported(null, NOTIFICATIONS),
    importance: 'HIGH',
    documentation: 'The URL to which notifications are sent. Used if notification.enabled.channels contains http.',
  }),
  'notification.http.timeout.ms': key.int({
    default: 5000,
    min: 0,
    importance: 'LOW',
    noEffect: NOTIFICATIONS,
    documentation: 'The time to wait for the response to a notification, in milliseconds.',
  }),
  'notification.http.retries': key.int({
    default: 2,
    min: 0,
    importance: 'LOW',
    noEffect: NOTIFICATIONS,
    documentation: 'The maximum number of retries of a notification.',
  }),
  'notification.http.allow.private.networks': key.boolean({
    default: false,
    importance: 'LOW',
    noEffect: NOTIFICATIONS,
    documentation: 'Whether notifications may go to addresses in private networks.',
  }),
})

const configurationBasedKeys = defineConfig({
  'snapshot.mode.configuration.based.snapshot.data': key.boolean({
    ...unsupported(false, CONFIGURATION_BASED),
    importance: 'MEDIUM',
    documentation: 'Whether the snapshot reads the rows of tables.',
  }),
  'snapshot.mode.configuration.based.snapshot.schema': key.boolean({
    ...unsupported(false, CONFIGURATION_BASED),
    importance: 'MEDIUM',
    documentation: 'Whether the snapshot reads the structure of tables.',
  }),
  'snapshot.mode.configuration.based.start.stream': key.boolean({
    ...unsupported(false, CONFIGURATION_BASED),
    importance: 'MEDIUM',
    documentation: 'Whether streaming starts after the snapshot.',
  }),
  'snapshot.mode.configuration.based.snapshot.on.schema.error': key.boolean({
    ...unsupported(false, CONFIGURATION_BASED),
    importance: 'MEDIUM',
    documentation: 'Whether a snapshot is taken if the stored structure of tables is not available.',
  }),
  'snapshot.mode.configuration.based.snapshot.on.data.error': key.boolean({
    ...unsupported(false, CONFIGURATION_BASED),
    importance: 'MEDIUM',
    documentation: 'Whether a snapshot is taken if changes since the stored offset are no longer available.',
  }),
})

const customKeys = defineConfig({
  'snapshot.mode.custom.name': key.string({
    ...unsupported(null, JAVA),
    importance: 'MEDIUM',
    documentation: 'The Java class for snapshot.mode=custom.',
  }),
  'snapshot.query.mode': key.string({
    default: 'select_all',
    validator: mode(['select_all']),
    importance: 'LOW',
    documentation:
      'How the snapshot queries a table. select_all: all captured columns. For another query, use snapshot.select.statement.overrides.',
  }),
  'snapshot.query.mode.custom.name': key.string({
    ...unsupported(null, `${JAVA} Use snapshot.select.statement.overrides.`),
    importance: 'MEDIUM',
    documentation: 'The Java class for snapshot.query.mode=custom.',
  }),
  'snapshot.locking.mode.custom.name': key.string({
    ...unsupported(null, JAVA),
    importance: 'MEDIUM',
    documentation: 'The Java class for snapshot.locking.mode=custom.',
  }),
  'snapshot.max.threads': key.int({
    default: 1,
    min: 1,
    importance: 'MEDIUM',
    noEffect: ONE_TABLE,
    documentation: 'The number of tables that the snapshot reads in parallel.',
  }),
  'snapshot.max.threads.multiplier': key.int({
    default: 1,
    min: 1,
    importance: 'MEDIUM',
    noEffect: ONE_TABLE,
    documentation: 'The number of parts per snapshot thread (snapshot.max.threads) into which a table is divided.',
  }),
  'legacy.snapshot.max.threads': key.boolean({
    default: false,
    importance: 'LOW',
    noEffect: ONE_TABLE,
    documentation: 'Whether snapshot.max.threads works as in older versions of Debezium.',
  }),
  converters: key.string({
    ...unsupported(null, `${JAVA} Use a transformation instead.`),
    importance: 'LOW',
    documentation: 'The names of custom converters of columns.',
  }),
  'post.processors': key.string({
    ...unsupported(null, 'Post processors are not supported yet. Use a transformation instead.'),
    importance: 'LOW',
    documentation: 'The names of post processors, which change events after conversion.',
  }),
  'transaction.metadata.factory': key.class({
    ...unsupported('io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory', JAVA),
    importance: 'LOW',
    documentation: 'The Java class that creates transaction metadata.',
  }),
  'sourceinfo.struct.maker': key.class({
    ...unsupported(null, JAVA),
    importance: 'LOW',
    documentation: 'The Java class that creates the source struct of each event.',
  }),
})

const lineageKeys = defineConfig({
  'openlineage.integration.enabled': key.boolean({
    ...unsupported(false, LINEAGE),
    importance: 'LOW',
    documentation: 'Whether the connector reports data lineage to OpenLineage.',
  }),
  'openlineage.integration.config.file.path': key.string({
    default: './openlineage.yml',
    importance: 'LOW',
    noEffect: LINEAGE,
    documentation: 'The configuration file of OpenLineage.',
  }),
  'openlineage.integration.job.namespace': key.string({
    default: null,
    importance: 'LOW',
    noEffect: LINEAGE,
    documentation: 'The namespace of the OpenLineage job.',
  }),
  'openlineage.integration.job.description': key.string({
    default: 'Debezium change data capture job',
    importance: 'LOW',
    noEffect: LINEAGE,
    documentation: 'The description of the OpenLineage job.',
  }),
  'openlineage.integration.job.tags': key.list({
    default: null,
    importance: 'LOW',
    noEffect: LINEAGE,
    documentation: 'The tags of the OpenLineage job.',
  }),
  'openlineage.integration.job.owners': key.list({
    default: null,
    importance: 'LOW',
    noEffect: LINEAGE,
    documentation: 'The owners of the OpenLineage job.',
  }),
  'openlineage.integration.dataset.kafka.bootstrap.servers': key.string({
    default: null,
    importance: 'LOW',
    noEffect: LINEAGE,
    documentation: 'The brokers that OpenLineage shows for the topics.',
  }),
})

/** Keys of Debezium whose features do not exist in these connectors. */
export const unsupportedConfig = defineConfig({
  ...signalKeys,
  ...notificationKeys,
  ...configurationBasedKeys,
  ...customKeys,
  ...lineageKeys,
})
