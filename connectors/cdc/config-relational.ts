import { defineConfig, key } from 'millrace/connect'
import { mode, patterns } from './config-keys.ts'
import { wrongKeyColumns } from './key-columns.ts'
import { TIME_PRECISION_MODES } from './temporal.ts'

export const DECIMAL_MODES = ['precise', 'string', 'double'] as const
export type DecimalMode = (typeof DECIMAL_MODES)[number]

const ONE_DATABASE = 'A connector reads one database, database.dbname.'
const JAVA = 'Java classes cannot be loaded.'

const filterKeys = defineConfig({
  'schema.include.list': key.list({
    default: null,
    validator: patterns,
    importance: 'HIGH',
    documentation:
      'Regular expressions of the schemas to capture. Set either this key or schema.exclude.list. Default: all schemas.',
  }),
  'schema.exclude.list': key.list({
    default: null,
    validator: patterns,
    importance: 'MEDIUM',
    documentation: 'Regular expressions of the schemas that are not captured.',
  }),
  'table.include.list': key.list({
    default: null,
    validator: patterns,
    importance: 'HIGH',
    documentation:
      'Regular expressions of the tables to capture. Each must match the whole name SCHEMA.TABLE. Set either this key or table.exclude.list. Default: all tables.',
  }),
  'table.exclude.list': key.list({
    default: null,
    validator: patterns,
    importance: 'MEDIUM',
    documentation:
      'Regular expressions of the tables that are not captured. Each must match the whole name SCHEMA.TABLE.',
  }),
  'table.ignore.builtin': key.boolean({
    default: true,
    importance: 'LOW',
    documentation: 'Whether the system tables of the database are excluded.',
  }),
  'column.include.list': key.list({
    default: null,
    validator: patterns,
    importance: 'MEDIUM',
    documentation:
      'Regular expressions of the columns to include in the values of events. Each must match the whole name SCHEMA.TABLE.COLUMN. The columns of the key are always in the key. Default: all columns.',
  }),
  'column.exclude.list': key.list({
    default: null,
    validator: patterns,
    importance: 'MEDIUM',
    documentation:
      'Regular expressions of the columns to exclude from the values of events. Each must match the whole name SCHEMA.TABLE.COLUMN.',
  }),
  'database.include.list': key.list({
    default: null,
    validator: patterns,
    importance: 'HIGH',
    noEffect: ONE_DATABASE,
    documentation: 'Regular expressions of the databases to capture.',
  }),
  'database.exclude.list': key.list({
    default: null,
    validator: patterns,
    importance: 'MEDIUM',
    noEffect: ONE_DATABASE,
    documentation: 'Regular expressions of the databases that are not captured.',
  }),
})

const columnKeys = defineConfig({
  'message.key.columns': key.string({
    default: null,
    validator: {
      describe: 'list of table:column,column',
      check: v => (v === null ? null : wrongKeyColumns(String(v))),
    },
    importance: 'MEDIUM',
    documentation:
      'Columns to use as the key of events instead of the primary key, as SCHEMA.TABLE:COLUMN,COLUMN. Separate several tables by semicolons. The table may be a regular expression.',
  }),
  'column.mask.hash.([^.]+).with.salt.(.+)': key.string({
    default: null,
    importance: 'MEDIUM',
    documentation:
      'Regular expressions of text columns to replace by a hash with a salt. The name of this key contains the hash algorithm and the salt, such as column.mask.hash.v2.SHA-256.with.salt.x.',
  }),
  'column.mask.with.(d+).chars': key.string({
    default: null,
    importance: 'MEDIUM',
    documentation:
      'Regular expressions of text columns to replace by asterisks. The name of this key contains the number of asterisks, such as column.mask.with.8.chars.',
  }),
  'column.truncate.to.(d+).chars': key.int({
    default: null,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'Regular expressions of columns with text or bytes to truncate. The name of this key contains the maximum number of characters or bytes, such as column.truncate.to.20.chars.',
  }),
  'column.propagate.source.type': key.list({
    default: null,
    validator: patterns,
    importance: 'MEDIUM',
    documentation:
      "Regular expressions of columns whose schemas contain the column's type, length and scale in the database, as parameters. Each must match the whole name SCHEMA.TABLE.COLUMN.",
  }),
  'datatype.propagate.source.type': key.list({
    default: null,
    validator: patterns,
    importance: 'MEDIUM',
    documentation:
      'The same as column.propagate.source.type, but the regular expressions match types of the database, as SCHEMA.TABLE.TYPE.',
  }),
})

const valueKeys = defineConfig({
  'decimal.handling.mode': key.string({
    default: 'precise',
    validator: mode(DECIMAL_MODES),
    importance: 'MEDIUM',
    documentation:
      "How events represent decimal numbers. precise: Connect's Decimal, which is exact. string: text. double: a floating-point number, which may be rounded.",
  }),
  'time.precision.mode': key.string({
    default: 'adaptive',
    validator: mode(TIME_PRECISION_MODES),
    importance: 'MEDIUM',
    documentation:
      "How events represent dates and times. adaptive: as numbers of milliseconds or microseconds, whichever the column needs. adaptive_time_microseconds: the same, but times of day are always in microseconds. connect: Connect's types, which are rounded to milliseconds. isostring: text in ISO 8601. microseconds and nanoseconds: numbers in that unit.",
  }),
  'unavailable.value.placeholder': key.string({
    default: '__debezium_unavailable_value',
    importance: 'MEDIUM',
    documentation:
      'The text that replaces a large value which an update did not change, and which the database therefore did not send. If the text begins with hex:, the rest is the value in hexadecimal.',
  }),
  'include.schema.comments': key.boolean({
    default: false,
    importance: 'MEDIUM',
    documentation: 'Whether schemas contain the comments of columns as their documentation.',
  }),
})

const snapshotKeys = defineConfig({
  'snapshot.select.statement.overrides': key.string({
    default: null,
    importance: 'MEDIUM',
    documentation:
      'The tables, as SCHEMA.TABLE separated by commas, for which the snapshot runs your own query. Set the query of each table in snapshot.select.statement.overrides.SCHEMA.TABLE.',
  }),
  'snapshot.lock.timeout.ms': key.long({
    default: 10000,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'How long a snapshot with snapshot.locking.mode=shared waits for the lock of a table, in milliseconds.',
  }),
  'snapshot.tables.order.by.row.count': key.string({
    default: 'disabled',
    validator: mode(['disabled', 'ascending', 'descending']),
    importance: 'MEDIUM',
    documentation:
      'The order in which the snapshot reads tables. ascending: small tables first. descending: large tables first. disabled: as listed. The sizes are estimates of the database.',
  }),
  'database.query.timeout.ms': key.int({
    default: 600000,
    min: 0,
    importance: 'LOW',
    documentation:
      'The maximum time that a query of the system catalogs may take, in milliseconds. 0 means no limit. It does not apply to the queries of snapshots.',
  }),
  'memory.management.schemas.class': key.class({
    default: 'io.debezium.relational.ConcurrentMapTableMappingStorage',
    importance: 'LOW',
    noEffect: JAVA,
    documentation: 'The Java class that stores the schemas of tables.',
  }),
  'memory.management.tables.class': key.class({
    default: 'io.debezium.relational.ConcurrentMapTableMappingStorage',
    importance: 'LOW',
    noEffect: JAVA,
    documentation: 'The Java class that stores the structure of tables.',
  }),
})

/** The keys of Debezium's connectors for relational databases. */
export const relationalConfig = defineConfig({ ...filterKeys, ...columnKeys, ...valueKeys, ...snapshotKeys })
