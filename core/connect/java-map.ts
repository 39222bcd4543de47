// Connect's converters put maps into java.util.HashMap, whose order shows wherever a map is printed.

/**
 * The order in which a HashMap that was filled one by one gives its entries back. For the keys that Connect's data has: texts,
 * booleans, integers (`long`: they are Longs).
 */
export function javaMapOrder<T extends readonly [unknown, unknown]>(
  entries: readonly T[],
  long: boolean,
): readonly T[] {
  if (entries.length < 2) return entries
  let buckets = 16
  while (entries.length > buckets * 0.75) buckets *= 2
  const placed = entries.map(entry => {
    const hash = hashCode(entry[0], long)
    return { entry, bucket: (hash ^ (hash >>> 16)) & (buckets - 1) }
  })
  // within a bucket the first put comes first, and sorting is stable
  return placed.sort((a, b) => a.bucket - b.bucket).map(p => p.entry)
}

/** `hashCode()` of the Java type that a key stands for. */
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
