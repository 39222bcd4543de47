import { messageOf } from '../../common/errors/error-table.ts'
import { timerMs } from '../../common/timer.ts'

export { timerMs }

/** A signal that aborts after so long. */
export function timeLimit(ms: number): AbortSignal {
  return AbortSignal.timeout(timerMs(ms))
}

/** A signal that aborts with another one, or after so long. `end` lets go of both. */
export function limitOf(ms: number, signal: AbortSignal): { readonly signal: AbortSignal; end(): void } {
  const limit = new AbortController()
  const onAbort = () => limit.abort(signal.reason)
  const timer = setTimeout(() => limit.abort(new Error('the time is up')), timerMs(ms))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  return {
    signal: limit.signal,
    end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    },
  }
}

/** Resolves after so many milliseconds; rejects with the signal's reason when that aborts. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, timerMs(ms))
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** The promise, or a rejection with the signal's reason if that comes first. The promise itself goes on; its failure is not lost on us alone. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    const done = () => signal.removeEventListener('abort', onAbort)
    promise.then(
      value => {
        done()
        resolve(value)
      },
      error => {
        done()
        reject(error)
      },
    )
  })
}

/** Something that others wait for until it happens, again and again. */
export class Signal {
  #waiters: (() => void)[] = []

  notify(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const w of waiters) w()
  }

  /** Resolves at the next `notify`, after `ms`, or when the signal aborts: the caller looks again for what it waits for. */
  next(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        const at = this.#waiters.indexOf(done)
        if (at >= 0) this.#waiters.splice(at, 1)
        resolve()
      }
      const timer = setTimeout(done, timerMs(ms))
      this.#waiters.push(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }
}

/** `retry.backoff.ms` doubling up to `retry.backoff.max.ms`, by 20% more or less at random, as Kafka's ExponentialBackoff. */
export function backoffMs(attempt: number, initial: number, max: number, random: () => number = Math.random): number {
  const jitter = 0.8 + 0.4 * random()
  return Math.min(max, Math.min(max, initial * 2 ** Math.min(attempt, 30)) * jitter)
}

/** For log lines: what went wrong, shortly. */
export const reasonOf = messageOf
