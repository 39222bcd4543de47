import { type ConnectRecord, DataError, Decimal, FloatingNumber, type Schema, type Struct } from 'millrace/connect'

/** Says what a value is, for an error message. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof FloatingNumber) return 'a number'
  if (Buffer.isBuffer(value)) return 'bytes'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? `a ${value.constructor?.name ?? 'object'}` : `a ${typeof value}`
}

/** Data without a schema that must be an object. Throws DataError; `purpose` completes "... supported in absence of schema for [..]". */
export function requireMap(value: unknown, purpose: string): Struct {
  const map = mapOrNull(value, purpose)
  if (map === null) {
    throw new DataError(`Only Map objects supported in absence of schema for [${purpose}], found: null`)
  }
  return map
}

/** Whether a value of data without a schema is a map. */
export function isMap(value: unknown): value is Struct | Map<unknown, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const isValue = value instanceof FloatingNumber || value instanceof Decimal || value instanceof Date
  return !isValue && !Buffer.isBuffer(value)
}

/** As requireMap, but null is fine. */
export function mapOrNull(value: unknown, purpose: string): Struct | null {
  if (value === null || value === undefined) return null
  if (value instanceof Map) return Object.fromEntries(value) as Struct
  if (!isMap(value)) {
    throw new DataError(
      `Only Map objects supported in absence of schema for [${purpose}], found: ${typeName(value)}. ` +
        `HoistField wraps single values, a predicate keeps this transformation from such records.`,
    )
  }
  return value as Struct
}

/** A struct with its schema. Throws DataError for null and for anything else. */
export function requireStruct(schema: Schema, value: unknown, purpose: string): Struct {
  const struct = structOrNull(schema, value, purpose)
  if (struct === null) throw new DataError(`Only Struct objects supported for [${purpose}], found: null`)
  return struct
}

/** As requireStruct, but null is fine. */
export function structOrNull(schema: Schema, value: unknown, purpose: string): Struct | null {
  if (value === null || value === undefined) return null
  if (schema.type !== 'struct' || typeof value !== 'object') {
    throw new DataError(`Only Struct objects supported for [${purpose}], found: ${schema.type} (${typeName(value)})`)
  }
  return value as Struct
}

/** A record's offset; throws DataError for a record that comes from a source. */
export function requireOffset(record: ConnectRecord, purpose: string): number {
  if (!('offset' in record) || typeof record.offset !== 'number') {
    throw new DataError(`Only SinkRecord supported for [${purpose}], found a record of a source connector`)
  }
  return record.offset
}
