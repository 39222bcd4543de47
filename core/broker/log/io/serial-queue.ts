/** Runs asynchronous jobs one at a time, in the order of the calls. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  /** Returns the outcome of the job. A failed job does not stop the jobs after it. */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    const mine = this.#last.then(job)
    this.#last = mine.then(ignore, ignore)
    return mine
  }

  /** Resolves when all jobs queued so far are complete. */
  async idle(): Promise<void> {
    await this.#last
  }
}

/** The caller of `run` receives the outcome. */
function ignore(): void {}
