// In Connect, an object without a schema is a java.util.HashMap. Its key order is visible wherever
// the data is written. So we keep the keys of objects in the order of Java's HashMap, and write
// every object and Map in the order of its keys.

import { DEFAULT_BUCKETS, inHashOrder, javaStringHash } from '../common/java-hash-map.ts'

export {
  bucketsOfCapacity as tableOf,
  bucketsOfCopy as tableOfCopy,
  DEFAULT_BUCKETS as DEFAULT_TABLE,
} from '../common/java-hash-map.ts'

/** Returns Java's `hashCode()` of a key. If `long` is true, integers are hashed as Longs. */
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
 * Returns the items in the order of a HashMap into which their keys were put one by one. Keys are
 * strings, booleans or integers. If `long` is true, integers are hashed as Longs.
 */
export function hashMapOrder<T>(items: readonly T[], keyOf: (item: T) => unknown, long: boolean, table: number): T[] {
  return inHashOrder(items, item => hashCode(keyOf(item), long), table)
}

/** Whether the keys include integers such as `7`, which JavaScript always puts first. */
function hasIndexes(keys: readonly string[]): boolean {
  const first = keys[0]?.charCodeAt(0) ?? 0
  return first >= 0x30 && first <= 0x39
}

/** Returns the keys of an object in the order in which Java would write them. */
export function keysInOrder(object: object): readonly string[] {
  const keys = Object.keys(object)
  return keys.length > 1 && hasIndexes(keys) ? hashMapOrder(keys, key => key, false, DEFAULT_BUCKETS) : keys
}
