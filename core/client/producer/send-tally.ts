import type { DeliveredBatch, DeliveryListener, RecordMetadata } from '../types.ts'

/** Counts the outcomes of the records of one `send`. */
export class SendTally implements DeliveryListener {
  /**
   * Resolves with the metadata of all records when all have an outcome. Rejects with the first
   * error.
   */
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
    // If `send` rejects before all records are appended, no caller handles this promise.
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
