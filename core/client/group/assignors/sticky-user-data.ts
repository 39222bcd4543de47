import type { TopicPartition } from '../../types.ts'
import type { Owned } from './sticky-owned.ts'

/**
 * Encodes the user data of StickyAssignor: an array of topics with their partitions, then the
 * generation. This is version 1 of the format, which contains no version number.
 */
export function encodeStickyUserData(partitions: readonly TopicPartition[], generation: number): Buffer {
  const byTopic = new Map<string, number[]>()
  for (const tp of partitions) {
    const list = byTopic.get(tp.topic)
    if (list) list.push(tp.partition)
    else byTopic.set(tp.topic, [tp.partition])
  }
  const parts: Buffer[] = [int32(byTopic.size)]
  for (const [topic, list] of byTopic) {
    const name = Buffer.from(topic)
    const head = Buffer.alloc(2)
    head.writeInt16BE(name.length)
    parts.push(head, name, int32(list.length), ...list.map(int32))
  }
  parts.push(int32(generation))
  return Buffer.concat(parts)
}

/**
 * Decodes the partitions that a member owned. As in Java, returns no partitions for invalid bytes.
 */
export function decodeStickyUserData(data: Buffer | null): Owned {
  if (data === null || data.length === 0) return { partitions: [], generation: null }
  try {
    let at = 0
    const next32 = () => data.readInt32BE((at += 4) - 4)
    const partitions: TopicPartition[] = []
    for (let topics = next32(); topics > 0; topics--) {
      const length = data.readInt16BE(at)
      if (length < 0 || at + 2 + length > data.length) throw new RangeError('topic name past the end')
      const topic = data.toString('utf8', at + 2, at + 2 + length)
      at += 2 + length
      for (let n = next32(); n > 0; n--) partitions.push({ topic, partition: next32() })
    }
    return { partitions, generation: at + 4 <= data.length ? data.readInt32BE(at) : null }
  } catch (error) {
    if (error instanceof RangeError) return { partitions: [], generation: -1 }
    throw error
  }
}

function int32(n: number): Buffer {
  const b = Buffer.alloc(4)
  b.writeInt32BE(n)
  return b
}
