/**
 * The base-2 logarithm of the number of buckets for each power of two. With 4, there are 16
 * buckets, so a quantile is at most 1/16 too high.
 */
const SUB_BITS = 4
const SUB = 1 << SUB_BITS
const BUCKETS = (32 - SUB_BITS + 1) * SUB
/**
 * The length of a window, in milliseconds. Quantiles are computed from the times of the current
 * window and of the previous window.
 */
const WINDOW_MS = 60_000

/**
 * The distribution of recent times, such as the times of requests. Recording a time allocates no
 * memory. Times from 0 to about 71 minutes are counted in buckets, with a relative error of at most
 * 1/16.
 */
export class Latencies {
  count = 0
  #current = new Uint32Array(BUCKETS)
  #previous = new Uint32Array(BUCKETS)
  #startedAt: number

  /** `now` is the current time of a monotonic clock, in milliseconds. */
  constructor(now: number) {
    this.#startedAt = now
  }

  record(ms: number, now: number): void {
    if (now - this.#startedAt >= WINDOW_MS) this.#rotate(now)
    this.count++
    this.#current[bucketOf(ms * 1000)]!++
  }

  /**
   * Returns quantiles of the recent times, in milliseconds. Returns 0 for each if there are no
   * recent times.
   */
  quantiles(fractions: readonly number[], now: number): number[] {
    if (now - this.#startedAt >= WINDOW_MS) this.#rotate(now)
    let total = 0
    for (let i = 0; i < BUCKETS; i++) total += this.#at(i)
    return fractions.map(fraction => {
      let left = Math.ceil(total * fraction)
      if (left === 0) return 0
      for (let i = 0; i < BUCKETS; i++) {
        left -= this.#at(i)
        if (left <= 0) return upperBound(i) / 1000
      }
      return upperBound(BUCKETS - 1) / 1000
    })
  }

  #at(i: number): number {
    return this.#current[i]! + this.#previous[i]!
  }

  #rotate(now: number): void {
    const isRecent = now - this.#startedAt < 2 * WINDOW_MS
    const oldest = this.#previous
    this.#previous = this.#current
    this.#current = oldest.fill(0)
    if (!isRecent) this.#previous.fill(0)
    this.#startedAt = now
  }
}

function bucketOf(micros: number): number {
  const n = Math.min(Math.max(micros, 0), 0xffff_ffff) >>> 0
  if (n < SUB) return n
  const shift = 31 - Math.clz32(n) - SUB_BITS
  return (shift + 1) * SUB + ((n >>> shift) - SUB)
}

/** Returns the largest time that a bucket contains, in microseconds. */
function upperBound(bucket: number): number {
  if (bucket < SUB) return bucket
  const shift = Math.floor(bucket / SUB) - 1
  return (SUB + (bucket % SUB) + 1) * 2 ** shift - 1
}
