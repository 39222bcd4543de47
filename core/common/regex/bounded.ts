import { runInNewContext } from 'node:vm'
import type { JavaPattern } from './java-pattern.ts'

/**
 * Returns whether a pattern matches the whole text, or null if matching takes longer than
 * `timeoutMs`. Use this function for users' patterns in a shared thread: nested repetitions such as
 * `(a+)+b` can take exponential time.
 */
export function matchesInTime(pattern: JavaPattern, text: string, timeoutMs: number): boolean | null {
  try {
    return runInNewContext('whole.test(text)', { whole: pattern.whole, text }, { timeout: timeoutMs }) as boolean
  } catch (error) {
    // The error belongs to the other VM context, so it is not an instance of this context's Error.
    const isTimeout = Object(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
    if (isTimeout) return null
    throw error
  }
}
