import { partitionOfKey } from '../client/producer/partitioner.ts'
import type { ConsumerRecord, ProducerRecord } from '../client/types.ts'
import { Signal } from '../common/async/signal.ts'

/** The topics and records of the broker in memory. */
export class MemoryLog {
  /** Notified after each change. */
  readonly changed = new Signal()
  readonly #partitions = new Map<string, ConsumerRecord[]>()
  readonly #topics = new Map<string, Set<number>>()

  /** Creates a topic, or adds partitions to it, so that it has partitions 0 to `partitions - 1`. */
  createTopic(topic: string, partitions = 1): void {
    const known = this.#topics.get(topic) ?? new Set<number>()
    for (let n = 0; n < partitions; n++) known.add(n)
    this.#topics.set(topic, known)
    this.changed.notify()
  }

  /**
   * Returns the partition numbers of a topic. Returns an empty list if the topic does not exist.
   */
  partitionsOf(topic: string): readonly number[] {
    return [...(this.#topics.get(topic) ?? [])].sort((a, b) => a - b)
  }

  topics(): readonly string[] {
    return [...this.#topics.keys()]
  }

  /** Appends a record. Returns the stored record with its offset. */
  append(record: ProducerRecord): ConsumerRecord {
    const { topic, partition } = record
    const number = partition ?? this.#partitionFor(topic, record.key)
    this.createTopic(topic)
    this.#topics.get(topic)?.add(number)
    const records = this.records(topic, number)
    const stored: ConsumerRecord = {
      topic,
      partition: number,
      offset: records.length,
      timestamp: record.timestamp ?? Date.now(),
      timestampType: 0,
      key: record.key,
      value: typeof record.value === 'string' ? Buffer.from(record.value) : record.value,
      headers: record.headers ?? [],
      leaderEpoch: 0,
    }
    records.push(stored)
    this.changed.notify()
    return stored
  }

  /** As the real producer, chooses the partition by the hash of the key. */
  #partitionFor(topic: string, key: Buffer | null): number {
    const count = this.partitionsOf(topic).length
    return key === null || count < 2 ? 0 : partitionOfKey(key, count)
  }

  /** Returns the records of a partition. */
  records(topic: string, partition = 0): ConsumerRecord[] {
    const key = `${topic}-${partition}`
    let records = this.#partitions.get(key)
    if (!records) {
      records = []
      this.#partitions.set(key, records)
    }
    return records
  }
}
