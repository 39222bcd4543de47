/**
 * How long the first rebalance of an empty group waits for more members: `group.initial.rebalance.delay.ms`, and as long again each time that somebody
 * came meanwhile, up to the longest rebalance timeout in all. Milliseconds.
 */
export class InitialDelay {
  readonly #stepMs: number
  #currentMs: number
  #remainingMs: number
  #someoneCame = false

  constructor(stepMs: number, rebalanceTimeoutMs: number) {
    this.#stepMs = stepMs
    this.#currentMs = stepMs
    this.#remainingMs = Math.max(rebalanceTimeoutMs - stepMs, 0)
  }

  memberCame(): void {
    this.#someoneCame = true
  }

  /** The delay is over: how long to wait once more, 0 not at all. */
  next(): number {
    if (!this.#someoneCame || this.#remainingMs === 0) return 0
    this.#someoneCame = false
    const delayMs = Math.min(this.#stepMs, this.#remainingMs)
    this.#remainingMs = Math.max(this.#remainingMs - this.#currentMs, 0)
    this.#currentMs = delayMs
    return delayMs
  }
}
