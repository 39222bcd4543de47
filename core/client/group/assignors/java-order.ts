import type { TopicPartition } from '../../types.ts'

/** java.lang.String.hashCode. */
export function javaHash(s: string): number {
  let h = 0
  for (let i = 0; i < s.length; i++) h = (Math.imul(h, 31) + s.charCodeAt(i)) | 0
  return h
}

/** org.apache.kafka.common.TopicPartition.hashCode. */
export function partitionHash(tp: TopicPartition): number {
  return (Math.imul(31, 31 + tp.partition) + javaHash(tp.topic)) | 0
}

/**
 * The order in which a java.util.HashMap with default capacity would iterate these keys, given in insertion order. Kafka's sticky
 * assignors decide ties by it, so ours must too if both are to come to the same assignment.
 */
export function hashOrder<T>(keys: readonly T[], hash: (key: T) => number): T[] {
  let capacity = 16
  while (keys.length > capacity * 0.75) capacity *= 2
  const bucket = (key: T) => {
    const h = hash(key)
    return (h ^ (h >>> 16)) & (capacity - 1)
  }
  return keys
    .map(key => ({ key, at: bucket(key) }))
    .sort((a, b) => a.at - b.at)
    .map(k => k.key)
}
