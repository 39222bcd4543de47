/** A connection that uses the budget. */
export interface Holder {
  /** The number of bytes of complete and incomplete requests that the connection holds. */
  readonly heldBytes: number
  /** Whether part of a request has arrived. */
  readonly partial: boolean
  /** The number of bytes that are missing from the incomplete request. */
  readonly missing: number
  /** The time at which the last bytes arrived, in milliseconds. */
  readonly lastBytesAt: number
  /** Called when the connection may read again. */
  resume(): void
  /**
   * Called when the connection must close, because it is too slow while others wait for its memory.
   */
  evict(): void
}

/**
 * A connection whose requests use fewer bytes than this may always read. Small requests therefore
 * succeed even if other connections use all the memory.
 */
const ALWAYS_ALLOWED_BYTES = 64 * 1024
/**
 * How long the admitted connection (see `RequestBudget`) may send nothing, in milliseconds. After
 * that it is closed.
 */
const MAX_STALL_MS = 2000
/** The maximum time for the request of the admitted connection, in milliseconds. */
const MAX_REQUEST_MS = 30_000

/**
 * Bounds the bytes of unanswered requests on all connections. Above the limit, the broker reads
 * only small requests and one large request at a time, so that memory is freed. Of the large
 * requests, the broker first admits the one that needs the fewest bytes. The connection of an
 * admitted request is closed if it stalls or is slow, because it blocks all the others.
 */
export class RequestBudget {
  readonly limit: number
  readonly #now: () => number
  #held = 0
  #admitted: Holder | null = null
  #admittedAt = 0
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

  /** Whether a connection may read. If it may not, its `resume` is called as soon as it may. */
  mayRead(holder: Holder): boolean {
    if (this.#held < this.limit || holder === this.#admitted || holder.heldBytes < ALWAYS_ALLOWED_BYTES) return true
    this.#waiting.add(holder)
    if (this.#admitted === null) this.#admitNext()
    return holder === this.#admitted
  }

  /** Called when a connection closes, or when its request is complete. */
  remove(holder: Holder): void {
    this.#waiting.delete(holder)
    if (this.#admitted !== holder) return
    this.#admitted = null
    if (this.#waiting.size > 0 && this.#held >= this.limit) this.#admitNext()
  }

  #admitNext(): void {
    let best: Holder | null = null
    for (const w of this.#waiting) if (w.partial && (!best || w.missing < best.missing)) best = w
    if (!best) return
    this.#waiting.delete(best)
    this.#admitted = best
    this.#admittedAt = this.#now()
    best.resume()
  }

  #resumeAll(): void {
    this.#admitted = null
    for (const w of [...this.#waiting]) {
      this.#waiting.delete(w)
      w.resume()
    }
  }

  /** Closes the admitted connection if it is too slow. Called about once per second. */
  tick(): void {
    const slow = this.#admitted
    if (!slow || this.#waiting.size === 0) return
    const now = this.#now()
    const since = Math.max(slow.lastBytesAt, this.#admittedAt)
    if (!slow.partial) this.remove(slow)
    else if (now - since > MAX_STALL_MS || now - this.#admittedAt > MAX_REQUEST_MS) slow.evict()
  }
}
