import { startTimer, timerMs } from './timer.ts'

/**
 * Returns a signal that aborts after `ms` milliseconds. Its timer does not keep the process alive.
 */
export function timeLimit(ms: number): AbortSignal {
  return AbortSignal.timeout(timerMs(ms))
}

/** A time limit that can be cancelled. */
export interface TimeLimit {
  readonly signal: AbortSignal
  /** Cancels the timer and removes the listener from the parent signal. */
  cancel(): void
}

/**
 * Returns a time limit. Its signal aborts after `ms` milliseconds, or when `parent` aborts. Call
 * `cancel` when the work is done.
 */
export function cancellableLimit(ms: number, parent: AbortSignal): TimeLimit {
  const limit = new AbortController()
  const onAbort = () => limit.abort(parent.reason)
  const cancelTimer = startTimer(ms, () => limit.abort(new Error('timed out')))
  if (parent.aborted) onAbort()
  else parent.addEventListener('abort', onAbort, { once: true })
  return {
    signal: limit.signal,
    cancel() {
      cancelTimer()
      parent.removeEventListener('abort', onAbort)
    },
  }
}
