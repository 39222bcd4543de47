/** Runs asynchronous jobs one at a time, in the order of the calls. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  /**
   * Runs a job after all earlier jobs, and resolves to its result. If a job fails, later jobs still
   * run.
   */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    const mine = this.#last.then(job)
    this.#last = mine.then(ignore, ignore)
    return mine
  }

  /** Resolves when all jobs that are queued now are complete. */
  async idle(): Promise<void> {
    await this.#last
  }
}

/** Ignores a result or error, because the caller of `run` receives it. */
function ignore(): void {}
