import { ZERO_UUID } from '../../../protocol/index.ts'

/** An offset that a group has committed for a partition. */
export interface CommittedOffset {
  readonly offset: number
  /** Of the last record read; -1 unknown. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** Milliseconds since the epoch. */
  readonly commitTimestamp: number
  /** A time of its own at which it expires (clients before v5 could say so); null for the broker's retention. */
  readonly expireTimestamp: number | null
  /** The topic it was committed for, so that a later topic of the same name does not get it; ZERO_UUID unknown. */
  readonly topicId: string
}

/** All offsets of one group, by topic and partition. */
export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  /** The offset, unless it belongs to another topic that had this name before. */
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

/** Whether two topic ids can mean the same topic: an unknown one matches all. */
export function isSameTopic(a: string, b: string): boolean {
  return a === b || a === ZERO_UUID || b === ZERO_UUID
}
