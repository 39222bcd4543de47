import { Decimal } from './decimal.ts'
import { FloatingNumber } from './java-numbers.ts'
import { DATE, DECIMAL, TIME, TIMESTAMP } from './logical.ts'
import { getField } from './own.ts'
import type { Schema, SchemaType, Struct } from './schema.ts'

const INTEGERS: Partial<Record<SchemaType, bigint>> = {
  int8: 1n << 7n,
  int16: 1n << 15n,
  int32: 1n << 31n,
  int64: 1n << 63n,
}

/**
 * Returns why a value does not match its schema, or null if it does. The rules are those of
 * Connect's ConnectSchema.validateValue, for the JavaScript types in docs/writing-a-plugin.md.
 * Without a schema, every value is valid.
 */
export function valueFault(schema: Schema | null, value: unknown, path = 'the value'): string | null {
  if (schema === null) return null
  if (value === null || value === undefined) {
    return schema.optional || schema.default !== undefined ? null : `${path} is null, but its schema is not optional`
  }
  const logical = logicalFault(schema, value, path)
  if (logical !== undefined) return logical
  const limit = INTEGERS[schema.type]
  if (limit !== undefined) return integerFault(limit, schema, value, path)
  switch (schema.type) {
    case 'float':
    case 'double':
      return typeof value === 'number' || value instanceof FloatingNumber ? null : wrongType(schema, value, path)
    case 'boolean':
    case 'string':
      return typeof value === schema.type ? null : wrongType(schema, value, path)
    case 'bytes':
      return value instanceof Uint8Array ? null : wrongType(schema, value, path)
    case 'array':
      return Array.isArray(value)
        ? first(value, (item, n) => valueFault(schema.valueSchema ?? null, item, `${path}[${n}]`))
        : wrongType(schema, value, path)
    case 'map':
      return mapFault(schema, value, path)
    default:
      return structFault(schema, value, path)
  }
}

/**
 * Returns why a value does not match its logical type, or null if it does. Returns undefined if the
 * schema has no logical type that is known here.
 */
function logicalFault(schema: Schema, value: unknown, path: string): string | null | undefined {
  switch (schema.name) {
    case DECIMAL:
      return value instanceof Decimal ? null : wrongType(schema, value, path)
    case DATE:
    case TIME:
    case TIMESTAMP:
      return value instanceof Date ? null : wrongType(schema, value, path)
    default:
      return undefined
  }
}

function integerFault(limit: bigint, schema: Schema, value: unknown, path: string): string | null {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return wrongType(schema, value, path)
  const exact = BigInt(value as number | bigint)
  return exact >= -limit && exact < limit ? null : `${path} is ${exact}, which is out of the range of ${schema.type}`
}

function mapFault(schema: Schema, value: unknown, path: string): string | null {
  if (typeof value !== 'object' || Array.isArray(value)) return wrongType(schema, value, path)
  const entries = value instanceof Map ? [...value] : Object.entries(value as object)
  return first(entries, ([key, item]) => {
    const fault = valueFault(schema.keySchema ?? null, key, `a key of ${path}`)
    return fault ?? valueFault(schema.valueSchema ?? null, item, `${path}[${JSON.stringify(String(key))}]`)
  })
}

function structFault(schema: Schema, value: unknown, path: string): string | null {
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof Map) return wrongType(schema, value, path)
  const fields = schema.fields ?? []
  const known = new Set(fields.map(f => f.name))
  const unknown = Object.keys(value as object).find(name => !known.has(name))
  const fault = first(fields, f => valueFault(f.schema, getField(value as Struct, f.name), `${path}.${f.name}`))
  if (fault !== null || unknown === undefined) return fault
  return `${path} has the field ${unknown}, which its schema does not have`
}

function first<T>(items: readonly T[], faultOf: (item: T, index: number) => string | null): string | null {
  for (let i = 0; i < items.length; i++) {
    const fault = faultOf(items[i]!, i)
    if (fault !== null) return fault
  }
  return null
}

function wrongType(schema: Schema, value: unknown, path: string): string {
  const found = typeof value === 'object' ? ((value as object).constructor?.name ?? 'object') : typeof value
  return `${path} is of type ${found}, but its schema is ${schema.name ?? schema.type}`
}
