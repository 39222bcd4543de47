/**
 * The longest delay of a Node timer, in milliseconds. Node fires a timer with a longer delay
 * immediately.
 */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Returns a delay that `setTimeout` accepts: a whole number of milliseconds, at least 1 and at most
 * 24.8 days. If the real delay is longer, the caller must check the time again when the timer
 * fires.
 */
export function timerMs(ms: number): number {
  return ms > MAX_TIMER_MS ? MAX_TIMER_MS : ms > 1 ? Math.ceil(ms) : 1
}

/**
 * Calls `onTime` after `ms` milliseconds, even if `ms` exceeds the maximum of a Node timer. If `ms`
 * is infinite, `onTime` is never called. Returns a function that cancels the timer.
 */
export function startTimer(ms: number, onTime: () => void): () => void {
  if (ms === Number.POSITIVE_INFINITY) return () => {}
  let timer: NodeJS.Timeout
  const end = performance.now() + ms
  const arm = (left: number) => {
    timer = setTimeout(() => {
      const rest = end - performance.now()
      if (left > MAX_TIMER_MS && rest > 0) arm(rest)
      else onTime()
    }, timerMs(left))
  }
  arm(ms)
  return () => clearTimeout(timer)
}
