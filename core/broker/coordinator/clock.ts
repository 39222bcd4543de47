import { timerMs } from '../../common/async/timer.ts'

/**
 * The clock for sessions, in milliseconds. It starts at the given epoch time, then advances
 * monotonically. A correction of the system clock therefore ends no session.
 */
export function steadyClock(startedAt: number): () => number {
  const offset = startedAt - performance.now()
  return () => Math.floor(performance.now() + offset)
}

/**
 * One timer for the earliest of many deadlines. Before it calls back, the event loop reads the data
 * that has arrived. After a pause, waiting heartbeats are therefore handled before sessions expire.
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
   * Schedules a call no later than this time. A later time than the current one is ignored: the
   * callback sets the next time.
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
