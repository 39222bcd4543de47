import { isoTime } from '../../common/timer.ts'
import type { Props } from '../../connect/props.ts'
import type { Failure } from '../task/host/messages-out.ts'

/** `errors.restart.*` of a connector. Not in Connect, where a failed task waits for a human. */
export interface RestartPolicy {
  readonly policy: 'none' | 'retriable' | 'all'
  readonly delayMs: number
  readonly delayMaxMs: number
  /** Restarts in a row at most; -1 without limit. */
  readonly max: number
}

/** A unit that ran this long begins to count its failures anew. Milliseconds. */
export const HEALTHY_MS = 60_000

function number(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^-?\d+$/.test(text.trim()) ? Number(text) : otherwise
}

/** Reads the policy out of a configuration that has been validated; what is wrong in an old one counts as the default. */
export function restartPolicy(props: Props): RestartPolicy {
  const policy = props['errors.restart.policy']
  return {
    policy: policy === 'none' || policy === 'all' ? policy : 'retriable',
    delayMs: Math.max(1, number(props['errors.restart.delay.ms'], 1000)),
    delayMaxMs: Math.max(1, number(props['errors.restart.delay.max.ms'], 60_000)),
    max: number(props['errors.restart.max'], -1),
  }
}

/**
 * The wait before a restart, or null for none. `restarts` is how many have gone before without a healthy minute. The wait
 * doubles up to the maximum, and up to a fifth is added by `random` (0..1), so that many failed tasks do not come at once.
 */
export function restartDelay(
  policy: RestartPolicy,
  failure: Pick<Failure, 'retriable'>,
  restarts: number,
  random: number,
): number | null {
  if (policy.policy === 'none' || (policy.policy === 'retriable' && !failure.retriable)) return null
  if (policy.max >= 0 && restarts >= policy.max) return null
  const base = Math.min(policy.delayMs * 2 ** Math.min(restarts, 40), policy.delayMaxMs)
  return Math.round(base * (1 + 0.2 * random))
}

/** The trace of a failed unit: what failed, and when it is tried again. */
export function traceWith(failure: Failure, retryAt: number | null, restarts: number): string {
  const when = isoTime(retryAt)
  if (when === null) return failure.trace
  return `${failure.trace}\n(restarts by itself at ${when}, restart ${restarts + 1}; see errors.restart.policy)`
}

/** The trace of a unit that tries again by itself: what it waits for, and when it tries next where that is known. */
export function waitingTrace(message: string, retryAt: number | null): string {
  const when = isoTime(retryAt)
  return when === null ? message : `${message}\n(tries again by itself at ${when})`
}
