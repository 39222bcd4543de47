import { DataError } from '../errors.ts'
import { double, Float } from '../java-numbers.ts'
import type { SchemaAndValue } from '../plugins.ts'
import type { Schema } from '../schema.ts'

const WIDTH: Readonly<Record<string, number>> = { int8: 1, int16: 2, int32: 3, int64: 4, float: 5, double: 6 }

/**
 * Returns a schema that fits the values of both schemas, such as the wider of two number types.
 * Returns null if no such schema exists.
 */
export function commonSchema(a: Schema, b: Schema): Schema | null {
  if (a.type === b.type) return a.optional ? a : b
  const wa = WIDTH[a.type]
  const wb = WIDTH[b.type]
  if (wa === undefined || wb === undefined || a.name || b.name) return null
  return wa > wb ? a : b
}

/**
 * Returns a value converted to a schema that `commonSchema` returned. Throws a DataError for null.
 */
export function align(schema: Schema, value: unknown): unknown {
  if (value === null) throw new DataError('Unable to convert a null value to a schema that requires a value')
  const { keySchema, valueSchema } = schema
  if (Array.isArray(value)) return valueSchema ? value.map(v => align(valueSchema, v)) : value
  if (value instanceof Map) {
    const out = new Map<unknown, unknown>()
    for (const [k, v] of value) {
      out.set(keySchema ? align(keySchema, k) : k, valueSchema ? align(valueSchema, v) : v)
    }
    return out
  }
  if (typeof value === 'bigint' && (schema.type === 'float' || schema.type === 'double')) return Number(value)
  return schema.type === 'float' && typeof value === 'number' ? Math.fround(value) : value
}

/**
 * Converts a value to a value without a schema, for a list or map whose elements have no common
 * schema. Floating-point numbers become objects where their type would otherwise be lost.
 */
export function withoutSchema({ schema, value }: SchemaAndValue): unknown {
  if (value === null || value === undefined || schema === null) return value ?? null
  if (typeof value === 'number') {
    return schema.type === 'float' ? new Float(value) : schema.type === 'double' ? double(value) : value
  }
  const { keySchema = null, valueSchema = null } = schema
  if (Array.isArray(value)) return value.map(item => withoutSchema({ schema: valueSchema, value: item }))
  if (!(value instanceof Map)) return value
  const entries = [...value].map(([key, item]): [unknown, unknown] => [
    withoutSchema({ schema: keySchema, value: key }),
    withoutSchema({ schema: valueSchema, value: item }),
  ])
  return new Map(entries)
}
