import { startTimer } from './timer.ts'

/** An event that can happen many times. Waiters wait for its next occurrence. */
export class Signal {
  #waiters = new Set<() => void>()

  /** Resolves all waits that are pending now. */
  notify(): void {
    if (this.#waiters.size === 0) return
    const waiters = this.#waiters
    this.#waiters = new Set()
    for (const wake of waiters) wake()
  }

  /**
   * Resolves at the next `notify`, after `ms` milliseconds, or when the signal aborts. Never
   * rejects. The caller must check its condition again.
   */
  next(ms: number = Number.POSITIVE_INFINITY, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal?.aborted) return resolve()
      const done = () => {
        cancel()
        signal?.removeEventListener('abort', done)
        this.#waiters.delete(done)
        resolve()
      }
      const cancel = startTimer(ms, done)
      this.#waiters.add(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }
}

/**
 * Waits until `condition` returns true. Calls `condition` now and after each `notify`. Returns
 * false if `ms` milliseconds pass or the signal aborts first.
 */
export async function waitUntil(
  condition: () => boolean,
  changed: Signal,
  ms: number = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<boolean> {
  const end = performance.now() + ms
  while (!condition()) {
    const left = end - performance.now()
    if (left <= 0 || signal?.aborted) return false
    await changed.next(left, signal)
  }
  return true
}
