/** The size of libuv's thread pool, which is fixed when the process first uses it. */
export function threadPoolSize(setting: string | undefined): number {
  const size = Number.parseInt(setting ?? '', 10)
  return Number.isNaN(size) ? 4 : Math.min(Math.max(size, 1), 1024)
}

/**
 * Operations that can keep a thread of libuv's pool busy for long: fdatasync, large writes,
 * removals. Node.js runs all asynchronous file operations on one small pool, so these take at most
 * half of its threads: reads from disk never wait behind them. Waiters get their turns in order of
 * arrival.
 */
export class SlowOperations {
  readonly limit: number
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(poolSize: number) {
    this.limit = Math.max(1, poolSize >> 1)
  }

  get running(): number {
    return this.#running
  }

  /** Takes a turn if one is free and nobody is waiting. `finish` must follow. */
  tryStart(): boolean {
    if (this.#running >= this.limit || this.#waiting.length > 0) return false
    this.#running++
    return true
  }

  /** Calls back when it is this caller's turn. `finish` must follow. */
  onTurn(start: () => void): void {
    if (this.tryStart()) start()
    else this.#waiting.push(start)
  }

  /** Ends a turn and passes it to the next waiter. */
  finish(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else queueMicrotask(next)
  }

  /** Runs a job in a turn of its own. The job must not wait for another turn. */
  async run<T>(job: () => T | Promise<T>): Promise<T> {
    await new Promise<void>(resolve => this.onTurn(resolve))
    try {
      return await job()
    } finally {
      this.finish()
    }
  }
}

/** One per process, like the pool. */
export const slowOperations = new SlowOperations(threadPoolSize(process.env['UV_THREADPOOL_SIZE']))
