/**
 * Returns the topics of a consumer's subscription, which is the metadata of protocol type
 * `consumer`. Returns null if the bytes are invalid. Source: ConsumerProtocolSubscription.json of
 * Kafka 4.3. Only the first field is read, which is the same in every version.
 */
export function subscribedTopics(metadata: Buffer): string[] | null {
  if (metadata.length < 6 || metadata.readInt16BE(0) < 0) return null
  const count = metadata.readInt32BE(2)
  let pos = 6
  // Each name takes at least two bytes, so a larger count is invalid.
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
