/** The longest that a timer of Node can be set for. */
const MAX_TIMER = 2 ** 31 - 1

/**
 * Waits for whichever comes first: `subscribe`'s callback, `ms` milliseconds, or the signal (then it rejects with its reason).
 * `subscribe` gives back how to unsubscribe.
 */
export function waitUntil(subscribe: (wake: () => void) => () => void, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | null = null
    let unsubscribe: () => void = () => {}
    const finish = (then: () => void) => {
      if (timer) clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      unsubscribe()
      then()
    }
    const onAbort = () => finish(() => reject(signal.reason))
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (Number.isFinite(ms)) timer = setTimeout(() => finish(resolve), Math.min(ms, MAX_TIMER))
    unsubscribe = subscribe(() => finish(resolve))
  })
}

/** Waits; rejects when the signal aborts. */
export const delay = (ms: number, signal: AbortSignal): Promise<void> => waitUntil(() => () => {}, ms, signal)

/**
 * The outcome of a promise, or a rejection when the signal aborts first: for what cannot be cancelled itself. (pg's `connect` never
 * settles when its client is ended meanwhile.)
 */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
