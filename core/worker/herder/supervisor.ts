import { Signal, waitUntil } from '../../common/async/signal.ts'
import { timerMs } from '../../common/async/timer.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { isoInstant } from '../../common/iso-instant.ts'
import { createLogger, type Logger } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import type { WorkerCollector } from '../metrics/collector.ts'
import type { ConfigState } from '../storage/config-state.ts'
import type { StatusStore } from '../storage/status-store.ts'
import { RemoteError } from '../task/failures/failure.ts'
import { connectorUnit, taskUnit } from '../task/host/messages-in.ts'
import type { ThreadEvent } from '../task/host/messages-out.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'
import type { Assignment } from './assignment.ts'
import type { Desired } from './decide.ts'
import type { Launcher } from './launcher.ts'
import { type RestartPolicy, restartPolicy } from './restart-policy.ts'
import type { StartGate } from './start-gate.ts'
import { TaskConfigs } from './task-configs.ts'
import type { Threads } from './threads.ts'
import { SupervisedUnit, type UnitChange } from './unit.ts'
import { UnitStatuses } from './unit-statuses.ts'

/** The dependencies that all supervisors of a worker share. */
export interface SupervisorEnv {
  readonly state: ConfigState
  readonly statuses: StatusStore
  readonly threads: Threads
  readonly gate: StartGate
  readonly launcher: Launcher
  readonly assignment: () => Assignment
  readonly workerId: () => string
  readonly graceMs: number
  /**
   * Writes new task configurations of a connector. Resolves when they have been read back from the
   * config store.
   */
  readonly publishTasks: (name: string, tasks: readonly Props[]) => Promise<void>
  readonly topicTracking: boolean
  readonly metrics: Pick<WorkerCollector, 'onStart'>
  readonly now: () => number
}

/**
 * Runs one connector and its tasks on this worker. Steers each unit towards the state that the
 * configuration requires, and writes the statuses. A supervisor handles only its own connector, so
 * a failure in it does not affect other connectors.
 */
export class Supervisor {
  readonly name: string
  readonly #env: SupervisorEnv
  readonly #logger: Logger
  readonly #statuses: UnitStatuses
  readonly #connector: SupervisedUnit
  readonly #taskConfigs: TaskConfigs
  readonly #tasks = new Map<number, SupervisedUnit>()
  /** The number of requested restarts, by task number. The key null is for the connector. */
  readonly #restarts = new Map<number | null, number>()
  /** Notified after each `#steer`. */
  readonly #steered = new Signal()
  #stopping = false
  #timer: NodeJS.Timeout | null = null
  #scheduled = false

