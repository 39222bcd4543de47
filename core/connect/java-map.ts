// Data without a schema is a java.util.HashMap in Connect, and its key order is visible wherever
// the data is written. So we keep object keys in the order of Java's HashMap, and write every
// object and Map in its own order.

/** The table of `new HashMap()`. */
export const DEFAULT_TABLE = 16
const LOAD = 0.75

/** The table of `new HashMap(capacity)`. */
export function tableOf(capacity: number): number {
  let table = 1
  while (table < capacity) table *= 2
  return table
}

/** The table of `new HashMap(map)` for a map with this many entries, in Java 17. */
export function tableOfCopy(size: number): number {
  return size === 0 ? DEFAULT_TABLE : tableOf(Math.trunc(size / LOAD + 1))
}

/** `hashCode()` of a key's Java type; integers are Longs if `long` is set. */
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
 * The items in the order of a HashMap filled one by one with their keys. Keys are strings, booleans
 * or integers; with `long`, integers are Longs.
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

/** Whether the object has keys, such as `7`, that JavaScript always puts first. */
function hasIndexes(keys: readonly string[]): boolean {
  const first = keys[0]?.charCodeAt(0) ?? 0
  return first >= 0x30 && first <= 0x39
}

/** The keys of an object in the order in which Java would write them. */
export function keysInOrder(object: object): readonly string[] {
  const keys = Object.keys(object)
  return keys.length > 1 && hasIndexes(keys) ? hashMapOrder(keys, key => key, false, DEFAULT_TABLE) : keys
}
