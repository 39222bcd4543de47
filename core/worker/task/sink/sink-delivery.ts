import type { ConsumerRecord } from '../../../client/types.ts'
import type { SinkRecord, TopicPartition } from '../../../connect/record.ts'

/** A record for the sink, beside what it was made of. */
export interface Delivery {
  readonly record: SinkRecord
  readonly raw: ConsumerRecord
}

/**
 * What a sink still has to take, in order, cut into the batches that `put` gets. A batch that is
 * refused for its data is halved until the bad record stands alone: the rest is delivered, and the
 * sink's author need do nothing. No I/O: the runner asks `next`, puts it, and says what became of
 * it.
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

  /** The batch to put now; the same one until `taken` or `refused`. */
  next(): readonly Delivery[] | null {
    return this.#chunks[0] ?? null
  }

  /** The sink took the batch. */
  taken(): void {
    this.#chunks.shift()
  }

  /**
   * The sink refused the batch for its data. Returns the bad record once it stands alone, else
   * null: then ask `next` again.
   */
  refused(): Delivery | null {
    const chunk = this.#chunks.shift()
    if (!chunk) return null
    if (chunk.length === 1) return chunk[0]!
    const half = chunk.length >> 1
    this.#chunks.unshift(chunk.slice(0, half), chunk.slice(half))
    return null
  }

  /** Forgets the records of partitions that are no longer ours. */
  drop(partitions: readonly TopicPartition[]): void {
    const gone = new Set(partitions.map(p => `${p.topic}-${p.partition}`))
    this.#chunks = this.#chunks
      .map(chunk => chunk.filter(d => !gone.has(`${d.raw.topic}-${d.raw.partition}`)))
      .filter(chunk => chunk.length > 0)
  }
}
