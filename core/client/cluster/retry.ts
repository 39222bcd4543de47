import { backoffMs } from '../../common/async/backoff.ts'
import { sleep } from '../../common/async/sleep.ts'
import { cancellableLimit } from '../../common/async/time-limit.ts'
import { isRetriable, messageOf } from '../../common/errors/error-table.ts'
import { clientErrors } from '../errors.ts'

export interface RetryOptions {
  /** The name of the operation, for the error message. */
  readonly what: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly backoffMs: number
  readonly backoffMaxMs: number
  /** Whether to retry after an error. Default: retry if the error is retriable. */
  readonly retriable?: (error: unknown) => boolean
}

/**
 * Runs `attempt` until it succeeds, and returns its result. An error that is not retriable ends the
 * attempts at once. When the time is over, throws MR_CLIENT_TIMEOUT with the last error as its
 * cause. The signal of an attempt aborts at that time, and when the signal in the options aborts.
 */
export async function retry<T>(attempt: (signal: AbortSignal) => Promise<T>, o: RetryOptions): Promise<T> {
  const deadline = performance.now() + o.timeoutMs
  let last: unknown = null
  const late = () =>
    clientErrors.create(
      'MR_CLIENT_TIMEOUT',
      { what: o.what, ms: o.timeoutMs, cause: last === null ? 'there was no response' : messageOf(last) },
      last === null ? undefined : { cause: last },
    )
  for (let n = 0; ; n++) {
    const limit = cancellableLimit(deadline - performance.now(), o.signal)
    try {
      return await attempt(limit.signal)
    } catch (error) {
      if (o.signal.aborted) throw error
      if (limit.signal.aborted) throw late()
      if (!(o.retriable ?? isRetriable)(error)) throw error
      last = error
    } finally {
      limit.cancel()
    }
    const pause = backoffMs(n, { initialMs: o.backoffMs, maxMs: o.backoffMaxMs })
    if (performance.now() + pause >= deadline) throw late()
    await sleep(pause, o.signal)
  }
}
