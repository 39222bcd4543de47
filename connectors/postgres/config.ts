import { type ConfigValues, defineConfig, range } from 'millrace/connect'
import {
  bool,
  choice,
  commonConfig,
  int,
  list,
  long,
  patterns,
  relationalConfig,
  required,
  secret,
  text,
  UNSUPPORTED_COMMON,
  type Unsupported,
} from '../cdc/index.ts'

export const SNAPSHOT_MODES = [
  'always',
  'initial',
  'no_data',
  'initial_only',
  'when_needed',
  'configuration_based',
  'custom',
] as const
export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

const slotName = {
  describe: 'lower-case letters, digits, underscore; at most 63',
  check: (v: unknown) =>
    v === null || /^[a-z0-9_]{1,63}$/.test(String(v))
      ? null
      : 'Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63',
}

/** The keys of the PostgreSQL connector alone. Names, types, defaults and importance are Debezium 3.7's, but for plugin.name. */
const own = defineConfig({
  'database.hostname': text(null, 'HIGH', 'Host of the database server.', { validator: required }),
  'database.port': int(5432, 'HIGH', 'Port of the database server.', { validator: range(0, 65535) }),
  'database.user': text(null, 'HIGH', 'User to connect as: with REPLICATION, and SELECT on the captured tables.', {
    validator: required,
  }),
  'database.password': secret('HIGH', 'Password of the user.'),
  'database.dbname': text(null, 'HIGH', 'The database to capture from.', { validator: required }),
  'database.sslmode': choice(
    'prefer',
    SSL_MODES,
    'MEDIUM',
    'Whether the connection is encrypted: disable, allow, prefer (TLS if the server has it), require, verify-ca (its certificate must be signed by database.sslrootcert), verify-full (and be for this host).',
  ),
  'database.sslcert': text(null, 'MEDIUM', "File with the client's certificate (PEM)."),
  'database.sslkey': text(null, 'MEDIUM', "File with the client's private key (PEM or PKCS-8 DER)."),
  'database.sslpassword': secret('MEDIUM', "Password of the client's private key."),
  'database.sslrootcert': text(null, 'MEDIUM', "File with the certificates that may have signed the server's (PEM)."),
  'database.sslfactory': text(null, 'MEDIUM', 'A Java class: there is none here.'),
  'database.tcpKeepAlive': bool(true, 'MEDIUM', 'Whether idle connections are probed by TCP.'),
  'database.initial.statements': text(
    null,
    'LOW',
    'SQL that is run on each new connection for queries and snapshots, separated by semicolons (;; for one within).',
  ),
  'plugin.name': choice(
    'pgoutput',
    ['pgoutput', 'decoderbufs'],
    'MEDIUM',
    "The server's decoding plugin. Only pgoutput, which every server has, and which is the default here (Debezium's is decoderbufs).",
  ),
  'slot.name': text('debezium', 'MEDIUM', 'The replication slot; made if it does not exist. One connector, one slot.', {
    validator: slotName,
  }),
  'slot.drop.on.stop': bool(
    false,
    'MEDIUM',
    'Whether a stop drops the slot, so that it holds no WAL; changes while stopped are then lost. For tests.',
  ),
  'slot.failover': bool(false, 'MEDIUM', 'Whether a new slot is kept in step on standbys (PostgreSQL 17 and newer).'),
  'slot.stream.params': text(null, 'LOW', 'More options for the plugin: name=value, separated by semicolons.'),
  'slot.max.retries': int(6, 'LOW', 'How often a slot that is in use by another connection is tried again.'),
  'slot.retry.delay.ms': long(10000, 'LOW', 'The wait between two such tries, in milliseconds.'),
  'publication.name': text('dbz_publication', 'MEDIUM', 'The publication that says which tables are streamed.'),
  'publication.autocreate.mode': choice(
    'all_tables',
    ['all_tables', 'disabled', 'filtered', 'no_tables'],
    'MEDIUM',
    'How a missing publication is made: all_tables (FOR ALL TABLES; needs a superuser), filtered (for the captured tables), no_tables (empty; tables are added by hand), disabled (not at all).',
  ),
  'publish.via.partition.root': bool(
    false,
    'MEDIUM',
    'Whether a new publication shows changes of partitions as those of their table.',
  ),
  'replica.identity.autoset.values': text(
    null,
    'MEDIUM',
    'Sets the replica identity of tables: <schema>.<table>:<DEFAULT|FULL|NOTHING|INDEX name>, separated by commas; the table is a regular expression.',
  ),
  'snapshot.mode': choice(
    'initial',
    SNAPSHOT_MODES,
    'MEDIUM',
    'When the tables are read: initial (when there is no offset), always (at each start), initial_only (and then stop), no_data (never), when_needed (when there is no offset or the slot lost its place).',
  ),
  'snapshot.isolation.mode': choice(
    'serializable',
    ['serializable', 'repeatable_read', 'read_committed', 'read_uncommitted'],
    'LOW',
    'Isolation of the snapshot where it does not use that of a new slot. The last two are not consistent over tables.',
  ),
  'snapshot.locking.mode': choice(
    'none',
    ['none', 'shared', 'custom'],
    'LOW',
    'Whether the snapshot locks tables against changes of their structure: none or shared.',
  ),
  'hstore.handling.mode': choice('json', ['json', 'map'], 'LOW', 'How hstore is shown: json (text) or map.'),
  'interval.handling.mode': choice(
    'numeric',
    ['numeric', 'string'],
    'LOW',
    'How intervals are shown: numeric (microseconds, a month being 30.4375 days) or string (ISO 8601).',
  ),
  'money.fraction.digits': {
    type: 'SHORT',
    default: 2,
    importance: 'LOW',
    documentation: 'How many digits money has behind the point.',
    validator: range(0, 18),
  },
  'include.unknown.datatypes': bool(
    false,
    'MEDIUM',
    'Whether columns of types without a mapping are shown, as bytes of their text.',
  ),
  'schema.refresh.mode': choice(
    'columns_diff',
    ['columns_diff', 'columns_diff_exclude_unchanged_toast'],
    'MEDIUM',
    'Accepted and not needed: the server announces changed tables.',
  ),
  'message.prefix.include.list': list(
    null,
    'MEDIUM',
    'Regular expressions of the prefixes of logical decoding messages to capture.',
    { validator: patterns },
  ),
  'message.prefix.exclude.list': list(
    null,
    'MEDIUM',
    'Regular expressions of the prefixes of logical decoding messages to leave out.',
    { validator: patterns },
  ),
  'status.update.interval.ms': int(
    10000,
    'MEDIUM',
    'How often the server is told how far the log has got, in milliseconds; also told at each offset commit.',
    { validator: range(1) },
  ),
  'lsn.flush.mode': choice(
    null,
    ['connector', 'manual', 'connector_and_driver'],
    'LOW',
    'How the slot moves on: connector_and_driver (by committed offsets, and past WAL without captured changes while nothing is unacknowledged; the default here), connector (by committed offsets only), manual (never).',
  ),
  'flush.lsn.source': bool(true, 'LOW', 'The older spelling of lsn.flush.mode: false is manual.'),
  'lsn.flush.timeout.ms': long(30000, 'MEDIUM', 'Accepted and not needed: moving the slot on does not wait.'),
  'lsn.flush.timeout.action': choice('fail', ['fail', 'warn', 'ignore'], 'MEDIUM', 'Accepted and not needed.'),
  'offset.mismatch.strategy': choice(
    'no_validation',
    ['no_validation', 'trust_offset', 'trust_slot', 'trust_greater_lsn'],
    'LOW',
    'What to do when the offset and the slot do not match: no_validation and trust_offset (fail if changes would be lost), trust_slot (resume from the slot), trust_greater_lsn (resume from the slot if it is past the offset). An offset past the end of the WAL fails, except with trust_slot.',
  ),
  'internal.slot.seek.to.known.offset.on.start': bool(
    false,
    'LOW',
    'The older spelling of offset.mismatch.strategy=trust_offset.',
    { internal: true },
  ),
  'xmin.fetch.interval.ms': long(
    0,
    'MEDIUM',
    "How often the slot's xmin is read for the events, in milliseconds. 0: never.",
  ),
  'read.only': bool(false, 'LOW', 'For signals, which there are not yet.'),
})

export const postgresConfig = defineConfig({ ...own, ...commonConfig, ...relationalConfig })

/** Keys that cannot be had yet; see `unsupportedUses`. */
export const UNSUPPORTED: Readonly<Record<string, Unsupported>> = {
  ...UNSUPPORTED_COMMON,
  'database.sslfactory': { action: 'refuse', reason: 'Java socket factories do not exist here; remove it' },
  'read.only': { action: 'warn', reason: 'signals are not there yet' },
}

export type PostgresValues = ConfigValues<typeof postgresConfig>
