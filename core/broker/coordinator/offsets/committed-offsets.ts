import { ZERO_UUID } from '../../../protocol/index.ts'

/** The offset that a group has committed for a partition. */
export interface CommittedOffset {
  readonly offset: number
  /** The leader epoch of the last record that the client has read. -1 if unknown. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** The time of the commit, in milliseconds since the epoch. */
  readonly commitTimestamp: number
  /**
   * The time at which the offset expires, if the client has set one (possible before v5). Null if
   * the broker's retention time applies.
   */
  readonly expireTimestamp: number | null
  /**
   * The id of the topic. A later topic with the same name must not get this offset. ZERO_UUID if
   * unknown.
   */
  readonly topicId: string
}

/** All committed offsets of one group, by topic and partition. */
export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  /**
   * Returns the offset of a partition, unless it belongs to an earlier topic with the same name.
   */
  find(topic: string, partition: number, topicId: string): CommittedOffset | undefined {
    const o = this.get(topic, partition)
    return o && isSameTopic(o.topicId, topicId) ? o : undefined
  }

  set(topic: string, partition: number, offset: CommittedOffset): void {
    let partitions = this.#topics.get(topic)
    if (!partitions) this.#topics.set(topic, (partitions = new Map()))
    if (!partitions.has(partition)) this.#size++
    partitions.set(partition, offset)
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic)
    if (!partitions?.delete(partition)) return
    this.#size--
    if (partitions.size === 0) this.#topics.delete(topic)
  }

  topics(): IterableIterator<[string, ReadonlyMap<number, CommittedOffset>]> {
    return this.#topics.entries()
  }

  partitionsOf(topic: string): ReadonlyMap<number, CommittedOffset> | undefined {
    return this.#topics.get(topic)
  }

  *all(): Generator<{ topic: string; partition: number; offset: CommittedOffset }> {
    for (const [topic, partitions] of this.#topics)
      for (const [partition, offset] of partitions) yield { topic, partition, offset }
  }
}

/** Returns whether two topic ids may identify the same topic. An unknown id matches every id. */
export function isSameTopic(a: string, b: string): boolean {
  return a === b || a === ZERO_UUID || b === ZERO_UUID
}
