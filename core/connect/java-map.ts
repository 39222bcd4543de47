// Data without a schema is a java.util.HashMap in Connect, and its key order is visible wherever
// the data is written. So we keep object keys in the order of Java's HashMap, and write every
// object and Map in its own order.

import { DEFAULT_BUCKETS, inHashOrder, javaStringHash } from '../common/java-hash-map.ts'

export {
  bucketsOfCapacity as tableOf,
  bucketsOfCopy as tableOfCopy,
  DEFAULT_BUCKETS as DEFAULT_TABLE,
} from '../common/java-hash-map.ts'

/** `hashCode()` of a key's Java type; integers are Longs if `long` is set. */
function hashCode(key: unknown, long: boolean): number {
  switch (typeof key) {
    case 'string':
      return javaStringHash(key)
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
  return inHashOrder(items, item => hashCode(keyOf(item), long), table)
}

/** Whether the object has keys, such as `7`, that JavaScript always puts first. */
function hasIndexes(keys: readonly string[]): boolean {
  const first = keys[0]?.charCodeAt(0) ?? 0
  return first >= 0x30 && first <= 0x39
}

/** The keys of an object in the order in which Java would write them. */
export function keysInOrder(object: object): readonly string[] {
  const keys = Object.keys(object)
  return keys.length > 1 && hasIndexes(keys) ? hashMapOrder(keys, key => key, false, DEFAULT_BUCKETS) : keys
}
