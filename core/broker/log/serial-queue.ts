/** Runs asynchronous jobs one after another, in the order in which they were given. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  /** The job's own outcome; a failure does not stop the jobs after it. */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    const mine = this.#last.then(job)
    this.#last = mine.then(ignore, ignore)
    return mine
  }

  /** Resolves when all that were given so far are done. */
  async idle(): Promise<void> {
    await this.#last
  }
}

/** The outcome belongs to whoever called `run`. */
function ignore(): void {}
