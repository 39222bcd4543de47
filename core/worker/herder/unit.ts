import type { Logger } from '../../common/log.ts'
import { failureOf, RemoteError } from '../task/failures/failure.ts'
import type { Failure, ThreadEvent } from '../task/host/messages-out.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'
import { type Actual, type Desired, decide, type Failed, wakeAt } from './decide.ts'
import { HEALTHY_MS, type RestartPolicy, restartDelay } from './restart-policy.ts'
import type { SlotRequest, StartGate } from './start-gate.ts'

/** The part of a ThreadHost that a unit uses. */
export type UnitHost = Pick<ThreadHost, 'name' | 'units' | 'alive' | 'request' | 'stopUnit'>

/** The dependencies of a supervised unit. */
export interface UnitPorts<H extends UnitHost = ThreadHost> {
  /** The name of the unit in its thread: `connector:x`, `task:x-0`. */
  readonly unit: string
  /** Limits how many units start at the same time. */
  readonly gate: StartGate
  host(): H
  release(host: H): void
  /**
   * Sends the start request. Rejects if the request cannot be built, for example if a config
   * provider fails.
   */
  start(host: H, paused: boolean): Promise<unknown>
  policy(): RestartPolicy
  readonly graceMs: number
  readonly now: () => number
  readonly random: () => number
  readonly logger: Logger
  /** Called after each change. */
  onChange(change: UnitChange): void
}

export type UnitChange =
  | { readonly type: 'starting' }
  | { readonly type: 'running' }
  | { readonly type: 'paused' }
  | { readonly type: 'failed'; readonly failure: Failure; readonly retryAt: number | null; readonly restarts: number }
  /** The unit has stopped. */
  | { readonly type: 'down' }
  | { readonly type: 'degraded'; readonly message: string | null; readonly retryAt: number | null }
  | { readonly type: 'blocked'; readonly since: number | null }

/** The unit's phase and the data of that phase. `decide` reads this as an `Actual`. */
type State<H> = { readonly revision: number; readonly restarts: number } & (
  | { readonly phase: 'down'; readonly failed: Failed | null }
  | { readonly phase: 'queued'; readonly slot: SlotRequest }
  | { readonly phase: 'starting'; readonly slot: SlotRequest; readonly host: H }
  | {
      readonly phase: 'running' | 'paused' | 'pausing' | 'resuming'
      readonly host: H
      readonly runningSince: number
    }
  /** `runningSince` is null if the stop was requested before the unit had started. */
  | { readonly phase: 'stopping'; readonly host: H; readonly runningSince: number | null }
)

/** A connector or task of this worker. `steer` moves the unit step by step to its desired state. */
export class SupervisedUnit<H extends UnitHost = ThreadHost> {
  readonly #ports: UnitPorts<H>
  #state: State<H> = { phase: 'down', failed: null, revision: -1, restarts: -1 }
  /** The number of consecutive failures, from which the restart policy computes the delay. */
  #failures = 0

  constructor(ports: UnitPorts<H>) {
    this.#ports = ports
  }

  get phase(): Actual['phase'] {
    return this.#state.phase
  }

  /** The unit's thread; null while the unit is down or queued. */
  get host(): H | null {
    return 'host' in this.#state ? this.#state.host : null
  }

