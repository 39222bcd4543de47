import type { Logger } from '../../common/log.ts'
import { failureOf, RemoteError } from '../task/failures/failure.ts'
import type { Failure, ThreadEvent } from '../task/host/messages-out.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'
import { type Actual, type Desired, decide, wakeAt } from './decide.ts'
import { HEALTHY_MS, type RestartPolicy, restartDelay } from './restart-policy.ts'
import type { Place, StartGate } from './start-gate.ts'

/** What a unit needs of the thread that it is in. */
export type UnitHost = Pick<ThreadHost, 'name' | 'units' | 'alive' | 'request' | 'stopUnit'>

/** What a supervised unit does to the world. */
export interface UnitPorts<H extends UnitHost = ThreadHost> {
  /** Its name in the thread: `connector:x`, `task:x-0`. */
  readonly unit: string
  /** Passed before each start. */
  readonly gate: StartGate
  host(): H
  release(host: H): void
  /** Sends the start request. Throws what stands in the way, such as a config provider that cannot be read. */
  start(host: H, paused: boolean): Promise<unknown>
  policy(): RestartPolicy
  readonly graceMs: number
  readonly now: () => number
  readonly random: () => number
  readonly logger: Logger
  /** Told after each change of phase. */
  onChange(change: UnitChange): void
}

export type UnitChange =
  | { readonly type: 'starting' }
  | { readonly type: 'running' }
  | { readonly type: 'paused' }
  | { readonly type: 'failed'; readonly failure: Failure; readonly retryAt: number | null; readonly restarts: number }
  /** It has come to its end as asked. */
  | { readonly type: 'down' }
  | { readonly type: 'degraded'; readonly message: string | null; readonly retryAt: number | null }
  | { readonly type: 'blocked'; readonly since: number | null }

/** One connector or task of this worker, led step by step to what it shall be. */
export class SupervisedUnit<H extends UnitHost = ThreadHost> {
  readonly #ports: UnitPorts<H>
  #actual: Actual = { phase: 'down', failed: null, revision: -1, restarts: -1 }
  #host: H | null = null
  #place: Place | null = null
  #runningSince: number | null = null
  #inARow = 0

  constructor(ports: UnitPorts<H>) {
    this.#ports = ports
  }

  get phase(): Actual['phase'] {
    return this.#actual.phase
  }

  get host(): H | null {
    return this.#host
  }

  wakeAt(desired: Desired): number | null {
    return wakeAt(desired, this.#actual)
  }

  /** Takes the next step towards what it shall be, if there is one. Does not wait for it. */
  steer(desired: Desired): void {
    // What failed and shall not run has nothing left to fail: when it shall run again, it is started
    if (!desired.run && this.#actual.phase === 'down') this.#actual = { ...this.#actual, failed: null }
    switch (decide(desired, this.#actual, this.#ports.now())) {
      case 'start':
        this.#start(desired)
        break
      case 'stop':
        this.#stop()
        break
      case 'pause':
        this.#turn('pausing', 'pause')
        break
      case 'resume':
        this.#turn('resuming', 'resume')
        break
      case null:
        break
    }
  }

  /** Declares a running unit failed from outside, such as a connector whose task configurations cannot be made. */
  fail(failure: Failure): void {
    const { phase } = this.#actual
    if (phase !== 'running' && phase !== 'starting') return
    this.#stop(failure)
  }

  /** An event of the thread about this unit; those of an earlier thread are not for it. */
  onEvent(event: ThreadEvent, host: UnitHost): void {
    if (host !== this.#host) return
    const { phase } = this.#actual
    switch (event.type) {
      case 'loaded':
        this.#leave()
        break
      case 'started':
        if (phase !== 'starting') return
        this.#runningSince = this.#ports.now()
        this.#settle(event.paused ? 'paused' : 'running')
        break
      case 'paused':
        if (phase === 'pausing') this.#settle('paused')
        break
      case 'resumed':
        if (phase === 'resuming') this.#settle('running')
        break
      case 'degraded':
        if (phase !== 'down' && phase !== 'stopping')
          this.#ports.onChange({ type: 'degraded', message: event.message, retryAt: event.retryAt })
        break
      case 'blocked':
        if (phase !== 'down' && phase !== 'stopping') this.#ports.onChange({ type: 'blocked', since: event.since })
        break
      case 'failed':
        if (phase !== 'down' && phase !== 'stopping') this.#down(event.failure)
        break
      default:
        break
    }
  }

  #settle(phase: 'running' | 'paused'): void {
    this.#leave()
    this.#enter(phase)
    this.#ports.onChange({ type: phase })
  }

  #enter(phase: Exclude<Actual['phase'], 'down'>): void {
    const { revision, restarts } = this.#actual
    this.#actual = { phase, revision, restarts }
  }

  #start(desired: Desired): void {
    if (this.#actual.phase === 'down' && !this.#isRetry(desired)) this.#inARow = 0
    this.#actual = { phase: 'starting', revision: desired.revision, restarts: desired.restarts }
    this.#runningSince = null
    this.#ports.onChange({ type: 'starting' })
    const place = this.#ports.gate.enter(() => this.#launch(desired.paused))
    // Where there was room, it may have failed by now
    if (this.#actual.phase === 'starting') this.#place = place
    else place.leave()
  }

  #launch(paused: boolean): void {
    let host: H
    try {
      host = this.#host = this.#ports.host()
    } catch (error) {
      this.#down(failureOf(error))
      return
    }
    // A failed start comes as an event too; here only what failed before the thread was asked.
    this.#ports.start(host, paused).catch((error: unknown) => {
      if (error instanceof RemoteError || this.#host !== host || this.#actual.phase !== 'starting') return
      if (!host.units.has(this.#ports.unit)) this.#down(failureOf(error))
    })
  }

  #leave(): void {
    this.#place?.leave()
    this.#place = null
  }

  #isRetry(desired: Desired): boolean {
    const a = this.#actual
    return a.phase === 'down' && a.failed !== null && a.revision === desired.revision && a.restarts === desired.restarts
  }

  #stop(failure: Failure | null = null): void {
    const host = this.#host
    this.#leave()
    this.#enter('stopping')
    if (!host) {
      this.#down(failure)
      return
    }
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

  #turn(phase: 'pausing' | 'resuming', request: 'pause' | 'resume'): void {
    const host = this.#host
    if (!host) return
    this.#enter(phase)
    host.request(request, { unit: this.#ports.unit }).catch((error: unknown) => {
      this.#ports.logger.warn(`${request} of ${this.#ports.unit} failed`, error)
    })
  }

  #down(failure: Failure | null): void {
    const { revision, restarts } = this.#actual
    const host = this.#host
    this.#host = null
    this.#leave()
    if (failure) {
      const now = this.#ports.now()
      if (this.#runningSince !== null && now - this.#runningSince >= HEALTHY_MS) this.#inARow = 0
      const delay = restartDelay(this.#ports.policy(), failure, this.#inARow, this.#ports.random())
      const retryAt = delay === null ? null : now + delay
      this.#actual = { phase: 'down', failed: { failure, retryAt }, revision, restarts }
      this.#ports.onChange({ type: 'failed', failure, retryAt, restarts: this.#inARow })
      this.#inARow++
    } else {
      this.#actual = { phase: 'down', failed: null, revision, restarts }
      this.#ports.onChange({ type: 'down' })
    }
    if (host) this.#ports.release(host)
  }
}
