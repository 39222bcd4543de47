/** Counts the starts of connectors or tasks, and their outcomes. */
export class Startups {
  attempts = 0
  successes = 0
  failures = 0
  readonly #starting = new Set<string>()

  started(unit: string): void {
    this.attempts++
    this.#starting.add(unit)
  }

  /**
   * Counts the outcome of a start. Must be called when a unit starts running, is paused or fails;
   * only the first call after each start counts.
   */
  ended(unit: string, succeeded: boolean): void {
    if (!this.#starting.delete(unit)) return
    if (succeeded) this.successes++
    else this.failures++
  }

  /** Discards the start of a unit that was stopped before the start was complete. */
  cancelled(unit: string): void {
    this.#starting.delete(unit)
  }

  get successFraction(): number {
    return this.successes === 0 ? 0 : this.successes / (this.successes + this.failures)
  }

  get failureFraction(): number {
    return this.failures === 0 ? 0 : this.failures / (this.successes + this.failures)
  }
}
