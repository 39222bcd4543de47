import type { DeliveryListener, RecordMetadata } from '../types.ts'

/** Counts the deliveries of one `send`: resolves with all of them, or rejects with the first error once all are settled. */
export class SendTally implements DeliveryListener {
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
    // `send` may give up before all records are taken: then nobody waits for this.
    this.done.catch(() => undefined)
    if (count === 0) this.#settle?.()
  }

  onDelivery(
    token: number,
    error: Error | null,
    topic: string,
    partition: number,
    offset: number,
    timestamp: number,
  ): void {
    if (error) this.#error ??= error
    else this.#results[token] = { topic, partition, offset, timestamp }
    if (--this.#left === 0) this.#settle?.()
  }
}
