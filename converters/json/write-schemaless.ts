import { DataError, FloatingNumber } from 'millrace/connect'
import { javaDouble, keysInOrder } from 'millrace/connect/java'
import { quote } from './quote.ts'

/** The maximum depth of nested data. Deeper data probably contains a cycle. */
const MAX_DEPTH = 1000

/**
 * Returns data without a schema as JSON. Integers are written like a Java Long, and other plain
 * numbers like a Java Double.
 */
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
      throw new DataError(`a ${typeof value} cannot be written as JSON`)
  }
}

/** Caches the JSON text of field names. */
const heads = new Map<string, string>()
const MOST_HEADS = 10_000
const LONGEST_HEAD = 64

function headOf(name: string): string {
  let head = heads.get(name)
  if (head === undefined) {
    head = `${quote(name)}:`
    if (name.length > LONGEST_HEAD) return head
    if (heads.size >= MOST_HEADS) heads.clear()
    heads.set(name, head)
  }
  return head
}

function writeObject(value: object, depth: number): string {
  if (Array.isArray(value)) {
    let out = ''
    for (const item of value) out += `${out === '' ? '[' : ','}${write(item, depth)}`
    return out === '' ? '[]' : `${out}]`
  }
  if (value instanceof FloatingNumber) return Number.isFinite(value.value) ? value.toString() : `"${value}"`
  if (value instanceof Uint8Array) {
    return `"${Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')}"`
  }
  if (value instanceof Map) return writeMap(value, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null && value.constructor?.name !== 'Object') {
    throw new DataError(`a ${value.constructor?.name} needs a schema to be converted`)
  }
  const fields = value as Record<string, unknown>
  let out = ''
  for (const name of keysInOrder(fields)) out += `${out === '' ? '{' : ','}${headOf(name)}${write(fields[name], depth)}`
  return out === '' ? '{}' : `${out}}`
}

/** Writes a map with string keys as an object, and any other map as an array of pairs. */
function writeMap(map: ReadonlyMap<unknown, unknown>, depth: number): string {
  let out = ''
  if ([...map.keys()].every(key => typeof key === 'string')) {
    for (const [key, item] of map) out += `${out === '' ? '' : ','}${headOf(key as string)}${write(item, depth)}`
    return `{${out}}`
  }
  for (const [key, item] of map) out += `${out === '' ? '' : ','}[${write(key, depth)},${write(item, depth)}]`
  return `[${out}]`
}
