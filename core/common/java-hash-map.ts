// The iteration order of a java.util.HashMap. Kafka's assignors and Connect's data without a
// schema depend on it.

/** The number of buckets of `new HashMap()`. */
export const DEFAULT_BUCKETS = 16
const LOAD_FACTOR = 0.75

/** Returns the hash code of a java.lang.String. */
export function javaStringHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash
}

/** Returns the number of buckets of `new HashMap(capacity)`. */
export function bucketsOfCapacity(capacity: number): number {
  let buckets = 1
  while (buckets < capacity) buckets *= 2
  return buckets
}

/**
 * Returns the number of buckets of `new HashMap(map)` in Java 17, for a map with `size` entries.
 */
export function bucketsOfCopy(size: number): number {
  return size === 0 ? DEFAULT_BUCKETS : bucketsOfCapacity(Math.trunc(size / LOAD_FACTOR + 1))
}

/**
 * Returns the number of buckets after `size` entries were put, one by one, into a map with
 * `buckets` buckets.
 */
export function bucketsAfterPuts(size: number, buckets = DEFAULT_BUCKETS): number {
  let now = buckets
  while (size > now * LOAD_FACTOR) now *= 2
  return now
}

/**
 * Returns the items in the order in which a HashMap iterates them, after they were put one by one.
 */
export function inHashOrder<T>(items: readonly T[], hashOf: (item: T) => number, buckets = DEFAULT_BUCKETS): T[] {
  const mask = bucketsAfterPuts(items.length, buckets) - 1
  const placed = items.map(item => {
    const hash = hashOf(item)
    return { item, bucket: (hash ^ (hash >>> 16)) & mask }
  })
  // The sort is stable, so items in the same bucket keep their order of insertion.
  return placed.sort((a, b) => a.bucket - b.bucket).map(p => p.item)
}
