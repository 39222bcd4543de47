/**
 * Returns the topics of a consumer's subscription, or null if its bytes are invalid. The
 * subscription is the metadata of a protocol of type `consumer`. Only the first field is read,
 * which is the same in all versions. Source: ConsumerProtocolSubscription.json of Kafka 4.3.
 */
export function subscribedTopics(metadata: Buffer): string[] | null {
  if (metadata.length < 6 || metadata.readInt16BE(0) < 0) return null
  const count = metadata.readInt32BE(2)
  let pos = 6
  // Each topic name takes at least two bytes, so a larger count is invalid.
  if (count < 0 || count > (metadata.length - pos) / 2) return null
  const topics: string[] = []
  for (let i = 0; i < count; i++) {
    if (pos + 2 > metadata.length) return null
    const length = metadata.readInt16BE(pos)
    pos += 2
    if (length < 0 || pos + length > metadata.length) return null
    topics.push(metadata.toString('utf8', pos, pos + length))
    pos += length
  }
  return topics
}
