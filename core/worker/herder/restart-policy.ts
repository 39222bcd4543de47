import { backoffMs } from '../../common/async/backoff.ts'
import { checkKey, parseConfig } from '../../common/config/parse.ts'
import { isoInstant } from '../../common/iso-instant.ts'
import type { Props } from '../../connect/props.ts'
import { restartKeys } from '../config/error-keys.ts'
import type { Failure } from '../task/host/messages-out.ts'

/**
 * A connector's `errors.restart.*` settings. Connect has no such settings. In Connect, a failed
 * task does not run again until a REST request restarts it.
 */
export interface RestartPolicy {
  readonly policy: 'none' | 'retriable' | 'all'
  readonly delayMs: number
  readonly delayMaxMs: number
  /** The maximum number of restarts in a row; -1 for no limit. */
  readonly max: number
}

/** The time without a failure after which the number of failures is reset, ms. */
export const HEALTHY_MS = 60_000

/**
 * Returns the policy of a configuration whose references are resolved. Invalid values are replaced
 * with the defaults.
 */
export function restartPolicy(props: Props): RestartPolicy {
  const valid = Object.entries(restartKeys).filter(([name, key]) => checkKey(name, key, props).errors.length === 0)
  const values = parseConfig(restartKeys, Object.fromEntries(valid.map(([name]) => [name, props[name]])))
  return {
    policy: values['errors.restart.policy'],
    delayMs: values['errors.restart.delay.ms'],
    delayMaxMs: values['errors.restart.delay.max.ms'],
    max: values['errors.restart.max'],
  }
}

/**
 * Returns the delay before the next restart, or null if there is no restart. `restarts` is the
 * number of restarts since the unit last ran for HEALTHY_MS. The delay doubles up to the maximum.
 * `random` (0..1) varies the delay by up to 20%, so that tasks that failed together restart at
 * different times.
 */
export function restartDelay(
  policy: RestartPolicy,
  failure: Pick<Failure, 'retriable'>,
  restarts: number,
  random: number,
): number | null {
  if (policy.policy === 'none' || (policy.policy === 'retriable' && !failure.retriable)) return null
  if (policy.max >= 0 && restarts >= policy.max) return null
  return backoffMs(restarts, { initialMs: policy.delayMs, maxMs: policy.delayMaxMs, random: () => random })
}

/** Returns the trace of a failed unit. It contains the failure and the time of the next restart. */
export function traceWith(failure: Failure, retryAt: number | null, restarts: number): string {
  const when = isoInstant(retryAt)
  if (when === null) return failure.trace
  return `${failure.trace}\n(restarts automatically at ${when}, restart ${restarts + 1}; see errors.restart.policy)`
}

/**
 * Returns the trace of a unit that is retrying. It contains the reason for the retry and, if known,
 * the time of the next attempt.
 */
export function waitingTrace(message: string, retryAt: number | null): string {
  const when = isoInstant(retryAt)
  return when === null ? message : `${message}\n(retries automatically at ${when})`
}
