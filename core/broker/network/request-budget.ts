/** A connection as the budget sees it. */
export interface Holder {
  /** Bytes of requests that it holds, whole or in part. */
  readonly heldBytes: number
  /** Whether part of a request is there and the rest is awaited. */
  readonly partial: boolean
  /** When bytes of it last arrived, in milliseconds. */
  readonly lastBytesAt: number
  /** May read again, or for the first time since it was refused. */
  resume(): void
  /** Is too slow while others wait for the memory that it holds. */
  evict(): void
}

/** How long the one that may go on beyond the limit can be silent before it loses its connection, in milliseconds. */
const PATIENCE_MS = 5000

/**
 * Bounds the bytes that unanswered requests of all connections hold. Over the limit nobody may read but one, the connection with the most bytes of a
 * request begun, so that something always gets done; were it silent for long, it would hold everybody, and is closed.
 */
export class RequestBudget {
  readonly limit: number
  #held = 0
  #favourite: Holder | null = null
  readonly #waiting = new Set<Holder>()

  constructor(limit: number) {
    this.limit = limit
  }

  get held(): number {
    return this.#held
  }

  add(bytes: number): void {
    this.#held += bytes
  }

  release(bytes: number): void {
    this.#held -= bytes
    if (this.#held < this.limit && this.#waiting.size > 0) this.#resumeAll()
  }

  /** Whether a connection may read on; if not, its `resume` is called when it may. */
  mayRead(holder: Holder): boolean {
    if (this.#held < this.limit || holder === this.#favourite) return true
    this.#waiting.add(holder)
    if (this.#favourite === null) this.#choose()
    return !this.#waiting.has(holder)
  }

  /** A connection has gone, or has completed the request for which it was let through. */
  forget(holder: Holder): void {
    this.#waiting.delete(holder)
    if (this.#favourite !== holder) return
    this.#favourite = null
    if (this.#waiting.size > 0 && this.#held >= this.limit) this.#choose()
  }

  #choose(): void {
    let best: Holder | null = null
    for (const w of this.#waiting) if (w.partial && (!best || w.heldBytes > best.heldBytes)) best = w
    if (!best) return
    this.#waiting.delete(best)
    this.#favourite = best
    best.resume()
  }

  #resumeAll(): void {
    this.#favourite = null
    for (const w of [...this.#waiting]) {
      this.#waiting.delete(w)
      w.resume()
    }
  }

  /** Call it every second or so. */
  tick(now: number): void {
    const slow = this.#favourite
    if (!slow || this.#waiting.size === 0) return
    if (slow.partial && now - slow.lastBytesAt > PATIENCE_MS) slow.evict()
    else if (!slow.partial) this.forget(slow)
  }
}
