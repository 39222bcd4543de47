type Use = ReturnType<typeof performance.eventLoopUtilization>

/** Shortest time that a measurement covers, ms. */
const MIN_MS = 15_000

/**
 * The fraction of recent time in which the event loop had nothing to do. Several scrapers may ask:
 * the measurement covers the last 15 to 30 seconds, whoever asks.
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
