import { createHash } from 'node:crypto'
import { DATE, DECIMAL, Decimal, type Schema, TIME, TIMESTAMP } from 'millrace/connect'
import { anyDate } from 'millrace/connect/java'

/** The setting `unavailable.value.placeholder`, as text and as bytes. */
export interface Placeholder {
  readonly placeholder: string
  readonly placeholderBytes: Buffer
}

const DAY_MS = 86_400_000

/** Returns the UUID that Java's `nameUUIDFromBytes` returns for bytes. */
function nameUuid(bytes: Buffer): string {
  const hash = createHash('md5').update(bytes).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x30
  hash[8] = (hash[8]! & 0x3f) | 0x80
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/**
 * Returns a number as a value of an integer schema: a Date for a logical type, otherwise the
 * number.
 */
function integer(schema: Schema, n: number): unknown {
  if (schema.name === DATE) return anyDate(n * DAY_MS)
  if (schema.name === TIME || schema.name === TIMESTAMP) return anyDate(n)
  return n
}

/**
 * Returns the elements of the placeholder for an array: the bytes of the placeholder in an array of
 * numbers, its bits in an array of booleans, and the placeholder itself in other arrays.
 */
function elements(schema: Schema, p: Placeholder): unknown[] {
  const bytes = [...new Int8Array(p.placeholderBytes)]
  switch (schema.type) {
    case 'boolean':
      return bytes.flatMap(b => Array.from({ length: 8 }, (_, i) => ((b >> (7 - i)) & 1) === 1))
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return bytes.map(b => integer(schema, b))
    case 'float':
    case 'double':
      return bytes
    default:
      return [unavailableOf(schema, p)]
  }
}

/**
 * Returns the placeholder for an unchanged TOASTed value, which follows from the schema of its
 * column. Never returns null.
 */
export function unavailableOf(schema: Schema, p: Placeholder): unknown {
  switch (schema.type) {
    case 'string':
      return schema.name === 'io.debezium.data.Uuid' ? nameUuid(p.placeholderBytes) : p.placeholder
    case 'bytes':
      return schema.name === DECIMAL
        ? Decimal.fromBuffer(p.placeholderBytes, Number(schema.parameters?.['scale'] ?? 0))
        : p.placeholderBytes
    case 'array':
      return elements(schema.valueSchema!, p)
    case 'map':
      return new Map([[unavailableOf(schema.keySchema!, p), unavailableOf(schema.valueSchema!, p)]])
    case 'struct':
      return Object.fromEntries(
        schema.fields!.map(f => [f.name, f.schema.optional ? null : unavailableOf(f.schema, p)] as const),
      )
    case 'float':
    case 'double':
      return Number.NaN
    case 'boolean':
      return false
    default:
      return integer(schema, 0)
  }
}

/**
 * Returns the placeholder of an array. `own` is the placeholder of its elements; null to derive it
 * from their schema.
 */
export const unavailableArray = (element: Schema, own: unknown, p: Placeholder): unknown[] =>
  own === null ? elements(element, p) : [own]
