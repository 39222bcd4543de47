import type { Relation, RelationColumn } from '../catalog/catalog.ts'
import { errors } from '../errors.ts'
import type { Lsn } from '../lsn.ts'
import { NULL, UNAVAILABLE, type ValueBounds } from '../row-mapper.ts'

/** The first bytes of pgoutput's messages (protocol version 1), which are their types. */
export const Message = {
  Begin: 0x42, // B
  Commit: 0x43, // C
  Origin: 0x4f, // O
  Relation: 0x52, // R
  Type: 0x59, // Y
  Insert: 0x49, // I
  Update: 0x55, // U
  Delete: 0x44, // D
  Truncate: 0x54, // T
  Logical: 0x4d, // M
} as const

/**
 * A message: its bytes after the type, and its WAL position. One object is reused for all messages.
 */
export interface PgMessage {
  buf: Buffer
  at: number
  end: number
  lsn: Lsn
}

/** Microseconds from 1970 to 2000, the epoch of PostgreSQL. */
const EPOCH_MICROS = 946_684_800_000_000

/** Returns a timestamp of the protocol in microseconds since 1970. */
export const readMicros = (buf: Buffer, at: number): number =>
  buf.readInt32BE(at) * 0x1_0000_0000 + buf.readUInt32BE(at + 4) + EPOCH_MICROS

/** Converts microseconds since 1970 to microseconds since PostgreSQL's epoch. */
export const pgMicros = (unixMicros: number): bigint => BigInt(Math.round(unixMicros)) - BigInt(EPOCH_MICROS)

/** Reads a string up to its zero byte. `next` is the position after the zero byte. */
export function readString(buf: Buffer, at: number, end: number): { value: string; next: number } {
  const zero = buf.indexOf(0, at)
  if (zero < 0 || zero >= end) throw errors.create('MR_PG_PROTOCOL', { cause: 'a string does not end' })
  return { value: buf.toString('utf8', at, zero), next: zero + 1 }
}

/** Reads a relation message, which describes the structure of the tuples that follow. */
export function readRelation(buf: Buffer, start: number, end: number): Relation {
  const oid = buf.readUInt32BE(start)
  const schema = readString(buf, start + 4, end)
  const table = readString(buf, schema.next, end)
  const identity = String.fromCharCode(buf[table.next]!)
  const count = buf.readInt16BE(table.next + 1)
  const columns: RelationColumn[] = []
  let at = table.next + 3
  for (let i = 0; i < count; i++) {
    const isKey = (buf[at]! & 1) === 1
    const name = readString(buf, at + 1, end)
    columns.push({
      name: name.value,
      typeOid: buf.readUInt32BE(name.next),
      typmod: buf.readInt32BE(name.next + 4),
      isKey,
    })
    at = name.next + 8
  }
  // an empty schema name means pg_catalog
  return { oid, schema: schema.value || 'pg_catalog', table: table.value, identity, columns }
}

/** Reads the positions of a tuple's values into `bounds`. Returns the end of the tuple. */
export function readTuple(buf: Buffer, start: number, end: number, bounds: ValueBounds): number {
  const count = (buf[start]! << 8) | buf[start + 1]!
  bounds.ensure(count)
  const { starts, ends } = bounds
  let at = start + 2
  for (let i = 0; i < count; i++) {
    const kind = buf[at]!
    if (kind === 0x74) {
      const length = (buf[at + 1]! << 24) | (buf[at + 2]! << 16) | (buf[at + 3]! << 8) | buf[at + 4]!
      starts[i] = at + 5
      at += 5 + length
      ends[i] = at
    } else {
      // the other kinds are 'u' for a TOASTed value that did not change, and 'n' for NULL
      if (kind !== 0x75 && kind !== 0x6e)
        throw errors.create('MR_PG_PROTOCOL', { cause: `a value has the unknown kind ${kind}` })
      starts[i] = kind === 0x75 ? UNAVAILABLE : NULL
      ends[i] = 0
      at++
    }
  }
  if (at > end) throw errors.create('MR_PG_PROTOCOL', { cause: 'a tuple extends past the end of its message' })
  return at
}
