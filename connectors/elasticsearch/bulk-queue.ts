import { type BulkItem, documentOf } from './bulk-request.ts'

/**
 * Queues items in order and splits them into bulk requests. A request is ready when it is full, or
 * when items are due. This class does no I/O.
 */
export class BulkQueue {
  readonly #maxItems: number
  #maxBytes: number
  #items: BulkItem[] = []
  #bytes = 0
  /** The number of items at the front that are sent even if their request is not full. */
  #due = 0
  /** The documents in flight that must not be in two requests at the same time. */
  readonly #busy = new Set<string>()

  /** No request exceeds `maxBytes`, except one that has a single item. -1 means no limit. */
  constructor(maxItems: number, maxBytes: number) {
    this.#maxItems = maxItems
    this.#maxBytes = maxBytes < 0 ? Number.POSITIVE_INFINITY : maxBytes
  }

  add(item: BulkItem): void {
    this.#items.push(item)
    this.#bytes += item.bytes
  }

  /** Marks all queued items as due. */
  makeDue(): void {
    this.#due = this.#items.length
  }

  /** Lowers the limit of a request. */
  limitBytes(most: number): void {
    this.#maxBytes = Math.min(this.#maxBytes, Math.max(1, most))
  }

  /**
   * Returns the items of the next request; null if none is ready. After the request, call `release`
   * with these items.
   */
  next(): readonly BulkItem[] | null {
    const isReady = this.#due > 0 || this.#items.length >= this.#maxItems || this.#bytes >= this.#maxBytes
    if (!isReady) return null
    let count = 0
    let bytes = 0
    for (const item of this.#items) {
      if (count === this.#maxItems || (count > 0 && bytes + item.bytes > this.#maxBytes)) break
      if (item.exclusive && this.#busy.has(documentOf(item))) break
      bytes += item.bytes
      count++
    }
    if (count === 0) return null
    const taken = this.#items.splice(0, count)
    this.#bytes -= bytes
    this.#due = Math.max(0, this.#due - count)
    for (const item of taken) if (item.exclusive) this.#busy.add(documentOf(item))
    return taken
  }

  release(items: readonly BulkItem[]): void {
    for (const item of items) if (item.exclusive) this.#busy.delete(documentOf(item))
  }

  /** Removes and returns the items that are no longer needed. */
  remove(isGone: (item: BulkItem) => boolean): BulkItem[] {
    const gone: BulkItem[] = []
    const kept: BulkItem[] = []
    for (const item of this.#items) (isGone(item) ? gone : kept).push(item)
    this.#items = kept
    this.#bytes = kept.reduce((sum, item) => sum + item.bytes, 0)
    this.#due = Math.min(this.#due, kept.length)
    return gone
  }
}
