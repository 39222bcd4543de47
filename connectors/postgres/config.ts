import { type ConfigValues, defineConfig, key, type Validator } from 'millrace/connect'
import { commonConfig, mode, patterns, relationalConfig, required, unsupported } from '../cdc/index.ts'

const SLOT_NEVER_WAITS = 'The connector does not wait for the slot to advance.'

const slotName: Validator = {
  describe: 'lower-case letters, digits, underscore; at most 63',
  check: v =>
    v === null || /^[a-z0-9_]{1,63}$/.test(String(v))
      ? null
      : 'Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63',
}

const connectionKeys = defineConfig({
  'database.hostname': key.string({
    default: null,
    validator: required,
    importance: 'HIGH',
    documentation: 'The host name or IP address of the database server.',
  }),
  'database.port': key.int({
    default: 5432,
    min: 0,
    max: 65535,
    importance: 'HIGH',
    documentation: 'The port of the database server.',
  }),
  'database.user': key.string({
    default: null,
    validator: required,
    importance: 'HIGH',
    documentation:
      'The database user. It needs the attribute REPLICATION, and the privilege SELECT on the captured tables for snapshots.',
  }),
  'database.password': key.password({
    default: null,
    importance: 'HIGH',
    documentation: 'The password of the database user.',
  }),
  'database.dbname': key.string({
    default: null,
    validator: required,
    importance: 'HIGH',
    documentation: 'The name of the database to capture.',
  }),
  'database.sslmode': key.string({
    default: 'prefer',
    validator: mode(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']),
    importance: 'MEDIUM',
    documentation:
      'Whether connections use TLS. disable: never. allow: if the server refuses plain connections. prefer: if the server supports it. require: always; the certificate of the server is checked only if database.sslrootcert is set. verify-ca: always, and the certificate of the server must be signed by database.sslrootcert. verify-full: like verify-ca, and the certificate must match the host name.',
  }),
  'database.sslcert': key.string({
    default: null,
    importance: 'MEDIUM',
    documentation: 'The file with the certificate of the client, in PEM format.',
  }),
  'database.sslkey': key.string({
    default: null,
    importance: 'MEDIUM',
    documentation: 'The file with the private key of the client, in PEM or PKCS-8 DER format.',
  }),
  'database.sslpassword': key.password({
    default: null,
    importance: 'MEDIUM',
    documentation: 'The password of the private key.',
  }),
  'database.sslrootcert': key.string({
    default: null,
    importance: 'MEDIUM',
    documentation:
      'The file with the certificates of trusted authorities, in PEM format. Used with verify-ca, verify-full and require.',
  }),
  'database.sslfactory': key.string({
    ...unsupported(null, 'Java classes cannot be loaded.'),
    importance: 'MEDIUM',
    documentation: 'The Java class that creates TLS sockets.',
  }),
  'database.tcpKeepAlive': key.boolean({
    default: true,
    importance: 'MEDIUM',
    documentation: 'Whether TCP keep-alive detects broken connections while no data is sent.',
  }),
  'database.initial.statements': key.string({
    default: null,
    importance: 'LOW',
    documentation:
      'SQL statements to run on each new connection for queries and snapshots, separated by semicolons. For a semicolon within a statement, write two.',
  }),
})

const slotKeys = defineConfig({
  'plugin.name': key.string({
    default: 'pgoutput',
    validator: mode(['pgoutput']),
    importance: 'MEDIUM',
    documentation:
      'The logical decoding plugin of the server. Only pgoutput is supported, which is part of every PostgreSQL server. The default of Debezium is decoderbufs.',
  }),
  'slot.name': key.string({
    default: 'debezium',
    validator: slotName,
    importance: 'MEDIUM',
    documentation:
      'The replication slot. The connector creates it if it does not exist. Each connector needs its own slot.',
  }),
  'slot.drop.on.stop': key.boolean({
    default: false,
    importance: 'MEDIUM',
    documentation:
      'Whether the connector drops the slot when it stops, so that the server does not retain WAL. Changes made while the connector is stopped are then lost. Use it only for tests.',
  }),
  'slot.failover': key.boolean({
    default: false,
    importance: 'MEDIUM',
    documentation: 'Whether a new slot is synchronized to standby servers. Needs PostgreSQL 17 or newer.',
  }),
  'slot.stream.params': key.string({
    default: null,
    importance: 'LOW',
    documentation:
      'Additional options of the decoding plugin, as NAME=VALUE separated by semicolons. The only supported name is origin.',
  }),
  'slot.max.retries': key.int({
    default: 6,
    min: 0,
    importance: 'LOW',
    documentation:
      'The task waits at most slot.max.retries times slot.retry.delay.ms for a slot that another connection uses. After that the task disconnects, and errors.max.retries applies.',
  }),
  'slot.retry.delay.ms': key.long({
    default: 10000,
    min: 0,
    importance: 'LOW',
    documentation:
      'The longest delay between two attempts to use a slot that another connection uses, in milliseconds.',
  }),
  'status.update.interval.ms': key.int({
    default: 10000,
    min: 1,
    importance: 'MEDIUM',
    documentation:
      'The interval at which the connector confirms its position to the server, in milliseconds. The connector also confirms it at each commit of offsets.',
  }),
  'lsn.flush.mode': key.string({
    default: null,
    validator: mode(['connector', 'manual', 'connector_and_driver']),
    importance: 'LOW',
    documentation:
      'How the slot advances, so that the server can remove old WAL. connector: to the committed offset. connector_and_driver: like connector, and also past changes of tables that are not captured, as long as no event waits for acknowledgement. manual: the connector never advances the slot; you advance it. Default: connector_and_driver.',
  }),
  'flush.lsn.source': key.boolean({
    default: true,
    importance: 'LOW',
    documentation:
      'An older form of lsn.flush.mode. It has no effect if lsn.flush.mode is set. false means manual; true means connector_and_driver.',
  }),
  'lsn.flush.timeout.ms': key.long({
    default: 30000,
    min: 0,
    importance: 'MEDIUM',
    noEffect: SLOT_NEVER_WAITS,
    documentation: 'The time to wait for the slot to advance, in milliseconds.',
  }),
  'lsn.flush.timeout.action': key.string({
    default: 'fail',
    validator: mode(['fail', 'warn', 'ignore']),
    importance: 'MEDIUM',
    noEffect: SLOT_NEVER_WAITS,
    documentation: 'What happens if the slot does not advance within lsn.flush.timeout.ms.',
  }),
  'offset.mismatch.strategy': key.string({
    default: 'no_validation',
    validator: mode(['no_validation', 'trust_offset', 'trust_slot', 'trust_greater_lsn']),
    importance: 'LOW',
    documentation:
      'What happens at the start if the stored offset and the slot differ. no_validation and trust_offset: resume from the offset, and fail if the slot no longer has the changes after it. trust_slot: resume from the slot if it is past the offset. trust_greater_lsn: resume from the later of the two. If the offset does not belong to the WAL of the server, trust_slot resumes from the slot, and the other values fail the task. With snapshot.mode=when_needed or always, the connector takes a new snapshot instead.',
  }),
  'internal.slot.seek.to.known.offset.on.start': key.boolean({
    default: false,
    importance: 'LOW',
    internal: true,
    documentation: 'An older form of offset.mismatch.strategy=trust_offset.',
  }),
  'xmin.fetch.interval.ms': key.long({
    default: 0,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'The interval, in milliseconds, at which the connector reads the xmin of the slot. Events contain the xmin as source.xmin. 0 means never.',
  }),
})

const publicationKeys = defineConfig({
  'publication.name': key.string({
    default: 'dbz_publication',
    importance: 'MEDIUM',
    documentation: 'The publication, which determines the tables whose changes the server sends.',
  }),
  'publication.autocreate.mode': key.string({
    default: 'all_tables',
    validator: mode(['all_tables', 'disabled', 'filtered', 'no_tables']),
    importance: 'MEDIUM',
    documentation:
      'How the connector creates a missing publication. all_tables: for all tables, which needs a superuser. filtered: for the captured tables. no_tables: without tables; you add them. disabled: it creates no publication, and the task fails.',
  }),
  'publish.via.partition.root': key.boolean({
    default: false,
    importance: 'MEDIUM',
    documentation:
      'Whether a publication that the connector creates reports changes of partitions as changes of the partitioned table.',
  }),
  'replica.identity.autoset.values': key.string({
    default: null,
    importance: 'MEDIUM',
    documentation:
      'The replica identities that the connector sets, as SCHEMA.TABLE:IDENTITY separated by commas. The identity is DEFAULT, FULL, NOTHING or INDEX with the name of an index. SCHEMA.TABLE is a regular expression. With FULL, events contain the whole old row.',
  }),
})

const snapshotKeys = defineConfig({
  'snapshot.mode': key.string({
    default: 'initial',
    validator: mode(['always', 'initial', 'no_data', 'initial_only', 'when_needed']),
    importance: 'MEDIUM',
    documentation:
      'When the connector reads the existing rows of tables. initial: if there is no stored offset. always: at each start. initial_only: like initial, but changes are not streamed afterwards. no_data: never. when_needed: if there is no stored offset, or if the slot no longer has the changes after the offset.',
  }),
  'snapshot.isolation.mode': key.string({
    default: 'serializable',
    validator: mode(['serializable', 'repeatable_read', 'read_committed', 'read_uncommitted']),
    importance: 'LOW',
    documentation:
      'The isolation level of the snapshot transaction. Ignored if the connector has just created the slot: it then reads the snapshot that the slot exports, with repeatable_read. With read_committed and read_uncommitted, the tables of a snapshot may not be consistent with each other.',
  }),
  'snapshot.locking.mode': key.string({
    default: 'none',
    validator: mode(['none', 'shared']),
    importance: 'LOW',
    documentation:
      'Whether the snapshot locks tables. none: no locks. shared: locks that prevent changes to the structure of tables.',
  }),
})

const valueKeys = defineConfig({
  'hstore.handling.mode': key.string({
    default: 'json',
    validator: mode(['json', 'map']),
    importance: 'LOW',
    documentation: 'How events represent columns of type hstore. json: text with a JSON object. map: a map.',
  }),
  'interval.handling.mode': key.string({
    default: 'numeric',
    validator: mode(['numeric', 'string']),
    importance: 'LOW',
    documentation:
      'How events represent columns of type interval. numeric: a number of microseconds, with 30.4375 days per month. string: text in ISO 8601.',
  }),
  'money.fraction.digits': key.short({
    default: 2,
    min: 0,
    max: 18,
    importance: 'LOW',
    documentation: 'The number of decimal places of columns of type money.',
  }),
  'include.unknown.datatypes': key.boolean({
    default: false,
    importance: 'MEDIUM',
    documentation:
      'Whether events include columns whose types the connector does not know. Their values are the bytes of their text.',
  }),
  'schema.refresh.mode': key.string({
    default: 'columns_diff',
    validator: mode(['columns_diff', 'columns_diff_exclude_unchanged_toast']),
    importance: 'MEDIUM',
    noEffect: 'The server announces each change to the structure of a table.',
    documentation: 'When the connector reads the structure of a table again.',
  }),
  'message.prefix.include.list': key.list({
    default: null,
    validator: patterns,
    importance: 'MEDIUM',
    documentation:
      'Regular expressions of the prefixes of logical decoding messages to capture. Set either this key or message.prefix.exclude.list. Default: all.',
  }),
  'message.prefix.exclude.list': key.list({
    default: null,
    validator: patterns,
    importance: 'MEDIUM',
    documentation: 'Regular expressions of the prefixes of logical decoding messages that are not captured.',
  }),
  'read.only': key.boolean({
    default: false,
    importance: 'LOW',
    noEffect: 'Signals are not supported yet.',
    documentation: 'Whether incremental snapshots avoid writing to the database.',
  }),
})

/**
 * All keys of the connector. Names, types, defaults and importance are those of Debezium 3.7,
 * except for the defaults of `plugin.name` and `sourceinfo.struct.maker`.
 */
export const postgresConfig = defineConfig({
  ...connectionKeys,
  ...slotKeys,
  ...publicationKeys,
  ...snapshotKeys,
  ...valueKeys,
  ...commonConfig,
  ...relationalConfig,
})

export type PostgresValues = ConfigValues<typeof postgresConfig>