  constructor(name: string, env: SupervisorEnv) {
    this.name = name
    this.#env = env
    this.#logger = createLogger('millrace.herder', `[${name}] `, { connector: name })
    this.#statuses = new UnitStatuses(name, env, this.#logger)
    this.#connector = this.#unit(null)
    this.#taskConfigs = new TaskConfigs({
      name,
      connector: this.#connector,
      state: env.state,
      launcher: env.launcher,
      logger: this.#logger,
      publish: tasks => env.publishTasks(name, tasks),
      onDone: () => this.wake(),
    })
  }

  /** Schedules a comparison of desired and actual states. Must be called after every change. */
  wake(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#steer()
    })
  }

  /** Restarts the connector (null) or a task, in any state. */
  restart(task: number | null): void {
    this.#restarts.set(task, (this.#restarts.get(task) ?? 0) + 1)
    const running = task === null ? this.#isStarted() : this.#env.state.target(this.name) !== 'STOPPED'
    if (running) this.#statuses.put(task, 'RESTARTING')
    this.wake()
  }

  onEvent(event: ThreadEvent, task: number | null, host: ThreadHost): void {
    if (event.type === 'reconfigure') {
      this.#taskConfigs.request()
      this.wake()
      return
    }
    if (event.type === 'topics') {
      for (const topic of event.topics) this.#trackTopic(topic, task ?? 0)
      return
    }
    this.#unitOf(task)?.onEvent(event, host)
  }

  /** Stops all units permanently. Resolves when no unit of the connector runs in a thread. */
  async shutdown(): Promise<void> {
    this.#stopping = true
    await this.#steerUntil(() => this.#units().every(u => u.phase === 'down'))
    if (this.#timer) clearTimeout(this.#timer)
  }

  /**
   * Resolves when no task of the connector runs in a thread. The connector's offsets can then be
   * changed.
   */
  tasksDown(): Promise<void> {
    return this.#steerUntil(() => [...this.#tasks.values()].every(u => u.phase === 'down'))
  }

  /** Whether the connector is no longer configured, and none of its units runs in a thread. */
  get finished(): boolean {
    return this.#env.state.config(this.name) === null && this.#units().every(u => u.phase === 'down')
  }

  #unitOf(task: number | null): SupervisedUnit | undefined {
    return task === null ? this.#connector : this.#tasks.get(task)
  }

  #units(): SupervisedUnit[] {
    return [this.#connector, ...this.#tasks.values()]
  }

  #isStarted(): boolean {
    const { state } = this.#env
    return state.config(this.name) !== null && state.target(this.name) === 'STARTED'
  }

  #desired(task: number | null): Desired {
    const { state, assignment } = this.#env
    const target = state.target(this.name)
    const restarts = this.#restarts.get(task) ?? 0
    const alive = !this.#stopping && state.config(this.name) !== null
    if (task === null) {
      const run = alive && target === 'STARTED' && assignment().hasConnector(this.name)
      return { run, paused: false, revision: state.configRevision(this.name), restarts }
    }
    const assigned = task < state.tasks(this.name).length && assignment().hasTask(this.name, task)
    return {
      run: alive && target !== 'STOPPED' && assigned,
      paused: target === 'PAUSED',
      revision: state.taskRevision(this.name),
      restarts,
    }
  }

  async #steerUntil(isDone: () => boolean): Promise<void> {
    this.#steer()
    await waitUntil(isDone, this.#steered)
  }

  #steer(): void {
    const { state, now } = this.#env
    for (let task = 0; task < state.tasks(this.name).length; task++) {
      if (!this.#tasks.has(task)) this.#tasks.set(task, this.#unit(task))
    }
    this.#connector.steer(this.#desired(null))
    for (const [task, unit] of this.#tasks) unit.steer(this.#desired(task))
    this.#settleStatuses()
    this.#taskConfigs.update()
    const times = [this.#connector.wakeAt(this.#desired(null))]
    for (const [task, unit] of this.#tasks) times.push(unit.wakeAt(this.#desired(task)))
    const next = Math.min(...times.map(t => t ?? Number.POSITIVE_INFINITY))
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = Number.isFinite(next) ? setTimeout(() => this.wake(), timerMs(next - now())) : null
    this.#steered.notify()
  }

  /** Writes the statuses that depend only on the configuration, for units that are down. */
  #settleStatuses(): void {
    const { state, statuses } = this.#env
    for (const [task, unit] of this.#tasks) {
      if (unit.phase !== 'down' || this.#stopping) continue
      if (task < state.tasks(this.name).length && state.target(this.name) !== 'STOPPED') continue
      this.#tasks.delete(task)
      statuses.putTask(this.name, task, null)
    }
    if (this.#connector.phase !== 'down' || this.#stopping || state.config(this.name) === null) return
    const target = state.target(this.name)
    // REST may show STOPPED only after the last task has stopped, because STOPPED means that all
    // offsets are committed.
    if (target === 'STOPPED' && this.#tasks.size > 0) return
    if (target !== 'STARTED' && this.#statuses.of(null)?.state !== target) this.#statuses.put(null, target)
    if (target === 'STOPPED') for (const [task] of statuses.tasks(this.name)) statuses.putTask(this.name, task, null)
  }

  #unit(task: number | null): SupervisedUnit {
    const { threads, gate, launcher, state, graceMs, now } = this.#env
    const unit = task === null ? connectorUnit(this.name) : taskUnit(this.name, task)
    return new SupervisedUnit({
      unit,
      gate,
      graceMs,
      now,
      random: Math.random,
      logger: this.#logger,
      host: () => threads.hostFor(this.name, task),
      release: host => threads.release(host),
      policy: () => this.#restartPolicy(),
      start: async (host, paused) => {
        const config = state.config(this.name) ?? {}
        if (task === null) {
          await host.request('start-connector', { unit, spec: launcher.connector(this.name, config) })
        } else {
          const props = state.tasks(this.name)[task] ?? {}
          const spec = launcher.task(this.name, task, config, props, paused)
          await host.request('start-task', { unit, spec })
        }
      },
      onChange: change => this.#changed(task, change),
    })
  }

  #restartPolicy(): RestartPolicy {
    const config = Object.entries(this.#env.state.config(this.name) ?? {})
    const props = Object.fromEntries(config.filter(([key]) => key.startsWith('errors.restart.')))
    try {
      return restartPolicy(this.#env.launcher.resolve(props))
    } catch (error) {
      this.#logger.warn(`The default restart policy applies: ${messageOf(error)}`)
      return restartPolicy({})
    }
  }

  #changed(task: number | null, change: UnitChange): void {
    const what = task === null ? 'the connector' : `task ${task}`
    const unit = this.#unitOf(task)
    this.#env.metrics.onStart(this.name, task, change.type)
    switch (change.type) {
      case 'starting':
        this.#statuses.starting(task)
        break
      case 'running':
        this.#statuses.active(task, 'RUNNING')
        if (task === null) this.#taskConfigs.request()
        break
      case 'paused':
        this.#statuses.active(task, 'PAUSED')
        break
      case 'degraded':
        if (unit) this.#statuses.waiting(task, unit.phase, change.message, change.retryAt)
        break
      case 'blocked':
        if (unit) this.#statuses.blocked(task, unit.phase, unit.host?.name ?? '', change.since)
        break
      case 'failed': {
        const { failure, retryAt, restarts } = change
        const { name } = this
        const logger =
          task === null ? this.#logger : this.#logger.withContext(`[${name}|task-${task}] `, { connector: name, task })
        logger.error(`${what} failed: ${failure.message}`, new RemoteError(failure))
        this.#statuses.failed(task, failure, retryAt, restarts)
        const when = isoInstant(retryAt)
        if (when !== null) this.#logger.info(`${what} restarts at ${when}`)
        break
      }
      case 'down':
        this.#unitDown(task)
        break
    }
    this.wake()
  }

  #unitDown(task: number | null): void {
    const { state } = this.#env
    const current = this.#statuses.of(task)?.state
    if (state.config(this.name) === null || current === 'RESTARTING' || current === 'FAILED') return
    if (task === null && !this.#stopping && state.target(this.name) !== 'STARTED') return
    this.#statuses.put(task, 'UNASSIGNED')
  }

  #trackTopic(topic: string, task: number): void {
    const { statuses, topicTracking, now } = this.#env
    // After the connector is deleted, a late event must not recreate its topic statuses.
    if (!topicTracking || this.#env.state.config(this.name) === null) return
    if (statuses.topics(this.name).some(t => t.topic === topic)) return
    statuses.putTopic({ topic, connector: this.name, task, discoveredAt: now() })
  }
}
