import { timerMs } from '../../common/async/timer.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { isoInstant } from '../../common/iso-instant.ts'
import { createLogger, type Logger } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import type { ConfigState } from '../storage/config-state.ts'
import { canonicalJson } from '../storage/connect-json.ts'
import type { StatusStore, UnitState, UnitStatus } from '../storage/status-store.ts'
import { errors } from '../task/errors.ts'
import { failureOf } from '../task/failures/failure.ts'
import { connectorUnit, taskUnit } from '../task/host/messages-in.ts'
import type { ThreadEvent } from '../task/host/messages-out.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'
import type { Assignment } from './assignment.ts'
import type { Desired } from './decide.ts'
import type { Launcher } from './launcher.ts'
import { restartPolicy, traceWith, waitingTrace } from './restart-policy.ts'
import type { StartGate } from './start-gate.ts'
import type { Threads } from './threads.ts'
import { SupervisedUnit, type UnitChange } from './unit.ts'

/** What all supervisors of a worker share. */
export interface SupervisorEnv {
  readonly state: ConfigState
  readonly statuses: StatusStore
  readonly threads: Threads
  readonly gate: StartGate
  readonly launcher: Launcher
  readonly assignment: () => Assignment
  readonly workerId: () => string
  readonly graceMs: number
  /** Writes a connector's new task configurations; resolves when they are in force. */
  readonly publishTasks: (name: string, tasks: readonly Props[]) => Promise<void>
  readonly topicTracking: boolean
  readonly now: () => number
}

/** How long a connector may take to say what its tasks are. */
const TASK_CONFIGS_TIMEOUT_MS = 60_000

/**
 * Runs one connector and its tasks on this worker: leads each of them to what the configuration says, step by step, and keeps
 * their statuses. Knows nothing of other connectors, so that none can disturb another.
 */
export class Supervisor {
  readonly name: string
  readonly #env: SupervisorEnv
  readonly #logger: Logger
  readonly #connector: SupervisedUnit
  readonly #tasks = new Map<number, SupervisedUnit>()
  readonly #restarts = new Map<number | null, number>()
  /** What running units wait for, as it stands in their traces. */
  readonly #waits = new Map<number | null, string>()
  /** Units whose threads do not come to rest, and the words for it. */
  readonly #blocked = new Map<number | null, string>()
  readonly #down: (() => void)[] = []
  readonly #steered: (() => void)[] = []
  #generating = false
  #generate = false
  #stopping = false
  #timer: NodeJS.Timeout | null = null
  #scheduled = false

  constructor(name: string, env: SupervisorEnv) {
    this.name = name
    this.#env = env
    this.#logger = createLogger('millrace.herder', `[${name}] `)
    this.#connector = this.#unit(null)
  }

