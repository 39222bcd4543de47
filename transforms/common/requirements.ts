import { type ConnectRecord, DataError, Decimal, FloatingNumber, type Schema, type Struct } from 'millrace/connect'

/** Returns the type of a value for error messages. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof FloatingNumber) return 'a number'
  if (Buffer.isBuffer(value)) return 'bytes'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? `a ${value.constructor?.name ?? 'object'}` : `a ${typeof value}`
}

/**
 * Returns data without a schema as an object. Throws a DataError that contains `purpose` if the
 * data is not an object.
 */
export function requireMap(value: unknown, purpose: string): Struct {
  const map = mapOrNull(value, purpose)
  if (map === null) {
    throw new DataError(`Only Map objects supported in absence of schema for [${purpose}], found: null`)
  }
  return map
}

/** Whether a value without a schema is a map. */
export function isMap(value: unknown): value is Struct | Map<unknown, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const isValue = value instanceof FloatingNumber || value instanceof Decimal || value instanceof Date
  return !isValue && !Buffer.isBuffer(value)
}

/** Like requireMap, but accepts null. */
export function mapOrNull(value: unknown, purpose: string): Struct | null {
  if (value === null || value === undefined) return null
  if (value instanceof Map) return Object.fromEntries(value) as Struct
  if (!isMap(value)) {
    throw new DataError(
      `Only Map objects supported in absence of schema for [${purpose}], found: ${typeName(value)}. ` +
        `Use HoistField first to wrap single values, or a predicate to exclude such records.`,
    )
  }
  return value as Struct
}

/** Returns a struct. Throws a DataError for null and for other values. */
export function requireStruct(schema: Schema, value: unknown, purpose: string): Struct {
  const struct = structOrNull(schema, value, purpose)
  if (struct === null) throw new DataError(`Only Struct objects supported for [${purpose}], found: null`)
  return struct
}

/** Like requireStruct, but accepts null. */
export function structOrNull(schema: Schema, value: unknown, purpose: string): Struct | null {
  if (value === null || value === undefined) return null
  if (schema.type !== 'struct' || typeof value !== 'object') {
    throw new DataError(`Only Struct objects supported for [${purpose}], found: ${schema.type} (${typeName(value)})`)
  }
  return value as Struct
}

/** Returns the offset of a record. Throws a DataError for the record of a source connector. */
export function requireOffset(record: ConnectRecord, purpose: string): number {
  if (!('offset' in record) || typeof record.offset !== 'number') {
    throw new DataError(`Only SinkRecord supported for [${purpose}], found a record of a source connector`)
  }
  return record.offset
}
