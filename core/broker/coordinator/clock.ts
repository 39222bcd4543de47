import { timerMs } from '../../common/async/timer.ts'

/**
 * Returns the clock for sessions, in milliseconds. The clock starts at the given epoch time and
 * advances monotonically, so a correction of the system clock does not expire sessions.
 */
export function steadyClock(startedAt: number): () => number {
  const offset = startedAt - performance.now()
  return () => Math.floor(performance.now() + offset)
}

/**
 * One timer for the earliest of many deadlines. When the timer expires, the event loop first reads
 * the data that has arrived, then the callback runs. After a pause of the process, waiting
 * heartbeats are therefore handled before sessions expire.
 */
export class Alarm {
  readonly #now: () => number
  readonly #callback: () => void
  #timer: NodeJS.Timeout | null = null
  #immediate: NodeJS.Immediate | null = null
  #at = Number.POSITIVE_INFINITY
  #closed = false

  constructor(now: () => number, callback: () => void) {
    this.#now = now
    this.#callback = callback
  }

  /**
   * Schedules the callback for the time `at`. Does nothing if the callback is already scheduled for
   * an earlier time. When the callback runs, it must call `set` again for the next deadline.
   */
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
      this.#callback()
    })
  }
}