  /** Looks anew at what shall be, soon. Call it after any change. */
  wake(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#steer()
    })
  }

  /** Restarts the connector (null) or a task, whatever its state. */
  restart(task: number | null): void {
    this.#restarts.set(task, (this.#restarts.get(task) ?? 0) + 1)
    const running = task === null ? this.#wanted() : this.#env.state.target(this.name) !== 'STOPPED'
    if (running) this.#put(task, 'RESTARTING', null)
    this.wake()
  }

  onEvent(event: ThreadEvent, task: number | null, host: ThreadHost): void {
    if (event.type === 'reconfigure') {
      this.#generate = true
      this.wake()
      return
    }
    if (event.type === 'topics') {
      for (const topic of event.topics) this.#tracked(topic, task ?? 0)
      return
    }
    this.#unitOf(task)?.onEvent(event, host)
  }

  /** Stops everything for good; resolves when nothing of it is in any thread. */
  async shutdown(): Promise<void> {
    this.#stopping = true
    this.#steer()
    await this.#whenDown()
    if (this.#timer) clearTimeout(this.#timer)
  }

  /** Resolves when no task of it is in any thread: after a stop, before its offsets may be changed. */
  async tasksGone(): Promise<void> {
    this.#steer()
    while ([...this.#tasks.values()].some(u => u.phase !== 'down')) {
      await new Promise<void>(resolve => this.#steered.push(resolve))
    }
  }

  /** Whether nothing of the connector runs and it is no longer configured. */
  get finished(): boolean {
    return this.#env.state.config(this.name) === null && this.#units().every(u => u.phase === 'down')
  }

  #unitOf(task: number | null): SupervisedUnit | undefined {
    return task === null ? this.#connector : this.#tasks.get(task)
  }

  #units(): SupervisedUnit[] {
    return [this.#connector, ...this.#tasks.values()]
  }

  #wanted(): boolean {
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
    const mine = task < state.tasks(this.name).length && assignment().hasTask(this.name, task)
    return {
      run: alive && target !== 'STOPPED' && mine,
      paused: target === 'PAUSED',
      revision: state.taskRevision(this.name),
      restarts,
    }
  }

  #steer(): void {
    const { state, now } = this.#env
    for (let task = 0; task < state.tasks(this.name).length; task++) {
      if (!this.#tasks.has(task)) this.#tasks.set(task, this.#unit(task))
    }
    this.#connector.steer(this.#desired(null))
    for (const [task, unit] of this.#tasks) unit.steer(this.#desired(task))
    this.#settleStatuses()
    if (this.#generate && !this.#generating && this.#connector.phase === 'running') void this.#makeTasks()
    const times = [this.#connector.wakeAt(this.#desired(null))]
    for (const [task, unit] of this.#tasks) times.push(unit.wakeAt(this.#desired(task)))
    const next = Math.min(...times.map(t => t ?? Number.POSITIVE_INFINITY))
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = Number.isFinite(next) ? setTimeout(() => this.wake(), timerMs(next - now())) : null
    this.#tellDown()
    for (const resolve of this.#steered.splice(0)) resolve()
  }

  /** Statuses that follow from what the configuration says alone, once the units are where they shall be. */
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
    // STOPPED says that the last offsets are committed, so it waits for the last task
    if (target === 'STOPPED' && this.#tasks.size > 0) return
    if (target !== 'STARTED' && statuses.connector(this.name)?.state !== target) this.#put(null, target, null)
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
      policy: () => restartPolicy(state.config(this.name) ?? {}),
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

  #changed(task: number | null, change: UnitChange): void {
    const what = task === null ? 'the connector' : `task ${task}`
    switch (change.type) {
      case 'starting':
        this.#waits.delete(task)
        this.#blocked.delete(task)
        break
      case 'running':
        this.#put(task, 'RUNNING', this.#traceOf(task))
        if (task === null) this.#generate = true
        break
      case 'paused':
        this.#put(task, 'PAUSED', this.#traceOf(task))
        break
      case 'degraded':
        this.#waiting(task, change.message, change.retryAt)
        break
      case 'blocked':
        this.#standsStill(task, change.since)
        break
      case 'failed': {
        const { failure, retryAt, restarts } = change
        this.#logger.error(`${what} failed: ${failure.message}`)
        this.#put(task, 'FAILED', traceWith(failure, retryAt, restarts))
        const when = isoInstant(retryAt)
        if (when !== null) this.#logger.info(`${what} restarts at ${when}`)
        break
      }
      case 'down':
        this.#cameDown(task)
        break
    }
    this.wake()
  }

  /** What a unit waits for while it starts is over when its start is through: it is not remembered. */
  #waiting(task: number | null, message: string | null, retryAt: number | null): void {
    const trace = message === null ? null : waitingTrace(message, retryAt)
    if (trace === null || this.#unitOf(task)?.phase === 'starting') this.#waits.delete(task)
    else this.#waits.set(task, trace)
    this.#show(task, trace)
  }

  #standsStill(task: number | null, since: number | null): void {
    const thread = this.#unitOf(task)?.host?.name
    if (since === null) this.#blocked.delete(task)
    else this.#blocked.set(task, errors.create('MR_TASK_BLOCKED', { thread, since: isoInstant(since) }).message)
    this.#logger.warn(this.#blocked.get(task) ?? `the event loop of the thread ${thread} is running again`)
    this.#show(task, this.#waits.get(task) ?? null)
  }

  /** Shows what it waits for in the state that it is in. */
  #show(task: number | null, waits: string | null): void {
    const phase = this.#unitOf(task)?.phase
    const before = this.#statusOf(task)?.state
    const again = before === 'FAILED' || before === 'RESTARTING'
    const state =
      phase === 'starting' ? (again ? 'RESTARTING' : 'UNASSIGNED') : phase === 'paused' ? 'PAUSED' : 'RUNNING'
    this.#put(task, state, this.#traceOf(task, waits))
  }

  #traceOf(task: number | null, waits: string | null = this.#waits.get(task) ?? null): string | null {
    const lines = [waits, this.#blocked.get(task) ?? null].filter(line => line !== null)
    return lines.length === 0 ? null : lines.join('\n')
  }

  #statusOf(task: number | null): UnitStatus | null {
    const { statuses } = this.#env
    return task === null ? statuses.connector(this.name) : statuses.task(this.name, task)
  }

  #cameDown(task: number | null): void {
    const { state } = this.#env
    const current = this.#statusOf(task)
    if (state.config(this.name) === null || current?.state === 'RESTARTING' || current?.state === 'FAILED') return
    if (task === null && !this.#stopping && state.target(this.name) !== 'STARTED') return
    this.#put(task, 'UNASSIGNED', null)
  }

  /** Asks the connector for its tasks and publishes them where they have changed. */
  async #makeTasks(): Promise<void> {
    const { state, launcher } = this.#env
    this.#generating = true
    this.#generate = false
    try {
      const config = state.config(this.name)
      const host = this.#connector.host
      if (!config || !host) return
      const resolved = launcher.resolve(config)
      const max = Number(resolved['tasks.max'] ?? 1)
      const unit = connectorUnit(this.name)
      const timeoutMs = TASK_CONFIGS_TIMEOUT_MS
      const made = await host.request('task-configs', { unit, maxTasks: max }, { timeoutMs })
      if (made.length > max && resolved['tasks.max.enforce']?.toLowerCase() !== 'false') {
        throw new Error(
          `The connector ${this.name} has generated ${made.length} tasks, which is greater than ${max}, the maximum number of tasks it is configured to create.`,
        )
      }
      const tasks = made.map(task => launcher.storedTask(config, task))
      if (this.#differ(tasks, config)) await this.#env.publishTasks(this.name, tasks)
    } catch (error) {
      if (this.#connector.phase === 'running') {
        this.#logger.error(`Cannot configure the tasks: ${messageOf(error)}`)
        this.#connector.fail(failureOf(error))
      }
    } finally {
      this.#generating = false
      this.wake()
    }
  }

  #differ(tasks: readonly Props[], config: Props): boolean {
    const { state } = this.#env
    if (state.config(this.name) !== config || state.target(this.name) === 'STOPPED') return false
    return (
      state.taskRevision(this.name) === 0 ||
      state.inconsistent(this.name) ||
      canonicalJson(tasks) !== canonicalJson(state.tasks(this.name)) ||
      canonicalJson(config) !== canonicalJson(state.appliedConfig(this.name))
    )
  }

  #tracked(topic: string, task: number): void {
    const { statuses, topicTracking, now } = this.#env
    // Nothing of what is deleted may come back after its statuses have gone
    if (!topicTracking || this.#env.state.config(this.name) === null) return
    if (statuses.topics(this.name).some(t => t.topic === topic)) return
    statuses.putTopic({ topic, connector: this.name, task, discoveredAt: now() })
  }

  #put(task: number | null, state: UnitState, trace: string | null): void {
    const { statuses, workerId, assignment } = this.#env
    if (this.#env.state.config(this.name) === null) return
    const status: UnitStatus = {
      state,
      trace,
      workerId: workerId(),
      generation: assignment().generation,
      version: state === 'UNASSIGNED' || state === 'RESTARTING' ? null : this.#version(),
    }
    if (task === null) statuses.putConnector(this.name, status)
    else statuses.putTask(this.name, task, status)
  }

  #version(): string | null {
    const { state, launcher } = this.#env
    const config = state.config(this.name)
    try {
      return config ? launcher.plugin(config).version : null
    } catch {
      return null
    }
  }

  #whenDown(): Promise<void> {
    return new Promise(resolve => {
      this.#down.push(resolve)
      this.#tellDown()
    })
  }

  #tellDown(): void {
    if (this.#down.length === 0 || this.#units().some(u => u.phase !== 'down')) return
    for (const resolve of this.#down.splice(0)) resolve()
  }
}
