import { isoInstant } from '../../common/iso-instant.ts'
import type { Logger } from '../../common/log.ts'
import type { ConfigState } from '../storage/config-state.ts'
import type { StatusStore, UnitState, UnitStatus } from '../storage/status-store.ts'
import { errors } from '../task/errors.ts'
import type { Failure } from '../task/host/messages-out.ts'
import type { Assignment } from './assignment.ts'
import type { Actual } from './decide.ts'
import type { Launcher } from './launcher.ts'
import { traceWith, waitingTrace } from './restart-policy.ts'

export interface UnitStatusesEnv {
  readonly state: ConfigState
  readonly statuses: StatusStore
  readonly launcher: Launcher
  readonly assignment: () => Assignment
  readonly workerId: () => string
}

/** Messages about delays. They are the trace of a unit that has not failed. */
interface Delays {
  /** Says what the unit is waiting for; null if it is not waiting. */
  readonly waiting: string | null
  /**
   * Says since when the event loop of the unit's thread has been blocked; null if it is not
   * blocked.
   */
  readonly blocked: string | null
}

const NO_DELAYS: Delays = { waiting: null, blocked: null }

/** Writes the statuses of a connector (task null) and its tasks. REST shows them. */
export class UnitStatuses {
  readonly #name: string
  readonly #env: UnitStatusesEnv
  readonly #logger: Logger
  readonly #delays = new Map<number | null, Delays>()

  constructor(name: string, env: UnitStatusesEnv, logger: Logger) {
    this.#name = name
    this.#env = env
    this.#logger = logger
  }

  of(task: number | null): UnitStatus | null {
    const { statuses } = this.#env
    return task === null ? statuses.connector(this.#name) : statuses.task(this.#name, task)
  }

  put(task: number | null, state: UnitState, trace: string | null = null): void {
    const { statuses, workerId, assignment } = this.#env
    if (this.#env.state.config(this.#name) === null) return
    const status: UnitStatus = {
      state,
      trace,
      workerId: workerId(),
      generation: assignment().generation,
      version: state === 'UNASSIGNED' || state === 'RESTARTING' ? null : this.#version(),
    }
    if (task === null) statuses.putConnector(this.#name, status)
    else statuses.putTask(this.#name, task, status)
  }

  /** Must be called when a unit starts. Deletes the old messages about delays of the unit. */
  starting(task: number | null): void {
    this.#delays.delete(task)
  }

  /** Shows that a unit is RUNNING or PAUSED. The trace contains the unit's delays. */
  active(task: number | null, state: 'RUNNING' | 'PAUSED'): void {
    this.put(task, state, traceOf(this.#delaysOf(task)))
  }

  failed(task: number | null, failure: Failure, retryAt: number | null, restarts: number): void {
    this.put(task, 'FAILED', traceWith(failure, retryAt, restarts))
  }

  /** Shows the message about what a unit is waiting for. Null means that the wait has ended. */
  waiting(task: number | null, phase: Actual['phase'], message: string | null, retryAt: number | null): void {
    const waiting = message === null ? null : waitingTrace(message, retryAt)
    const delays = { ...this.#delaysOf(task), waiting }
    // The status shows what a unit waits for during its start. `#delays` does not keep this
    // message, because the wait ends with the start.
    this.#delays.set(task, phase === 'starting' ? { ...delays, waiting: null } : delays)
    this.#show(task, phase, delays)
  }

  /**
   * Shows since when the unit's thread has been blocked. Null means that the thread is not blocked.
   */
  blocked(task: number | null, phase: Actual['phase'], thread: string, since: number | null): void {
    const blocked =
      since === null ? null : errors.create('MR_TASK_BLOCKED', { thread, since: isoInstant(since) }).message
    const delays = { ...this.#delaysOf(task), blocked }
    this.#delays.set(task, delays)
    this.#logger.warn(blocked ?? `the event loop of the thread ${thread} is running again`)
    this.#show(task, phase, delays)
  }

  #delaysOf(task: number | null): Delays {
    return this.#delays.get(task) ?? NO_DELAYS
  }

  #show(task: number | null, phase: Actual['phase'], delays: Delays): void {
    const before = this.of(task)?.state
    const again = before === 'FAILED' || before === 'RESTARTING'
    const state =
      phase === 'starting' ? (again ? 'RESTARTING' : 'UNASSIGNED') : phase === 'paused' ? 'PAUSED' : 'RUNNING'
    this.put(task, state, traceOf(delays))
  }

  #version(): string | null {
    const { state, launcher } = this.#env
    const config = state.config(this.#name)
    try {
      return config ? launcher.pluginOf(config).version : null
    } catch {
      return null
    }
  }
}

function traceOf({ waiting, blocked }: Delays): string | null {
  const lines = [waiting, blocked].filter(line => line !== null)
  return lines.length === 0 ? null : lines.join('\n')
}
