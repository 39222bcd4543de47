import type { Struct } from './schema.ts'

// Data without a schema is a java.util.HashMap in Connect, and the order of its keys shows wherever the data is written. So we give
// objects their keys in the order in which Java's HashMap returns them, and write every object and Map in its own order.

/** The table of `new HashMap()`. */
export const DEFAULT_TABLE = 16
const LOAD = 0.75

/** The table of `new HashMap(capacity)`. */
export function tableOf(capacity: number): number {
  let table = 1
  while (table < capacity) table *= 2
  return table
}

/** The table of `new HashMap(map)` for a map of so many entries, in Java 17. */
export function tableOfCopy(size: number): number {
  return size === 0 ? DEFAULT_TABLE : tableOf(Math.trunc(size / LOAD + 1))
}

/** `hashCode()` of the Java type that a key stands for; integers are Longs where `long` says so. */
function hashCode(key: unknown, long: boolean): number {
  switch (typeof key) {
    case 'string': {
      let hash = 0
      for (let i = 0; i < key.length; i++) hash = (Math.imul(31, hash) + key.charCodeAt(i)) | 0
      return hash
    }
    case 'number':
      if (!Number.isSafeInteger(key)) return 0
      return long ? hashOfLong(BigInt(key)) : key | 0
    case 'bigint':
      return hashOfLong(key)
    case 'boolean':
      return key ? 1231 : 1237
    default:
      return 0
  }
}

function hashOfLong(value: bigint): number {
  return Number(BigInt.asIntN(32, value ^ (BigInt.asIntN(64, value) >> 32n)))
}

/**
 * The items in the order of a HashMap that was filled one by one with their keys. Keys are texts, booleans or integers; `long`
 * says that the integers are Longs.
 */
export function hashMapOrder<T>(items: readonly T[], keyOf: (item: T) => unknown, long: boolean, table: number): T[] {
  let buckets = table
  while (items.length > buckets * LOAD) buckets *= 2
  const placed = items.map(item => {
    const hash = hashCode(keyOf(item), long)
    return { item, bucket: (hash ^ (hash >>> 16)) & (buckets - 1) }
  })
  // within a bucket the first put comes first, and sorting is stable
  return placed.sort((a, b) => a.bucket - b.bucket).map(p => p.item)
}

/** Objects of one and the same list of keys, and how the HashMap of them is ordered. */
interface Shape {
  readonly keys: readonly string[]
  readonly table: number
  /** Has the keys in the HashMap's order; null where objects have it already. */
  readonly template: Readonly<Record<string, unknown>> | null
  readonly ordered: readonly string[]
}

/** Shapes that were met lately; each has one slot. */
const SLOTS = 1024
const shapes: (Shape | undefined)[] = new Array<Shape | undefined>(SLOTS)
/** Objects of more keys are not kept as shapes: their keys are mostly data. */
const MOST_KEYS = 256

function slotOf(keys: readonly string[], table: number): number {
  const first = keys[0]!
  const last = keys[keys.length - 1]!
  const mixed = keys.length * 31 + first.charCodeAt(0) * 7 + first.length * 131 + last.charCodeAt(0) * 17 + last.length
  return (mixed * 31 + table) & (SLOTS - 1)
}

function isShape(shape: Shape | undefined, keys: readonly string[], table: number): shape is Shape {
  if (shape === undefined || shape.table !== table || shape.keys.length !== keys.length) return false
  for (let i = 0; i < keys.length; i++) if (keys[i] !== shape.keys[i]) return false
  return true
}

const itself = (key: string) => key

function shapeOf(keys: readonly string[], table: number): Shape {
  if (keys.length > MOST_KEYS) return newShape(keys, table)
  const slot = slotOf(keys, table)
  const known = shapes[slot]
  if (isShape(known, keys, table)) return known
  return (shapes[slot] = newShape(keys, table))
}

function newShape(keys: readonly string[], table: number): Shape {
  const ordered = hashMapOrder(keys, itself, false, table)
  const template = Object.fromEntries(ordered.map(key => [key, null]))
  const same = ordered.every((key, i) => key === keys[i])
  return { keys, table, ordered, template: same ? null : template }
}

/**
 * The object with its keys in the order of the HashMap that was filled with them: the same object where they are already. Objects
 * in it are replaced by what `inner` makes of them. Keys that are array indexes (`7`) come first in any object of JavaScript; see
 * `keysInOrder`.
 */
export function inHashMapOrder(object: Struct, inner: (item: object) => object, table = DEFAULT_TABLE): Struct {
  const keys = Object.keys(object)
  if (keys.length === 0) return object
  const { template, ordered } = shapeOf(keys, table)
  // all keys are own ones of the template, so that setting `__proto__` is nothing special
  const out = template === null ? object : { ...template }
  for (let i = 0; i < ordered.length; i++) {
    const key = ordered[i]!
    const item = object[key]
    if (typeof item === 'object' && item !== null) out[key] = inner(item)
    else if (template !== null) out[key] = item
  }
  return out
}

/** Whether the object has keys that JavaScript puts first whatever the order in which they were set: such as `7`. */
function hasIndexes(keys: readonly string[]): boolean {
  const first = keys[0]?.charCodeAt(0) ?? 0
  return first >= 0x30 && first <= 0x39
}

/** The keys of an object in the order in which Java would write them. */
export function keysInOrder(object: object): readonly string[] {
  const keys = Object.keys(object)
  return keys.length > 1 && hasIndexes(keys) ? hashMapOrder(keys, itself, false, DEFAULT_TABLE) : keys
}
