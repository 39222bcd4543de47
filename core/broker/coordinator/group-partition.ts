/**
 * Returns Java's `String.hashCode`, which is computed over UTF-16 code units and wraps at 32 bits.
 */
export function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/**
 * Returns a group's partition of `__consumer_offsets`. The formula is Kafka's:
 * `Utils.abs(groupId.hashCode()) % partitions`.
 */
export function groupPartition(groupId: string, partitions: number): number {
  const hash = javaHash(groupId)
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitions
}
