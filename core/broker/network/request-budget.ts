/** The budget's view of a connection. */
export interface Holder {
  /** Bytes of complete and incomplete requests that it holds. */
  readonly heldBytes: number
  /** Whether a request has arrived only in part. */
  readonly partial: boolean
  /** The number of bytes that this request still needs. */
  readonly missing: number
  /** When its last bytes arrived, in milliseconds. */
  readonly lastBytesAt: number
  /** Called when the connection may read again. */
  resume(): void
  /** Called when the connection is too slow while others wait for its memory. */
  evict(): void
}

/**
 * A connection that holds less than this may always read. Small requests then succeed even
 * if other connections hold all the memory.
 */
const ALWAYS_ALLOWED_BYTES = 64 * 1024
/**
 * How long the connection that was admitted above the limit may send nothing before it is closed,
 * in milliseconds.
 */
const MAX_STALL_MS = 2000
/** The maximum total time for that connection's request, in milliseconds. */
const MAX_REQUEST_MS = 30_000

/**
 * Bounds the bytes of unanswered requests on all connections. Above the limit, only small requests
 * and one large request at a time are read, so that memory is freed. The large request that needs
 * the fewest bytes is admitted first. Its connection is closed if it stalls or is slow, because it
 * blocks all the others.
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

  /** Whether a connection may read. If not, its `resume` is called once it may. */
  mayRead(holder: Holder): boolean {
    if (this.#held < this.limit || holder === this.#admitted || holder.heldBytes < ALWAYS_ALLOWED_BYTES) return true
    this.#waiting.add(holder)
    if (this.#admitted === null) this.#admitNext()
    return holder === this.#admitted
  }

  /** Called when a connection closes, or when its admitted request is complete. */
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

  /** Checks the admitted connection. Call this about once per second. */
  tick(): void {
    const slow = this.#admitted
    if (!slow || this.#waiting.size === 0) return
    const now = this.#now()
    const since = Math.max(slow.lastBytesAt, this.#admittedAt)
    if (!slow.partial) this.remove(slow)
    else if (now - since > MAX_STALL_MS || now - this.#admittedAt > MAX_REQUEST_MS) slow.evict()
  }
}
