import type { Props } from 'millrace/connect'
import {
  type AdjustmentMode,
  type BinaryMode,
  ColumnRules,
  compileList,
  type DecimalMode,
  KeyColumns,
  rawList,
  Selection,
  type TableName,
  type TimePrecisionMode,
  TopicNaming,
} from '../cdc/index.ts'
import type { PostgresValues } from './config.ts'
import type { FlushMode } from './stream/position.ts'

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | null
  readonly database: string
  readonly sslMode: PostgresValues['database.sslmode']
  readonly sslCert: string | null
  readonly sslKey: string | null
  readonly sslPassword: string | null
  readonly sslRootCert: string | null
  readonly keepAlive: boolean
  readonly queryTimeoutMs: number
  readonly initialStatements: readonly string[]
}

/** How events represent values. */
export interface ValueOptions {
  readonly decimals: DecimalMode
  readonly time: TimePrecisionMode
  readonly binary: BinaryMode
  readonly hstore: PostgresValues['hstore.handling.mode']
  readonly interval: PostgresValues['interval.handling.mode']
  readonly moneyDigits: number
  readonly includeUnknown: boolean
  /** The placeholder for unchanged TOAST values, as text and as bytes. */
  readonly placeholder: string
  readonly placeholderBytes: Buffer
}

/** The configuration in the form that the task uses. */
export interface PostgresOptions {
  readonly prefix: string
  readonly connection: ConnectionOptions
  readonly values: ValueOptions
  readonly topics: TopicNaming
  readonly selection: Selection
  readonly keys: KeyColumns
  readonly rules: ColumnRules
  readonly schemaNames: AdjustmentMode
  readonly fieldNames: AdjustmentMode
  readonly comments: boolean
  readonly tombstones: boolean
  readonly skipped: ReadonlySet<string>
  readonly skipUnchanged: boolean
  readonly convertingFailure: PostgresValues['event.converting.failure.handling.mode']
  readonly transactionMetadata: boolean
  readonly contextHeaders: boolean
  readonly maxBatch: number
  /** The memory for data that is read ahead, in bytes. */
  readonly maxQueueBytes: number
  readonly heartbeatMs: number
  readonly heartbeatQuery: string | null
  readonly messageInclude: RegExp[] | null
  readonly messageExclude: RegExp[] | null
  readonly maxRetries: number
  readonly maxRetryWaitMs: number
  readonly slot: {
    readonly name: string
    readonly dropOnStop: boolean
    readonly failover: boolean
    readonly params: ReadonlyArray<readonly [string, string]>
    readonly maxRetries: number
    readonly retryDelayMs: number
    readonly statusMs: number
    readonly flush: FlushMode
    readonly mismatch: PostgresValues['offset.mismatch.strategy']
    readonly xminMs: number
  }
  readonly publication: {
    readonly name: string
    readonly autocreate: PostgresValues['publication.autocreate.mode']
    readonly viaRoot: boolean
    readonly identities: string | null
  }
  readonly snapshot: {
    readonly mode: PostgresValues['snapshot.mode']
    readonly isolation: PostgresValues['snapshot.isolation.mode']
    readonly lock: boolean
    readonly lockTimeoutMs: number
    readonly delayMs: number
    readonly include: RegExp[] | null
    readonly order: PostgresValues['snapshot.tables.order.by.row.count']
    /** The query that the snapshot runs instead of reading a table, by `schema.table`. */
    readonly overrides: ReadonlyMap<string, string>
  }
  readonly streamingDelayMs: number
  readonly guardrail: { readonly max: number; readonly fail: boolean }
}

/**
 * The default of `max.queue.size.in.bytes`. It is large enough for several polls, and small enough
 * that V8 frees the chunks in minor garbage collections. Chunks that wait longer are freed only in
 * a full garbage collection.
 */
const DEFAULT_QUEUE_BYTES = 64 * 1024
/**
 * The largest number of records to decode at a time. It is small enough that V8 frees the records
 * in minor garbage collections.
 */
const MOST_AT_ONCE = 256

const builtin = (name: TableName): boolean =>
  name.schema === 'pg_catalog' || name.schema === 'information_schema' || /^pg_(toast|temp)/.test(name.schema)

function statements(text: string | null): string[] {
  return (text ?? '')
    .split(/(?<!;);(?!;)/)
    .map(s => s.replaceAll(';;', ';').trim())
    .filter(s => s !== '')
}

function streamParams(text: string | null): [string, string][] {
  return (text ?? '')
    .split(';')
    .filter(p => p.includes('='))
    .map(p => [p.slice(0, p.indexOf('=')).trim(), p.slice(p.indexOf('=') + 1).trim()])
}

function overrides(list: string | null, props: Props): Map<string, string> {
  const out = new Map<string, string>()
  for (const table of (list ?? '').split(',').map(t => t.trim())) {
    const query = props[`snapshot.select.statement.overrides.${table}`]
    if (table !== '' && query !== undefined) out.set(table, query.replace(/;\s*$/, ''))
  }
  return out
}

/**
 * Returns the placeholder as text and as bytes. After the prefix `hex:`, `text` contains
 * hexadecimal digits.
 */
function placeholderOf(text: string): { placeholder: string; placeholderBytes: Buffer } {
  const bytes = text.startsWith('hex:') ? Buffer.from(text.slice(4), 'hex') : Buffer.from(text)
  return { placeholder: bytes.toString(), placeholderBytes: bytes }
}

