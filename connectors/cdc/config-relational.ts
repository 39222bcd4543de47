import { defineConfig } from 'millrace/connect'
import { bool, choice, classKey, int, list, long, patterns, text } from './config-keys.ts'
import { wrongKeyColumns } from './key-columns.ts'
import { TIME_PRECISION_MODES } from './temporal.ts'

export const DECIMAL_MODES = ['precise', 'string', 'double'] as const
export type DecimalMode = (typeof DECIMAL_MODES)[number]

const regexes = { validator: patterns }

/** Keys of Debezium's connectors for relational databases. */
export const relationalConfig = defineConfig({
  'schema.include.list': list(
    null,
    'HIGH',
    'Regular expressions of the schemas to capture. Not together with schema.exclude.list.',
    regexes,
  ),
  'schema.exclude.list': list(null, 'MEDIUM', 'Regular expressions of the schemas not to capture.', regexes),
  'table.include.list': list(
    null,
    'HIGH',
    'Regular expressions of the tables to capture, each matching the whole of schema.table. Not together with table.exclude.list. Default: all tables.',
    regexes,
  ),
  'table.exclude.list': list(null, 'MEDIUM', 'Regular expressions of the tables not to capture.', regexes),
  'table.ignore.builtin': bool(true, 'LOW', "Whether the database's own tables are left out."),
  'column.include.list': list(
    null,
    'MEDIUM',
    'Regular expressions of the columns to capture, each matching schema.table.column. Keys are always there.',
    regexes,
  ),
  'column.exclude.list': list(
    null,
    'MEDIUM',
    'Regular expressions of the columns to leave out of the values.',
    regexes,
  ),
  'message.key.columns': text(
    null,
    'MEDIUM',
    'Keys other than the primary key: <schema>.<table>:<column>,<column>, several separated by semicolons. The table may be a regular expression.',
    {
      validator: {
        describe: 'list of table:column,column',
        check: v => (v === null ? null : wrongKeyColumns(String(v))),
      },
    },
  ),
  'column.mask.hash.([^.]+).with.salt.(.+)': text(
    null,
    'MEDIUM',
    'Columns whose text is replaced by its hash with a salt; the algorithm and the salt stand in the key, as in column.mask.hash.v2.SHA-256.with.salt.x.',
  ),
  'column.mask.with.(d+).chars': text(null, 'MEDIUM', 'Columns whose text is replaced by that many asterisks.'),
  'column.truncate.to.(d+).chars': int(null, 'MEDIUM', 'Columns whose text is cut to that many characters.'),
  'column.propagate.source.type': list(
    null,
    'MEDIUM',
    "Columns whose schemas tell the database's type, length and scale in parameters.",
    regexes,
  ),
  'datatype.propagate.source.type': list(
    null,
    'MEDIUM',
    "As column.propagate.source.type, by the database's type: schema.table.type.",
    regexes,
  ),
  'decimal.handling.mode': choice(
    'precise',
    DECIMAL_MODES,
    'MEDIUM',
    "How decimal numbers are shown: precise (Connect's Decimal), string or double (which rounds).",
  ),
  'time.precision.mode': choice(
    'adaptive',
    TIME_PRECISION_MODES,
    'MEDIUM',
    "How dates and times are shown: adaptive (milliseconds or microseconds, as the column has them), adaptive_time_microseconds, connect (Connect's types, which round to milliseconds), isostring, microseconds, nanoseconds.",
  ),
  'unavailable.value.placeholder': text(
    '__debezium_unavailable_value',
    'MEDIUM',
    'What stands for a large value that an update did not touch and the database therefore did not send. hex: before it gives bytes in hexadecimal.',
  ),
  'include.schema.comments': bool(false, 'MEDIUM', 'Whether schemas carry the comments of columns as `doc`.'),
  'snapshot.select.statement.overrides': text(
    null,
    'MEDIUM',
    'Tables (schema.table, separated by commas) whose snapshot reads another query, given by snapshot.select.statement.overrides.<schema>.<table>.',
  ),
  'snapshot.lock.timeout.ms': long(
    10000,
    'MEDIUM',
    'How long to wait for the lock of a table when snapshot.locking.mode=shared, in milliseconds.',
  ),
  'snapshot.tables.order.by.row.count': choice(
    'disabled',
    ['disabled', 'ascending', 'descending'],
    'MEDIUM',
    "Whether a snapshot reads small or large tables first, by the planner's estimate.",
  ),
  'database.query.timeout.ms': int(
    600000,
    'LOW',
    'How long a query of the catalogue may take, in milliseconds. 0: any time. Snapshots are not bound by it.',
  ),
  'database.include.list': list(
    null,
    'HIGH',
    'Without meaning here: a connector reads one database (database.dbname).',
    regexes,
  ),
  'database.exclude.list': list(
    null,
    'MEDIUM',
    'Without meaning here: a connector reads one database (database.dbname).',
    regexes,
  ),
  'memory.management.schemas.class': classKey(
    'io.debezium.relational.ConcurrentMapTableMappingStorage',
    'LOW',
    'Only the default is there.',
  ),
  'memory.management.tables.class': classKey(
    'io.debezium.relational.ConcurrentMapTableMappingStorage',
    'LOW',
    'Only the default is there.',
  ),
})
