import type { DeliveredBatch, DeliveryListener, RecordMetadata } from '../types.ts'

/**
 * Counts the outcomes of one `send`. `done` resolves once all records are delivered or have failed.
 */
export class SendTally implements DeliveryListener {
  /** The metadata of all records, or a rejection with the first error. */
  readonly done: Promise<RecordMetadata[]>
  readonly #results: RecordMetadata[]
  #left: number
  #error: Error | null = null
  #settle: (() => void) | null = null

  constructor(count: number) {
    this.#left = count
    this.#results = new Array<RecordMetadata>(count)
    this.done = new Promise((resolve, reject) => {
      this.#settle = () => (this.#error ? reject(this.#error) : resolve(this.#results))
    })
    // `send` may reject before all records are appended. Nobody waits for this promise then.
    this.done.catch(() => undefined)
    if (count === 0) this.#settle?.()
  }

  onDelivery(token: number, error: Error | null, batch: DeliveredBatch, index: number): void {
    if (error) this.#error ??= error
    else {
      const { topic, partition } = batch
      this.#results[token] = { topic, partition, offset: batch.offsetOf(index), timestamp: batch.timestampOf(index) }
    }
    if (--this.#left === 0) this.#settle?.()
  }
}