/**
 * Returns the settings in the form that the task uses. `props` is the same configuration as text,
 * for keys whose names are variable, such as those with a pattern of columns. The declaration
 * cannot list such keys.
 */
export function parseOptions(c: PostgresValues, props: Props): PostgresOptions {
  const prefix = c['topic.prefix'] ?? ''
  const flush = c['lsn.flush.mode'] ?? (c['flush.lsn.source'] ? 'connector_and_driver' : 'manual')
  const database = c['database.dbname'] ?? ''
  return {
    prefix,
    connection: {
      host: c['database.hostname'] ?? '',
      port: c['database.port'],
      user: c['database.user'] ?? '',
      password: c['database.password']?.value ?? null,
      database,
      sslMode: c['database.sslmode'],
      sslCert: c['database.sslcert'],
      sslKey: c['database.sslkey'],
      sslPassword: c['database.sslpassword']?.value ?? null,
      sslRootCert: c['database.sslrootcert'],
      keepAlive: c['database.tcpKeepAlive'],
      queryTimeoutMs: c['database.query.timeout.ms'],
      initialStatements: statements(c['database.initial.statements']),
    },
    values: {
      decimals: c['decimal.handling.mode'],
      time: c['time.precision.mode'],
      binary: c['binary.handling.mode'],
      hstore: c['hstore.handling.mode'],
      interval: c['interval.handling.mode'],
      moneyDigits: c['money.fraction.digits'],
      includeUnknown: c['include.unknown.datatypes'],
      ...placeholderOf(c['unavailable.value.placeholder']),
    },
    topics: new TopicNaming({
      prefix,
      delimiter: c['topic.delimiter'],
      transaction: c['topic.transaction'],
      heartbeatPrefix: c['topic.heartbeat.prefix'] ?? c['heartbeat.topics.prefix'],
      heartbeatName: c['topic.heartbeat.name'],
      unicode: /Unicode/.test(c['topic.naming.strategy']),
    }),
    selection: new Selection(
      {
        tableInclude: rawList(c['table.include.list']),
        tableExclude: rawList(c['table.exclude.list']),
        schemaInclude: rawList(c['schema.include.list']),
        schemaExclude: rawList(c['schema.exclude.list']),
        columnInclude: rawList(c['column.include.list']),
        columnExclude: rawList(c['column.exclude.list']),
      },
      c['table.ignore.builtin'] ? builtin : null,
    ),
    keys: new KeyColumns(c['message.key.columns']),
    rules: new ColumnRules(props, database),
    schemaNames: c['schema.name.adjustment.mode'],
    fieldNames: c['field.name.adjustment.mode'],
    comments: c['include.schema.comments'],
    tombstones: c['tombstones.on.delete'],
    skipped: new Set(c['skipped.operations'].map(o => o.trim().toLowerCase())),
    skipUnchanged: c['skip.messages.without.change'],
    convertingFailure: c['event.converting.failure.handling.mode'],
    transactionMetadata: c['provide.transaction.metadata'],
    contextHeaders: c['extended.headers.enabled'],
    maxBatch: Math.min(c['max.batch.size'], MOST_AT_ONCE),
    maxQueueBytes: c['max.queue.size.in.bytes'] || DEFAULT_QUEUE_BYTES,
    heartbeatMs: c['heartbeat.interval.ms'],
    heartbeatQuery: c['heartbeat.action.query'],
    messageInclude: compileList(rawList(c['message.prefix.include.list'])),
    messageExclude: compileList(rawList(c['message.prefix.exclude.list'])),
    maxRetries: c['errors.max.retries'],
    maxRetryWaitMs: c['retriable.restart.connector.wait.ms'],
    slot: {
      name: c['slot.name'],
      dropOnStop: c['slot.drop.on.stop'],
      failover: c['slot.failover'],
      params: streamParams(c['slot.stream.params']),
      maxRetries: c['slot.max.retries'],
      retryDelayMs: c['slot.retry.delay.ms'],
      statusMs: c['status.update.interval.ms'],
      flush: flush,
      mismatch: c['internal.slot.seek.to.known.offset.on.start'] ? 'trust_offset' : c['offset.mismatch.strategy'],
      xminMs: c['xmin.fetch.interval.ms'],
    },
    publication: {
      name: c['publication.name'],
      autocreate: c['publication.autocreate.mode'],
      viaRoot: c['publish.via.partition.root'],
      identities: c['replica.identity.autoset.values'],
    },
    snapshot: {
      mode: c['snapshot.mode'],
      isolation: c['snapshot.isolation.mode'],
      lock: c['snapshot.locking.mode'] === 'shared',
      lockTimeoutMs: c['snapshot.lock.timeout.ms'],
      delayMs: c['snapshot.delay.ms'],
      include: compileList(rawList(c['snapshot.include.collection.list'])),
      order: c['snapshot.tables.order.by.row.count'],
      overrides: overrides(c['snapshot.select.statement.overrides'], props),
    },
    streamingDelayMs: c['streaming.delay.ms'],
    guardrail: {
      max: c['guardrail.collections.max'],
      fail: c['guardrail.collections.limit.action'] === 'fail',
    },
  }
}
