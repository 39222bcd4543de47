/**
 * Computes how long the first rebalance of an empty group waits for more members, in milliseconds.
 * The first delay is `group.initial.rebalance.delay.ms`. If a member joins during a delay, another
 * delay follows. The total is at most the longest rebalance timeout.
 */
export class InitialDelay {
  readonly #stepMs: number
  #currentMs: number
  #remainingMs: number
  #memberJoined = false

  constructor(stepMs: number, rebalanceTimeoutMs: number) {
    this.#stepMs = stepMs
    this.#currentMs = stepMs
    this.#remainingMs = Math.max(rebalanceTimeoutMs - stepMs, 0)
  }

  memberJoined(): void {
    this.#memberJoined = true
  }

  /** Returns the next delay, or 0 if no further delay follows. Called at the end of each delay. */
  next(): number {
    if (!this.#memberJoined || this.#remainingMs === 0) return 0
    this.#memberJoined = false
    const delayMs = Math.min(this.#stepMs, this.#remainingMs)
    this.#remainingMs = Math.max(this.#remainingMs - this.#currentMs, 0)
    this.#currentMs = delayMs
    return delayMs
  }
}
