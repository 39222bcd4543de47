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

/** Whether the object has keys that JavaScript puts first whatever the order in which they were set: such as `7`. */
function hasIndexes(keys: readonly string[]): boolean {
  const first = keys[0]?.charCodeAt(0) ?? 0
  return first >= 0x30 && first <= 0x39
}

/** The keys of an object in the order in which Java would write them. */
export function keysInOrder(object: object): readonly string[] {
  const keys = Object.keys(object)
  return keys.length > 1 && hasIndexes(keys) ? hashMapOrder(keys, key => key, false, DEFAULT_TABLE) : keys
}
