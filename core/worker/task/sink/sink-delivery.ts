import type { ConsumerRecord } from '../../../client/types.ts'
import type { SinkRecord, TopicPartition } from '../../../connect/record.ts'

/** A record for the sink, with the consumed record that it was converted from. */
export interface Delivery {
  readonly record: SinkRecord
  readonly raw: ConsumerRecord
}

/**
 * The batches that a sink has yet to accept, in order. A batch that fails because of its data is
 * halved until the bad record is alone in its batch, so all other records are delivered. It does no
 * I/O: the runner puts the batch that `next` returns, and reports the result.
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

  /** The batch to put now. It stays the same until `taken` or `refused` is called. */
  next(): readonly Delivery[] | null {
    return this.#chunks[0] ?? null
  }

  /** Removes the batch, which the sink has accepted. */
  taken(): void {
    this.#chunks.shift()
  }

  /**
   * Handles a batch that the sink rejected because of its data. Returns the bad record if it was
   * alone in its batch. Otherwise halves the batch and returns null.
   */
  refused(): Delivery | null {
    const chunk = this.#chunks.shift()
    if (!chunk) return null
    if (chunk.length === 1) return chunk[0]!
    const half = chunk.length >> 1
    this.#chunks.unshift(chunk.slice(0, half), chunk.slice(half))
    return null
  }

  /** Drops the records of partitions that are no longer assigned. */
  drop(partitions: readonly TopicPartition[]): void {
    const dropped = new Set(partitions.map(p => `${p.topic}-${p.partition}`))
    this.#chunks = this.#chunks
      .map(chunk => chunk.filter(d => !dropped.has(`${d.raw.topic}-${d.raw.partition}`)))
      .filter(chunk => chunk.length > 0)
  }
}
