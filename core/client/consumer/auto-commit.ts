import type { Logger } from '../../common/log.ts'

/** `enable.auto.commit`: commits from time to time what the polls so far have handed out. */
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

  /** Commits in the background if it is time. A failure is logged: the next commit covers it. */
  maybe(): void {
    const now = performance.now()
    if (this.#running || now < this.#next) return
    this.#next = now + this.#intervalMs
    this.#running = this.#commit().then(
      () => {
        this.#running = null
      },
      error => {
        this.#running = null
        this.#logger.warn('automatic commit failed', error)
      },
    )
  }

  /** Resolves when no commit is under way. */
  async settled(): Promise<void> {
    await this.#running
  }
}
