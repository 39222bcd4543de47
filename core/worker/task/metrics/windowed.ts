interface WindowSample {
  startedAt: number
  lastAt: number
  count: number
  sum: number
  max: number
}

/** The values of `metrics.sample.window.ms` and `metrics.num.samples`. */
export interface WindowOptions {
  readonly windowMs: number
  readonly samples: number
}

export const DEFAULT_WINDOW: WindowOptions = { windowMs: 30_000, samples: 2 }

/**
 * The average, the maximum and the rate of recent values. As in Kafka's sampled statistics, they
 * are computed from a fixed number of samples, each of which covers a window of time.
 */
export class Windowed {
  readonly #options: WindowOptions
  readonly #samples: WindowSample[] = []

  constructor({ windowMs, samples }: WindowOptions) {
    // Kafka accepts a window of 0, with which the rate could not be computed.
    this.#options = { windowMs: Math.max(1, windowMs), samples }
  }

  /** Adds a value. `now` is in milliseconds and must not decrease. */
  record(value: number, now: number): void {
    let sample = this.#samples.at(-1)
    if (sample === undefined || now - sample.startedAt >= this.#options.windowMs) {
      sample = { startedAt: now, lastAt: now, count: 0, sum: 0, max: Number.NEGATIVE_INFINITY }
      this.#samples.push(sample)
      if (this.#samples.length > this.#options.samples) this.#samples.shift()
    }
    sample.lastAt = now
    sample.count++
    sample.sum += value
    if (value > sample.max) sample.max = value
  }

  /** Returns the average; NaN if there are no recent values. */
  average(now: number): number {
    const recent = this.#recent(now)
    return sum(recent, s => s.sum) / sum(recent, s => s.count)
  }

  /** Returns the maximum; NaN if there are no recent values. */
  maximum(now: number): number {
    const recent = this.#recent(now)
    return recent.length === 0 ? Number.NaN : Math.max(...recent.map(s => s.max))
  }

  /** Returns the sum of the recent values per second. */
  rate(now: number): number {
    const { windowMs, samples } = this.#options
    const recent = this.#recent(now)
    if (recent.length === 0) return 0
    let elapsed = now - recent[0]!.startedAt
    // At least `samples - 1` windows count. If fewer are complete, the others count as empty.
    const complete = Math.floor(elapsed / windowMs)
    if (complete < samples - 1) elapsed += (samples - 1 - complete) * windowMs
    return sum(recent, s => s.sum) / (Math.max(elapsed, windowMs) / 1000)
  }

  #recent(now: number): WindowSample[] {
    const oldest = now - this.#options.windowMs * this.#options.samples
    return this.#samples.filter(s => s.lastAt > oldest)
  }
}

function sum(samples: readonly WindowSample[], of: (sample: WindowSample) => number): number {
  return samples.reduce((total, s) => total + of(s), 0)
}
