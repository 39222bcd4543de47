/**
 * The longest delay of a Node timer, in milliseconds. Node fires a timer with a longer delay at
 * once.
 */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Returns a delay that `setTimeout` accepts: a whole number of milliseconds, at least 1 and at most
 * 24.8 days. A caller with a longer delay must check the time again when the timer fires.
 */
export function timerMs(ms: number): number {
  return ms > MAX_TIMER_MS ? MAX_TIMER_MS : ms > 1 ? Math.ceil(ms) : 1
}

/**
 * Calls `onTime` after `ms` milliseconds, however long that is; never, if `ms` is infinite. Returns
 * a cancel function.
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
