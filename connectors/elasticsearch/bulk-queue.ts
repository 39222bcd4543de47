import { type BulkItem, documentOf } from './bulk-request.ts'

/** The items that wait to be sent, in order, cut into bulk requests: full ones, or what there is once it is due. No I/O. */
export class BulkQueue {
  readonly #maxItems: number
  #maxBytes: number
  #items: BulkItem[] = []
  #bytes = 0
  /** So many from the front wait for no others. */
  #due = 0
  /** Documents of requests under way that must not be in another one. */
  readonly #busy = new Set<string>()

  /** `maxBytes`: of one request, unless a single item is larger; -1 for no limit. */
  constructor(maxItems: number, maxBytes: number) {
    this.#maxItems = maxItems
    this.#maxBytes = maxBytes < 0 ? Number.POSITIVE_INFINITY : maxBytes
  }

  add(item: BulkItem): void {
    this.#items.push(item)
    this.#bytes += item.bytes
  }

  /** What is there now waits for no more. */
  makeDue(): void {
    this.#due = this.#items.length
  }

  /** The server takes less than was thought. */
  limitBytes(most: number): void {
    this.#maxBytes = Math.min(this.#maxBytes, Math.max(1, most))
  }

  /** The next request, or null where none is ready; `release` its items when it is over. */
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

  /** Takes out the items that nobody waits for any more. */
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
