/**
 * The topics of a consumer's subscription, the metadata of protocol type `consumer`. Null when the bytes are not one.
 * Source: ConsumerProtocolSubscription.json of Kafka 4.3; only its first field is read, the same in every version.
 */
export function subscribedTopics(metadata: Buffer): string[] | null {
  if (metadata.length < 6 || metadata.readInt16BE(0) < 0) return null
  const count = metadata.readInt32BE(2)
  let pos = 6
  // Two bytes at least for each name: a count that cannot be true is not believed.
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
