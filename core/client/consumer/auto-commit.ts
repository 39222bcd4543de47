import type { Logger } from '../../common/log.ts'

/** Commits the offsets of returned records at an interval, for `enable.auto.commit`. */
export class AutoCommit {
  readonly #intervalMs: number
  readonly #commit: () => Promise<void>
  readonly #logger: Logger
  #next: number
  #running: Promise<void> | null = null

  constructor(intervalMs: number, commit: () => Promise<void>, logger: Logger) {
    this.#intervalMs = intervalMs
    this.#commit = commit
    this.#logger = logger
    this.#next = performance.now() + intervalMs
  }

  /**
   * Commits in the background if the interval has passed. Only logs a failure, because the next
   * commit includes these offsets.
   */
  commitIfDue(): void {
    const now = performance.now()
    if (this.#running || now < this.#next) return
    this.#next = now + this.#intervalMs
    this.#running = this.#commit().then(
      () => {
        this.#running = null
      },
      error => {
        this.#running = null
        this.#logger.warn('Automatic commit failed', error)
      },
    )
  }

  /** Resolves when no commit is in progress. */
  async settled(): Promise<void> {
    await this.#running
  }
}
