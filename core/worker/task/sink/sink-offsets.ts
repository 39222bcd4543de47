import type { ConsumerRecord, TopicPartitionOffset as OffsetToCommit } from '../../../client/types.ts'
import type { TopicPartition, TopicPartitionOffset } from '../../../connect/record.ts'
import { ConsumedEpochs } from './leader-epochs.ts'

const keyOf = (p: TopicPartition): string => `${p.topic}-${p.partition}`

/**
 * The consumed, delivered and committed offsets of a sink task, by partition. As in Kafka, each
 * offset is that of the next record. Only offsets of delivered records can be committed.
 */
export class SinkOffsets {
  readonly #consumed = new Map<string, TopicPartitionOffset>()
  readonly #delivered = new Map<string, TopicPartitionOffset>()
  readonly #committed = new Map<string, number>()
  /**
   * The first consumed offset, by partition. Used to count the uncommitted offsets until the first
   * commit after the start or a seek.
   */
  readonly #firstConsumed = new Map<string, number>()
  /**
   * The leader epochs, by partition. They are committed with the offsets, so that the next consumer
   * detects if the log was truncated after the commit (KIP-320).
   */
  readonly #epochs = new Map<string, ConsumedEpochs>()

  /**
   * Adds consecutive records that were consumed. They may still be pending, or may have been
   * dropped or skipped.
   */
  consumed(topic: string, partition: number, records: readonly ConsumerRecord[]): void {
    const last = records.at(-1)
    if (last === undefined) return
    const key = keyOf({ topic, partition })
    let epochs = this.#epochs.get(key)
    if (!epochs) this.#epochs.set(key, (epochs = new ConsumedEpochs()))
    epochs.add(records)
    // The position is reset to an earlier offset after the topic was truncated or recreated.
    if (records[0]!.offset < (this.#consumed.get(key)?.offset ?? 0)) {
      this.#committed.delete(key)
      this.#firstConsumed.delete(key)
    }
    if (!this.#committed.has(key) && !this.#firstConsumed.has(key)) this.#firstConsumed.set(key, records[0]!.offset)
    this.#consumed.set(key, { topic, partition, offset: last.offset + 1 })
  }

  /** Marks all consumed records as delivered. Must be called when the sink has accepted them. */
  allDelivered(): void {
    for (const [key, offset] of this.#consumed) this.#delivered.set(key, offset)
  }

  /** Sets the offset of a partition to which the task seeks. */
  reset(offset: TopicPartitionOffset): void {
    const key = keyOf(offset)
    this.#consumed.set(key, offset)
    this.#delivered.set(key, offset)
    this.#committed.delete(key)
    this.#firstConsumed.delete(key)
    this.#epochs.delete(key)
  }

  forget(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) {
      const key = keyOf(p)
      this.#consumed.delete(key)
      this.#delivered.delete(key)
      this.#committed.delete(key)
      this.#firstConsumed.delete(key)
      this.#epochs.delete(key)
    }
  }

  /** The number of offsets that were consumed but are not committed. */
  get uncommitted(): number {
    let sum = 0
    for (const [key, { offset }] of this.#consumed) {
      sum += offset - (this.#committed.get(key) ?? this.#firstConsumed.get(key) ?? offset)
    }
    return sum
  }

  /**
   * Returns the offset of the first record that was consumed and is not delivered yet. Returns null
   * if there is no such record.
   */
  firstPending(p: TopicPartition): number | null {
    const key = keyOf(p)
    const consumed = this.#consumed.get(key)?.offset
    const delivered = this.#delivered.get(key)?.offset
    if (consumed === undefined || consumed === delivered) return null
    return delivered ?? this.#firstConsumed.get(key) ?? null
  }

  /**
   * Returns the offsets after the delivered records, for these partitions or for all partitions.
   */
  delivered(partitions?: readonly TopicPartition[]): TopicPartitionOffset[] {
    if (!partitions) return [...this.#delivered.values()]
    return partitions.flatMap(p => this.#delivered.get(keyOf(p)) ?? [])
  }

  /**
   * Divides the offsets that `preCommit` returned. `commit` contains the new offsets of delivered
   * records. `beyond` contains offsets after the delivered records, which the sink should not have
   * returned.
   */
  toCommit(returned: readonly TopicPartitionOffset[]): {
    commit: OffsetToCommit[]
    beyond: TopicPartitionOffset[]
  } {
    const commit: OffsetToCommit[] = []
    const beyond: TopicPartitionOffset[] = []
    for (const { topic, partition, offset } of returned) {
      const key = keyOf({ topic, partition })
      const limit = this.#delivered.get(key)?.offset
      if (limit === undefined || offset > limit) beyond.push({ topic, partition, offset })
      else if (this.#committed.get(key) !== offset) {
        commit.push({ topic, partition, offset, leaderEpoch: this.#epochs.get(key)?.before(offset) ?? -1 })
      }
    }
    return { commit, beyond }
  }

  committed(offsets: readonly TopicPartitionOffset[]): void {
    for (const o of offsets) {
      this.#committed.set(keyOf(o), o.offset)
      this.#epochs.get(keyOf(o))?.trim(o.offset)
    }
  }
}
