/**
 * Returns the outcome of a promise, or rejects with the signal's reason if the signal aborts first.
 * The work behind the promise continues. If it fails later, that error is ignored.
 */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    const removeListener = () => signal.removeEventListener('abort', onAbort)
    promise.then(
      value => {
        removeListener()
        resolve(value)
      },
      error => {
        removeListener()
        reject(error)
      },
    )
  })
}

/**
 * Returns the outcome of a promise. Calls `onAbort` if the signal aborts before the promise
 * settles.
 */
export async function withAbortHandler<T>(promise: Promise<T>, signal: AbortSignal, onAbort: () => void): Promise<T> {
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
