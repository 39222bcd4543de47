import type { ConsumerRecord } from '../../../client/types.ts'
import type { SinkRecord, TopicPartition } from '../../../connect/record.ts'

/** A record for the sink, and the consumed record from which it was converted. */
export interface Delivery {
  readonly record: SinkRecord
  readonly raw: ConsumerRecord
}

/**
 * The queue of batches that the sink has not accepted yet. A batch that fails because of its data
 * is halved until the bad record is alone in its batch, so that all other records are delivered.
 * The queue does not call the sink. The runner puts the batch that `next` returns, and reports the
 * result.
 */
export class DeliveryQueue {
  #chunks: Delivery[][] = []

  get empty(): boolean {
    return this.#chunks.length === 0
  }

  get size(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  push(chunk: Delivery[]): void {
    if (chunk.length > 0) this.#chunks.push(chunk)
  }

  /**
   * Returns the batch to put; null if the queue is empty. The batch stays the same until `taken` or
   * `refused` is called.
   */
  next(): readonly Delivery[] | null {
    return this.#chunks[0] ?? null
  }

  /** Removes the first batch after the sink has accepted it. */
  taken(): void {
    this.#chunks.shift()
  }

  /**
   * Handles the rejection of the first batch because of its data. If the batch has only one record,
   * removes and returns that record. Otherwise halves the batch and returns null.
   */
  refused(): Delivery | null {
    const chunk = this.#chunks.shift()
    if (!chunk) return null
    if (chunk.length === 1) return chunk[0]!
    const half = chunk.length >> 1
    this.#chunks.unshift(chunk.slice(0, half), chunk.slice(half))
    return null
  }

  /** Removes the records of partitions that are no longer assigned to the task. */
  drop(partitions: readonly TopicPartition[]): void {
    const dropped = new Set(partitions.map(p => `${p.topic}-${p.partition}`))
    this.#chunks = this.#chunks
      .map(chunk => chunk.filter(d => !dropped.has(`${d.raw.topic}-${d.raw.partition}`)))
      .filter(chunk => chunk.length > 0)
  }
}
