import { backoffMs } from '../../common/async/backoff.ts'
import { isoInstant } from '../../common/iso-instant.ts'
import type { Props } from '../../connect/props.ts'
import { restartKeys } from '../config/error-keys.ts'
import type { Failure } from '../task/host/messages-out.ts'

/**
 * A connector's `errors.restart.*` settings. Connect has none: a failed task waits for a REST call.
 */
export interface RestartPolicy {
  readonly policy: 'none' | 'retriable' | 'all'
  readonly delayMs: number
  readonly delayMaxMs: number
  /** The maximum number of restarts in a row; -1 for no limit. */
  readonly max: number
}

/** A unit that ran for this long gets its count of failures reset, ms. */
export const HEALTHY_MS = 60_000

function number(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^-?\d+$/.test(text.trim()) ? Number(text) : otherwise
}

/**
 * Reads the policy from a validated configuration. Invalid values of an old one become the default.
 */
export function restartPolicy(props: Props): RestartPolicy {
  const policy = props['errors.restart.policy']
  return {
    policy: policy === 'none' || policy === 'all' ? policy : restartKeys['errors.restart.policy'].default,
    delayMs: Math.max(1, number(props['errors.restart.delay.ms'], restartKeys['errors.restart.delay.ms'].default)),
    delayMaxMs: Math.max(
      1,
      number(props['errors.restart.delay.max.ms'], restartKeys['errors.restart.delay.max.ms'].default),
    ),
    max: number(props['errors.restart.max'], restartKeys['errors.restart.max'].default),
  }
}

/**
 * Returns the delay before the next restart, or null if there is no restart. `restarts` counts the
 * restarts since the unit last ran for HEALTHY_MS. The delay doubles up to the maximum. `random`
 * (0..1) varies it by up to 20%, so that tasks that failed together do not restart together.
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

/** The trace of a failed unit: its failure, and the time of the next restart. */
export function traceWith(failure: Failure, retryAt: number | null, restarts: number): string {
  const when = isoInstant(retryAt)
  if (when === null) return failure.trace
  return `${failure.trace}\n(restarts automatically at ${when}, restart ${restarts + 1}; see errors.restart.policy)`
}

/**
 * The trace of a unit that retries: what it waits for, and the time of the next attempt if known.
 */
export function waitingTrace(message: string, retryAt: number | null): string {
  const when = isoInstant(retryAt)
  return when === null ? message : `${message}\n(retries automatically at ${when})`
}
