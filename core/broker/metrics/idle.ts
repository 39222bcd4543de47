type Use = ReturnType<typeof performance.eventLoopUtilization>

/** The minimum period that a measurement covers, in milliseconds. */
const MIN_MS = 15_000

/**
 * Measures the fraction of time in which the event loop was idle. If scrapes are frequent, a
 * measurement covers the last 15 to 30 seconds, even if there are several scrapers.
 */
export class EventLoopIdle {
  #older: Use = performance.eventLoopUtilization()
  #newer: Use = this.#older
  #turnedAt = performance.now()

  fraction(): number {
    const now = performance.now()
    if (now - this.#turnedAt >= MIN_MS) {
      this.#older = this.#newer
      this.#newer = performance.eventLoopUtilization()
      this.#turnedAt = now
    }
    return 1 - performance.eventLoopUtilization(this.#older).utilization
  }
}
