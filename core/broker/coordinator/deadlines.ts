/** An item of a `Deadlines` queue. Only the queue changes these fields. */
export interface Timed {
  /** The time at which the item is due. Infinity means never. */
  dueAt: number
  /** The item's index in the heap, or -1 if the item is not in a heap. */
  heapIndex: number
}

/**
 * A priority queue of items by deadline. The queue is a binary heap whose items store their index,
 * so moving an item costs O(log n). Callers pass the time, so the queue needs no clock.
 */
export class Deadlines<T extends Timed> {
  readonly #heap: T[] = []

  get size(): number {
    return this.#heap.length
  }

  /** The earliest deadline, or Infinity if the queue is empty. */
  get next(): number {
    return this.#heap[0]?.dueAt ?? Number.POSITIVE_INFINITY
  }

  /** Adds or moves an item. Infinity removes it. */
  set(item: T, at: number): void {
    if (at === item.dueAt && item.heapIndex >= 0) return
    if (at === Number.POSITIVE_INFINITY) {
      this.delete(item)
      return
    }
    item.dueAt = at
    if (item.heapIndex < 0) this.#place(item, this.#heap.push(item) - 1)
    this.#down(this.#up(item))
  }

  delete(item: T): void {
    const at = item.heapIndex
    item.dueAt = Number.POSITIVE_INFINITY
    if (at < 0) return
    item.heapIndex = -1
    const last = this.#heap.pop()!
    if (last === item) return
    this.#place(last, at)
    this.#down(this.#up(last))
  }

  /** Removes and returns the earliest item if it is due. */
  pop(now: number): T | null {
    const first = this.#heap[0]
    if (!first || first.dueAt > now) return null
    this.delete(first)
    return first
  }

  #place(item: T, at: number): void {
    this.#heap[at] = item
    item.heapIndex = at
  }

  #up(item: T): T {
    let at = item.heapIndex
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = this.#heap[above]!
      if (parent.dueAt <= item.dueAt) break
      this.#place(parent, at)
      at = above
    }
    this.#place(item, at)
    return item
  }

  #down(item: T): void {
    let at = item.heapIndex
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#heap.length) break
      if (child + 1 < this.#heap.length && this.#heap[child + 1]!.dueAt < this.#heap[child]!.dueAt) child++
      if (this.#heap[child]!.dueAt >= item.dueAt) break
      this.#place(this.#heap[child]!, at)
      at = child
    }
    this.#place(item, at)
  }
}
