import { kindOf, shownValue } from '../kind-of.ts'

const TYPES: ReadonlySet<unknown> = new Set([
  'int8',
  'int16',
  'int32',
  'int64',
  'float',
  'double',
  'boolean',
  'string',
  'bytes',
  'array',
  'map',
  'struct',
])
const MAX_DEPTH = 100

/**
 * Returns why a plugin's value is not a valid schema. Returns null for a valid schema, and for
 * null.
 */
export function schemaFault(schema: unknown, path: string, depth = 0): string | null {
  if (schema === null) return null
  if (typeof schema !== 'object')
    return `${path} is ${kindOf(schema)}, not a schema. Build schemas with primitive(), struct(), array() and map()`
  const { type, fields, keySchema, valueSchema } = schema as Record<string, unknown>
  if (!TYPES.has(type)) return `${path} has the unknown type ${String(type)}`
  if (depth === MAX_DEPTH) return null
  if (type === 'array' || type === 'map') {
    return (
      (type === 'map' ? schemaFault(keySchema ?? undefined, `${path}.keySchema`, depth + 1) : null) ??
      schemaFault(valueSchema ?? undefined, `${path}.valueSchema`, depth + 1)
    )
  }
  if (type !== 'struct') return null
  if (!Array.isArray(fields)) return `${path} is a struct without a list of fields`
  for (const field of fields) {
    const fault = schemaFault(field?.schema, `${path}.${String(field?.name)}`, depth + 1)
    if (fault) return fault
  }
  return null
}

/** Returns why a plugin's value is not a valid list of headers; null for a valid list. */
export function headersFault(headers: unknown): string | null {
  if (!Array.isArray(headers)) return `headers is ${kindOf(headers)}, not a list`
  for (const [i, header] of headers.entries()) {
    if (typeof header !== 'object' || header === null) return `headers[${i}] is ${kindOf(header)}, not a header`
    if (typeof header.key !== 'string') return `the key of headers[${i}] is ${kindOf(header.key)}, not a string`
    const fault = schemaFault(header.schema ?? null, `the schema of headers[${i}]`)
    if (fault) return fault
  }
  return null
}

/** Returns why a partition or a timestamp of a record is invalid, or null. */
export function placeFault(partition: unknown, timestamp: unknown): string | null {
  if (!isCountOrNull(partition))
    return `its partition is ${shownValue(partition)}, not null or an integer that is at least 0`
  if (!isCountOrNull(timestamp))
    return `its timestamp is ${shownValue(timestamp)}, not null or a number of milliseconds since 1970`
  return null
}

function isCountOrNull(value: unknown): boolean {
  return value === null || value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0)
}
