import { isRetriable } from '../../common/errors/error-table.ts'
import { clientErrors } from '../errors.ts'
import { backoffMs, reasonOf, wait } from '../net/wait.ts'

export interface RetryOptions {
  /** For the error message: what did not finish. */
  readonly what: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly backoffMs: number
  readonly backoffMaxMs: number
  /** Whether to try again after this error. Default: where it says that it is retriable. */
  readonly retriable?: (error: unknown) => boolean
}

/** Tries until it works, fails for good, the signal aborts or the time is up (MR_CLIENT_TIMEOUT with the last error as cause). */
export async function retry<T>(attempt: (leftMs: number) => Promise<T>, o: RetryOptions): Promise<T> {
  const deadline = performance.now() + o.timeoutMs
  for (let n = 0; ; n++) {
    try {
      return await attempt(Math.max(1, deadline - performance.now()))
    } catch (error) {
      if (o.signal.aborted || !(o.retriable ?? isRetriable)(error)) throw error
      const pause = backoffMs(n, o.backoffMs, o.backoffMaxMs)
      if (performance.now() + pause >= deadline) {
        throw clientErrors.create(
          'MR_CLIENT_TIMEOUT',
          { what: o.what, ms: o.timeoutMs, cause: reasonOf(error) },
          { cause: error },
        )
      }
      await wait(pause, o.signal)
    }
  }
}
