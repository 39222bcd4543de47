import type { Failure } from '../task/host/messages-out.ts'

/** The desired state of a connector or task. */
export interface Desired {
  /** Whether the unit should run in a thread. */
  readonly run: boolean
  /** Whether the unit should be paused. Only tasks can be paused. */
  readonly paused: boolean
  /** The revision of the configuration with which the unit should run. */
  readonly revision: number
  /** The number of restarts requested so far. */
  readonly restarts: number
}

export interface Failed {
  readonly failure: Failure
  /** The time of the automatic restart, ms since 1970; null for no restart. */
  readonly retryAt: number | null
}

/**
 * The actual state of a unit. A `down` unit runs in no thread, and `failed` is set if the unit
 * failed. A `queued` unit waits until it may start.
 */
export type Actual =
  | { readonly phase: 'down'; readonly failed: Failed | null; readonly revision: number; readonly restarts: number }
  | {
      readonly phase: 'queued' | 'starting' | 'running' | 'paused' | 'pausing' | 'resuming' | 'stopping'
      readonly revision: number
      readonly restarts: number
    }

export type Step = 'start' | 'stop' | 'pause' | 'resume' | null

/**
 * Returns the next step from the actual to the desired state. Returns null if the unit is in its
 * desired state, if a step is in progress, or if the unit failed and must wait for its retry time,
 * a new configuration or a restart request. This pure function is the complete logic of the
 * lifecycle.
 */
export function decide(desired: Desired, actual: Actual, now: number): Step {
  const same = actual.revision === desired.revision && actual.restarts === desired.restarts
  switch (actual.phase) {
    case 'stopping':
      return null
    case 'down':
      if (!desired.run) return null
      if (actual.failed && same) return actual.failed.retryAt !== null && now >= actual.failed.retryAt ? 'start' : null
      return 'start'
    case 'queued':
    case 'starting':
    case 'pausing':
    case 'resuming':
      return desired.run && same ? null : 'stop'
    case 'running':
      if (!desired.run || !same) return 'stop'
      return desired.paused ? 'pause' : null
    case 'paused':
      if (!desired.run || !same) return 'stop'
      return desired.paused ? null : 'resume'
  }
}

/**
 * Returns the time of the next automatic restart, at which `decide` must be called again. Returns
 * null if there is no restart.
 */
export function wakeAt(desired: Desired, actual: Actual): number | null {
  return desired.run && actual.phase === 'down' ? (actual.failed?.retryAt ?? null) : null
}
