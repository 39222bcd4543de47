import type { Failure } from '../task/host/messages-out.ts'

/** What a connector or task shall be at present. */
export interface Desired {
  /** Whether it shall be in a thread at all. */
  readonly run: boolean
  /** Tasks only: in its thread, but idle. */
  readonly paused: boolean
  /** Of the configuration that it shall have. */
  readonly revision: number
  /** Grows with every request to restart it. */
  readonly restarts: number
}

export interface Failed {
  readonly failure: Failure
  /** When it is started again by itself, ms since 1970; null: not before something changes. */
  readonly retryAt: number | null
}

/** What it is. `down` is in no thread; `failed` says why, if it did not end as asked. */
export type Actual =
  | { readonly phase: 'down'; readonly failed: Failed | null; readonly revision: number; readonly restarts: number }
  | {
      readonly phase: 'starting' | 'running' | 'paused' | 'pausing' | 'resuming' | 'stopping'
      readonly revision: number
      readonly restarts: number
    }

export type Step = 'start' | 'stop' | 'pause' | 'resume' | null

/**
 * The next step that brings a unit nearer to what it shall be; null when it is there, when a step is under way, or when it
 * has failed and nothing has changed since. Pure: the whole of the lifecycle's logic, for any interleaving of requests,
 * failures and answers.
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

/** When to look again though nothing happens: the time of the next restart; null for never. */
export function wakeAt(desired: Desired, actual: Actual): number | null {
  return desired.run && actual.phase === 'down' ? (actual.failed?.retryAt ?? null) : null
}
