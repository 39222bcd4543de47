import type { SinkRecord, TopicPartition, TopicPartitionOffset } from 'millrace/connect'

/** A record that is on its way. */
export interface Slot {
  readonly offset: number
  readonly partition: PartitionSlots
  done: boolean
}

interface PartitionSlots {
  queue: Slot[]
  head: number
  /** The partition is no longer ours: its next owner writes these records again. */
  gone: boolean
}

const keyOf = (topic: string, partition: number) => `${topic}\n${partition}`

/** Which records are not written yet, by partition: what may be committed lies before the first of them. */
export class PendingOffsets {
  readonly #partitions = new Map<string, PartitionSlots>()

  /** A record was taken; records of a partition come in order. */
  take(record: SinkRecord): Slot {
    const key = keyOf(record.originalTopic, record.originalPartition)
    let partition = this.#partitions.get(key)
    if (!partition) this.#partitions.set(key, (partition = { queue: [], head: 0, gone: false }))
    const slot = { offset: record.originalOffset, partition, done: false }
    partition.queue.push(slot)
    return slot
  }

  /** A record is written, or will never be. */
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

  /** Forgets partitions that are no longer ours; their slots become `gone`. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const key = keyOf(topic, partition)
      const slots = this.#partitions.get(key)
      if (slots) slots.gone = true
      this.#partitions.delete(key)
    }
  }

  /** Of the offsets delivered so far, those that are safe: held back to the first record that is not written. */
  safe(delivered: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
    return delivered.map(d => {
      const p = this.#partitions.get(keyOf(d.topic, d.partition))
      const first = p?.queue[p.head]
      return first && first.offset < d.offset ? { ...d, offset: first.offset } : d
    })
  }
}
