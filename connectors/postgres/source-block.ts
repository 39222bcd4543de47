import { primitive, type Schema, type SchemaOptions, type Struct } from 'millrace/connect'
import { type EventTime, type SnapshotMark, sourceSchema, type TableName } from '../cdc/index.ts'
import type { Lsn } from './lsn.ts'

/** The name of the connector in events. */
export const CONNECTOR = 'postgresql'

const optional: SchemaOptions = { optional: true }

export const postgresSource: Schema = sourceSchema('io.debezium.connector.postgresql.Source', {
  schema: primitive('string'),
  table: primitive('string'),
  txId: primitive('int64', optional),
  lsn: primitive('int64', optional),
  xmin: primitive('int64', optional),
  origin: primitive('string', optional),
  origin_lsn: primitive('int64', optional),
})

export interface Origin {
  readonly name: string
  readonly lsn: Lsn
}

/** The fields that several source blocks have in common, such as those of one transaction. */
export interface SharedSourceFields {
  readonly time: EventTime
  readonly mark: SnapshotMark
  /** The end of the previous transaction; null if it is not known. */
  readonly lastCommit: Lsn | null
  readonly txId: number | null
  readonly xmin: number | null
  readonly origin: Origin | null
}

/** Creates the source blocks of a task's events. */
export class SourceBlocks {
  readonly #prefix: string
  readonly #database: string
  /** The version of the connector in events. */
  readonly #version: string

  constructor(prefix: string, database: string, version: string) {
    this.#prefix = prefix
    this.#version = version
    this.#database = database
  }

  /** Returns the source block of an event of a table at a WAL position. */
  make(table: TableName, lsn: Lsn, shared: SharedSourceFields): Struct {
    const { time, mark, lastCommit, txId, xmin, origin } = shared
    return {
      version: this.#version,
      connector: CONNECTOR,
      name: this.#prefix,
      ts_ms: time.ms,
      // As in Debezium, `snapshot` is null in events of the stream. For null, JsonConverter writes
      // the schema's default.
      snapshot: mark === 'false' ? null : mark,
      db: this.#database,
      sequence: lastCommit === null ? `[null,"${lsn}"]` : `["${lastCommit}","${lsn}"]`,
      ts_us: time.us,
      ts_ns: time.ns,
      schema: table.schema,
      table: table.table,
      txId,
      lsn,
      xmin,
      origin: origin?.name ?? null,
      origin_lsn: origin?.lsn ?? null,
    }
  }
}
