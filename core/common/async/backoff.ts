/** The settings of a back-off. */
export interface BackoffOptions {
  /** The first delay, in milliseconds. */
  readonly initialMs: number
  /** The longest delay, in milliseconds. */
  readonly maxMs: number
  /**
   * The random part of a delay, as a fraction. With the default, 0.2, a delay varies by up to 20%.
   * 0 disables the variation.
   */
  readonly jitter?: number
  /** A source of random numbers from 0 to 1. Default `Math.random`. */
  readonly random?: () => number
}

/**
 * The delays between the attempts of a retry loop. Each delay is twice the previous one, up to a
 * maximum.
 */
export interface Backoff {
  /** The number of delays since the start or the last `reset`. */
  readonly attempts: number
  /** Returns the next delay, in whole milliseconds. */
  next(): number
  /** Starts again with the first delay. Call it after a success. */
  reset(): void
}

/** The default jitter, which is that of Kafka's `retry.backoff.ms`. */
const KAFKA_JITTER = 0.2
/** The maximum number of doublings, so that the delay stays a finite number. */
const MAX_DOUBLINGS = 62

/**
 * Returns the delay after a number of failed attempts, counted from 0, as Kafka's
 * ExponentialBackoff does. The delay is constant if `initialMs` is not below `maxMs`.
 */
export function backoffMs(attempts: number, options: BackoffOptions): number {
  const { initialMs, maxMs, jitter = KAFKA_JITTER, random = Math.random } = options
  if (initialMs >= maxMs) return maxMs
  // biome-ignore lint/plugin: back-off is implemented only here
  const delay = Math.min(maxMs, initialMs * 2 ** Math.min(attempts, MAX_DOUBLINGS))
  return Math.min(maxMs, Math.trunc(delay * (1 - jitter + 2 * jitter * random())))
}

/** Creates a back-off: `const delays = backoff({ initialMs: 100, maxMs: 60_000 })`. */
export function backoff(options: BackoffOptions): Backoff {
  let attempts = 0
  return {
    get attempts() {
      return attempts
    },
    next: () => backoffMs(attempts++, options),
    reset() {
      attempts = 0
    },
  }
}
