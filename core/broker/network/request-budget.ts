/** A connection as the budget sees it. */
export interface Holder {
  /** Bytes of requests that it holds, whole or in part. */
  readonly heldBytes: number
  /** Whether part of a request is there and the rest is awaited. */
  readonly partial: boolean
  /** How many bytes of that request are still to come. */
  readonly missing: number
  /** When bytes of it last arrived, in milliseconds. */
  readonly lastBytesAt: number
  /** May read again. */
  resume(): void
  /** Is too slow while others wait for the memory that it holds. */
  evict(): void
}

/** Whoever holds less than this may always read, so that small requests get through whatever others hold. */
const ALLOWANCE = 64 * 1024
/** How long the one that may go on beyond the limit can be silent before it loses its connection, in milliseconds. */
const SILENCE_MS = 2000
/** And how long it may take in all. */
const PATIENCE_MS = 30_000

/**
 * Bounds the bytes that unanswered requests of all connections hold. Over the limit only small requests are read, and of the large ones that which
 * lacks least, one after the other, so that memory becomes free again. Were that one silent or slow, it would hold everybody, and is closed.
 */
export class RequestBudget {
  readonly limit: number
  readonly #now: () => number
  #held = 0
  #favourite: Holder | null = null
  #favouriteSince = 0
  readonly #waiting = new Set<Holder>()

  constructor(limit: number, now: () => number) {
    this.limit = limit
    this.#now = now
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
    if (this.#held < this.limit || holder === this.#favourite || holder.heldBytes < ALLOWANCE) return true
    this.#waiting.add(holder)
    if (this.#favourite === null) this.#choose()
    return holder === this.#favourite
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
    for (const w of this.#waiting) if (w.partial && (!best || w.missing < best.missing)) best = w
    if (!best) return
    this.#waiting.delete(best)
    this.#favourite = best
    this.#favouriteSince = this.#now()
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
  tick(): void {
    const slow = this.#favourite
    if (!slow || this.#waiting.size === 0) return
    const now = this.#now()
    const since = Math.max(slow.lastBytesAt, this.#favouriteSince)
    if (!slow.partial) this.forget(slow)
    else if (now - since > SILENCE_MS || now - this.#favouriteSince > PATIENCE_MS) slow.evict()
  }
}
