/**
 * Returns the size of libuv's thread pool. The size is fixed when the process first uses the pool.
 */
export function threadPoolSize(setting: string | undefined): number {
  const size = Number.parseInt(setting ?? '', 10)
  return Number.isNaN(size) ? 4 : Math.min(Math.max(size, 1), 1024)
}

/**
 * Limits the operations that can block a thread of libuv's pool for long: fdatasync, large writes
 * and the removal of files. Node runs all asynchronous file operations in this small pool. Slow
 * operations use at most half of its threads, so reads from disk do not wait for slow operations.
 * Slots are granted in order of arrival.
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

  /**
   * Takes a slot if one is free and no other caller is waiting. Returns whether it took a slot. If
   * it did, the caller must call `release`.
   */
  tryAcquire(): boolean {
    if (this.#running >= this.limit || this.#waiting.length > 0) return false
    this.#running++
    return true
  }

  /** Calls `onAcquired` when the caller gets a slot. The caller must call `release`. */
  onSlot(onAcquired: () => void): void {
    if (this.tryAcquire()) onAcquired()
    else this.#waiting.push(onAcquired)
  }

  /** Releases a slot, and passes it to the next waiting caller. */
  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else queueMicrotask(next)
  }

  /**
   * Runs a job when a slot is free. The job must not wait for another slot, because that could
   * deadlock.
   */
  async run<T>(job: () => T | Promise<T>): Promise<T> {
    await new Promise<void>(resolve => this.onSlot(resolve))
    try {
      return await job()
    } finally {
      this.release()
    }
  }
}

/** The instance that all logs share, because a process has one thread pool. */
export const slowOperations = new SlowOperations(threadPoolSize(process.env['UV_THREADPOOL_SIZE']))
