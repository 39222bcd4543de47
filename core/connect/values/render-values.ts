import { Decimal } from '../decimal.ts'
import { javaDouble, javaFloat } from '../java-floats.ts'
import { keysInOrder } from '../java-map.ts'
import { FloatingNumber } from '../java-numbers.ts'
import { javaBigDecimal } from '../java-text.ts'
import { getField } from '../own.ts'
import type { Schema, Struct } from '../schema.ts'
import { dateText } from './date-text.ts'

/**
 * Returns the text of a value, as org.apache.kafka.connect.data.Values.convertToString does.
 * Returns null for null.
 */
export function renderValue(schema: Schema | null, value: unknown): string | null {
  return value === null || value === undefined ? null : append(schema, value, false)
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, c => `\\${c}`)}"`
}

function append(schema: Schema | null, value: unknown, embedded: boolean): string {
  if (value === null || value === undefined) return 'null'
  switch (typeof value) {
    case 'string':
      return embedded ? quoted(value) : value
    case 'number':
      if (schema?.type === 'float') return javaFloat(value)
      return schema?.type === 'double' || !Number.isSafeInteger(value) ? javaDouble(value) : String(value)
    case 'object':
      return appendObject(schema, value, embedded)
    default:
      return String(value)
  }
}

function appendObject(schema: Schema | null, value: object, embedded: boolean): string {
  if (Buffer.isBuffer(value)) return embedded ? quoted(value.toString('base64')) : value.toString('base64')
  if (value instanceof FloatingNumber) return value.toString()
  if (value instanceof Decimal) return javaBigDecimal(value)
  if (value instanceof Date) return dateText(schema, value)
  if (Array.isArray(value)) return `[${value.map(v => append(schema?.valueSchema ?? null, v, true)).join(',')}]`
  if (schema?.type === 'struct') {
    const struct = value as Struct
    const fields = schema.fields ?? []
    return `{${fields.map(f => `${quoted(f.name)}:${append(f.schema, getField(struct, f.name) ?? f.schema.default, true)}`).join(',')}}`
  }
  const keySchema = schema?.keySchema ?? null
  const valueSchema = schema?.valueSchema ?? null
  const one = (k: unknown, v: unknown) => `${append(keySchema, k, true)}:${append(valueSchema, v, true)}`
  if (value instanceof Map) return `{${Array.from(value, ([k, v]) => one(k, v)).join(',')}}`
  const map = value as Struct
  return `{${keysInOrder(map)
    .map(k => one(k, map[k]))
    .join(',')}}`
}
