import { timerMs } from '../../common/async/timer.ts'

/**
 * Time for sessions: milliseconds since the epoch at the start, and from there on a clock that nobody sets, so that a corrected
 * wall clock ends no session.
 */
export function steadyClock(startedAt: number): () => number {
  const offset = startedAt - performance.now()
  return () => Math.floor(performance.now() + offset)
}

/**
 * One timer for the earliest of many deadlines. Before it calls back it lets the event loop read what has arrived, so that after
 * a pause heartbeats that wait in the sockets come before the sessions that they keep alive end.
 */
export class Alarm {
  readonly #now: () => number
  readonly #ring: () => void
  #timer: NodeJS.Timeout | null = null
  #immediate: NodeJS.Immediate | null = null
  #at = Number.POSITIVE_INFINITY
  #closed = false

  constructor(now: () => number, ring: () => void) {
    this.#now = now
    this.#ring = ring
  }

  /** Rings at this time at the latest; a later one than set before is taken when it rings. */
  set(at: number): void {
    if (this.#closed || at >= this.#at) return
    this.#at = at
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#due(), timerMs(at - this.#now()))
  }

  close(): void {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    if (this.#immediate) clearImmediate(this.#immediate)
  }

  #due(): void {
    this.#timer = null
    this.#immediate = setImmediate(() => {
      this.#immediate = null
      this.#at = Number.POSITIVE_INFINITY
      this.#ring()
    })
  }
}