  wakeAt(desired: Desired): number | null {
    return wakeAt(desired, this.#state)
  }

  /**
   * Takes the next step towards the desired state, if one is needed. Returns without waiting for
   * the step to complete.
   */
  steer(desired: Desired): void {
    // Discards the failure of a unit that should not run, so that the unit later starts without a
    // delay.
    if (!desired.run && this.#state.phase === 'down') this.#state = { ...this.#state, failed: null }
    switch (decide(desired, this.#state, this.#ports.now())) {
      case 'start':
        this.#start(desired)
        break
      case 'stop':
        this.#stop(null)
        break
      case 'pause':
        this.#request('pause')
        break
      case 'resume':
        this.#request('resume')
        break
      case null:
        break
    }
  }

  /**
   * Stops a running unit and reports it as failed, for example a connector whose task
   * configurations cannot be generated.
   */
  fail(failure: Failure): void {
    const { phase } = this.#state
    if (phase === 'running' || phase === 'starting') this.#stop(failure)
  }

  /** Handles an event of the unit. An event of a thread that the unit no longer uses is ignored. */
  onEvent(event: ThreadEvent, host: UnitHost): void {
    const state = this.#state
    if (!('host' in state) || state.host !== host) return
    switch (event.type) {
      case 'loaded':
        if (state.phase === 'starting') state.slot.release()
        break
      case 'started':
        if (state.phase === 'starting') {
          state.slot.release()
          this.#settle(event.paused ? 'paused' : 'running', state.host, this.#ports.now())
        }
        break
      case 'paused':
        if (state.phase === 'pausing') this.#settle('paused', state.host, state.runningSince)
        break
      case 'resumed':
        if (state.phase === 'resuming') this.#settle('running', state.host, state.runningSince)
        break
      case 'degraded':
        if (state.phase !== 'stopping')
          this.#ports.onChange({ type: 'degraded', message: event.message, retryAt: event.retryAt })
        break
      case 'blocked':
        if (state.phase !== 'stopping') this.#ports.onChange({ type: 'blocked', since: event.since })
        break
      case 'failed':
        if (state.phase !== 'stopping') this.#down(event.failure)
        break
      default:
        break
    }
  }

  #settle(phase: 'running' | 'paused', host: H, runningSince: number): void {
    const { revision, restarts } = this.#state
    this.#state = { phase, host, runningSince, revision, restarts }
    this.#ports.onChange({ type: phase })
  }

  #start(desired: Desired): void {
    if (!this.#isRetry(desired)) this.#failures = 0
    const slot = this.#ports.gate.request(() => this.#launch(desired.paused))
    this.#state = { phase: 'queued', slot, revision: desired.revision, restarts: desired.restarts }
    this.#ports.onChange({ type: 'starting' })
    slot.acquire()
  }

  #launch(paused: boolean): void {
    if (this.#state.phase !== 'queued') return
    const { slot, revision, restarts } = this.#state
    let host: H
    try {
      host = this.#ports.host()
    } catch (error) {
      this.#down(failureOf(error))
      return
    }
    this.#state = { phase: 'starting', slot, host, revision, restarts }
    // If the start fails in the thread, the thread sends a `failed` event. Only an error that
    // occurs before the request is sent is handled here.
    this.#ports.start(host, paused).catch((error: unknown) => {
      if (error instanceof RemoteError || this.#state.phase !== 'starting' || this.#state.host !== host) return
      if (!host.units.has(this.#ports.unit)) this.#down(failureOf(error))
    })
  }

  /** Whether this start is the automatic restart after a failure. */
  #isRetry(desired: Desired): boolean {
    const s = this.#state
    return s.phase === 'down' && s.failed !== null && s.revision === desired.revision && s.restarts === desired.restarts
  }

  #stop(failure: Failure | null): void {
    const state = this.#state
    if (!('host' in state)) {
      this.#down(failure)
      return
    }
    if (state.phase === 'starting') state.slot.release()
    const { host, revision, restarts } = state
    const runningSince = state.phase === 'starting' ? null : state.runningSince
    this.#state = { phase: 'stopping', host, runningSince, revision, restarts }
    const { unit, graceMs, logger } = this.#ports
    host.stopUnit(unit, graceMs).then(
      clean => {
        if (!clean) logger.warn(`${unit} did not stop within ${graceMs} ms; its thread was terminated`)
        this.#down(failure)
      },
      (error: unknown) => {
        logger.warn(`Stopping ${unit} failed`, error)
        this.#down(failure)
      },
    )
  }

  #request(request: 'pause' | 'resume'): void {
    const state = this.#state
    if (state.phase !== 'running' && state.phase !== 'paused') return
    this.#state = { ...state, phase: request === 'pause' ? 'pausing' : 'resuming' }
    state.host.request(request, { unit: this.#ports.unit }).catch((error: unknown) => {
      this.#ports.logger.warn(`${request} of ${this.#ports.unit} failed`, error)
    })
  }

  #down(failure: Failure | null): void {
    const state = this.#state
    const { revision, restarts } = state
    if ('slot' in state) state.slot.release()
    if (failure) {
      const now = this.#ports.now()
      const runningSince = 'runningSince' in state ? state.runningSince : null
      if (runningSince !== null && now - runningSince >= HEALTHY_MS) this.#failures = 0
      const delay = restartDelay(this.#ports.policy(), failure, this.#failures, this.#ports.random())
      const retryAt = delay === null ? null : now + delay
      this.#state = { phase: 'down', failed: { failure, retryAt }, revision, restarts }
      this.#ports.onChange({ type: 'failed', failure, retryAt, restarts: this.#failures })
      this.#failures++
    } else {
      this.#state = { phase: 'down', failed: null, revision, restarts }
      this.#ports.onChange({ type: 'down' })
    }
    if ('host' in state) this.#ports.release(state.host)
  }
}
