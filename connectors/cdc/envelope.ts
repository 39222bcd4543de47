import { primitive, type Schema, type Struct, struct, withOptions } from 'millrace/connect'

/** The values of `source.snapshot`: the position of a record in a snapshot. */
export type SnapshotMark =
  | 'true'
  | 'first'
  | 'first_in_data_collection'
  | 'last_in_data_collection'
  | 'last'
  | 'false'
  | 'incremental'

/**
 * The operation of an event: `c`reate, `u`pdate, `d`elete, `r`ead (snapshot), `t`runcate,
 * `m`essage.
 */
export type Operation = 'c' | 'u' | 'd' | 'r' | 't' | 'm'

const text = primitive('string')
const optionalText = primitive('string', { optional: true })
const int64 = primitive('int64')
const optionalInt64 = primitive('int64', { optional: true })

/**
 * Returns the schema of a source block: first the fields of all connectors, then the fields in
 * `own`.
 */
export function sourceSchema(name: string, own: Readonly<Record<string, Schema>>): Schema {
  return struct(
    {
      version: text,
      connector: text,
      name: text,
      ts_ms: int64,
      snapshot: primitive('string', {
        optional: true,
        name: 'io.debezium.data.Enum',
        version: 1,
        parameters: { allowed: 'true,first,first_in_data_collection,last_in_data_collection,last,false,incremental' },
        default: 'false',
      }),
      db: text,
      sequence: optionalText,
      ts_us: optionalInt64,
      ts_ns: optionalInt64,
      ...own,
    },
    { name, version: 1 },
  )
}

/**
 * The transaction block of an event: the id of the transaction, the number of the event in the
 * transaction, and its number among the events of its table.
 */
export const transactionBlock: Schema = struct(
  { id: text, total_order: int64, data_collection_order: int64 },
  { optional: true, name: 'event.block', version: 1 },
)

/** Returns the schema of a change event's value. */
export function envelopeSchema(name: string, row: Schema, source: Schema): Schema {
  const optionalRow = withOptions(row, { optional: true })
  return struct(
    {
      before: optionalRow,
      after: optionalRow,
      source,
      transaction: transactionBlock,
      op: text,
      ts_ms: optionalInt64,
      ts_us: optionalInt64,
      ts_ns: optionalInt64,
    },
    { name, version: 2 },
  )
}

/** The time of an event since 1970, in milliseconds, microseconds and nanoseconds. */
export interface EventTime {
  readonly ms: number
  readonly us: number
  readonly ns: bigint
}

/**
 * Returns the time of an event from microseconds since 1970. Nanoseconds exceed the safe integers,
 * so they are a bigint.
 */
export function eventTime(us: number): EventTime {
  return { ms: Math.floor(us / 1000), us, ns: BigInt(us) * 1000n }
}

/** Returns the current time in microseconds since 1970. It never decreases within a process. */
export function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}

/** The parts of a change event. */
export interface ChangeEvent {
  readonly op: Operation
  readonly before: Struct | null
  readonly after: Struct | null
  readonly source: Struct
  readonly transaction: Struct | null
  readonly time: EventTime
}

/** Returns the value of a change event. */
export function envelope({ op, before, after, source, transaction, time }: ChangeEvent): Struct {
  return { before, after, source, transaction, op, ts_ms: time.ms, ts_us: time.us, ts_ns: time.ns }
}
