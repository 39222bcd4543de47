import { DataError, javaDouble } from '../../core/connect/index.ts'
import { quote } from './quote.ts'

/** Deeper data than this is taken for a cycle. */
const MAX_DEPTH = 500

/** Renders data without a schema. An integral number is written as Java's Long, any other as its Double. */
export function writeSchemaless(value: unknown): string {
  return write(value, 0)
}

function write(value: unknown, depth: number): string {
  if (value === null || value === undefined) return 'null'
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      if (!Number.isFinite(value)) return `"${value}"`
      return Number.isSafeInteger(value) ? `${value}` : javaDouble(value)
    case 'boolean':
    case 'bigint':
      return `${value}`
    case 'object':
      if (depth > MAX_DEPTH) throw new DataError(`the data is nested more than ${MAX_DEPTH} levels deep`)
      return writeObject(value, depth + 1)
    default:
      throw new DataError(`a ${typeof value} has no form in JSON`)
  }
}

function writeObject(value: object, depth: number): string {
  if (value instanceof Uint8Array) {
    return `"${Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')}"`
  }
  if (Array.isArray(value)) return `[${value.map(v => write(v, depth)).join(',')}]`
  if (value instanceof Map) {
    const entries = [...value]
    if (entries.every(([k]) => typeof k === 'string')) return writeEntries(entries, depth)
    return `[${entries.map(([k, v]) => `[${write(k, depth)},${write(v, depth)}]`).join(',')}]`
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null && value.constructor?.name !== 'Object') {
    throw new DataError(`a ${value.constructor?.name} needs a schema to be converted`)
  }
  return writeEntries(Object.entries(value), depth)
}

function writeEntries(entries: [string, unknown][], depth: number): string {
  return `{${entries.map(([k, v]) => `${quote(k)}:${write(v, depth)}`).join(',')}}`
}
