import type { SinkRecord, TopicPartition, TopicPartitionOffset } from 'millrace/connect'

/** A record that is not finished yet. */
export interface Slot {
  readonly offset: number
  readonly partition: PartitionSlots
  done: boolean
}

interface PartitionSlots {
  queue: Slot[]
  head: number
  /** The partition was revoked. Its next owner writes these records again. */
  gone: boolean
}

const keyOf = (topic: string, partition: number) => `${topic}\n${partition}`

/**
 * Tracks the unfinished records of each partition. Only offsets before the first of them may be
 * committed.
 */
export class PendingOffsets {
  readonly #partitions = new Map<string, PartitionSlots>()

  /** Adds a record. The records of a partition must be added in order. */
  take(record: SinkRecord): Slot {
    const key = keyOf(record.originalTopic, record.originalPartition)
    let partition = this.#partitions.get(key)
    if (!partition) this.#partitions.set(key, (partition = { queue: [], head: 0, gone: false }))
    const slot = { offset: record.originalOffset, partition, done: false }
    partition.queue.push(slot)
    return slot
  }

  /** Marks a record as written or skipped. */
  finish(slot: Slot): void {
    slot.done = true
    const p = slot.partition
    while (p.head < p.queue.length && p.queue[p.head]!.done) p.head++
    if (p.head === p.queue.length) {
      p.queue = []
      p.head = 0
    } else if (p.head > 10_000) {
      p.queue = p.queue.slice(p.head)
      p.head = 0
    }
  }

  /** Drops revoked partitions. Their records become `gone`. */
  drop(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const key = keyOf(topic, partition)
      const slots = this.#partitions.get(key)
      if (slots) slots.gone = true
      this.#partitions.delete(key)
    }
  }

  /**
   * Returns the offsets that may be committed: the delivered offsets, limited by the first
   * unfinished record of each partition.
   */
  safe(delivered: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
    return delivered.map(d => {
      const p = this.#partitions.get(keyOf(d.topic, d.partition))
      const first = p?.queue[p.head]
      return first && first.offset < d.offset ? { ...d, offset: first.offset } : d
    })
  }
}
