import { availableParallelism } from 'node:os'
import { createLogger, type Logger, type LogLevel, setLogLevel } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import { type GivenProps, withoutNulls } from '../config/given-props.ts'
import type { WorkerConfig } from '../config/worker-config.ts'
import { WorkerCollector } from '../metrics/collector.ts'
import type { PluginInspector } from '../plugins/inspector.ts'
import type { PluginDescriptor } from '../plugins/manifest.ts'
import type { PluginRegistry } from '../plugins/registry.ts'
import type { ConfigEvent, ConfigState, TargetState } from '../storage/config-state.ts'
import type { ConfigStore } from '../storage/config-store.ts'
import { canonicalJson } from '../storage/connect-json.ts'
import type { StatusStore } from '../storage/status-store.ts'
import type { HerderCall, ThreadEvent } from '../task/host/messages-out.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'
import { SOLE } from './assignment.ts'
import type { Launcher } from './launcher.ts'
import { Loggers } from './loggers.ts'
import { Members } from './members.ts'
import { KeyedMutex } from './mutex.ts'
import type { OffsetPair } from './offset-requests.ts'
import type { OffsetStores } from './offset-stores.ts'
import type { OffsetsAdmin } from './offsets-admin.ts'
import { badRequest, notFound, RestError } from './rest-error.ts'
import type { Secrets } from './secrets.ts'
import { StartGate } from './start-gate.ts'
import { Supervisor, type SupervisorEnv } from './supervisor.ts'
import type { Threads } from './threads.ts'
import { type ConfigInfos, invalidMessage, type Validator } from './validator.ts'
import { type ConnectorInfo, type ConnectorStateInfo, type StateInfo, type TaskStateInfo, Views } from './views.ts'
import { Watch } from './watch.ts'

export interface HerderOptions {
  readonly config: WorkerConfig
  readonly registry: PluginRegistry
  readonly inspector: PluginInspector
  readonly validator: Validator
  readonly secrets: Secrets
  readonly launcher: Launcher
  readonly configs: ConfigStore
  readonly statuses: StatusStore
  readonly stores: OffsetStores
  readonly offsets: OffsetsAdmin
  readonly threads: Threads
  readonly workerId: () => string
}

/**
 * Manages the connectors of a worker. REST requests only write to the config store. The store then
 * reports each change, and the connector's supervisor acts on it. This design lets several workers
 * share one config topic later.
 */
export class Herder {
  readonly registry: PluginRegistry
  readonly validator: Validator
  readonly loggers: Loggers
  readonly metrics: WorkerCollector
  readonly #o: HerderOptions
  readonly #state: ConfigState
  readonly #views: Views
  readonly #logger: Logger = createLogger('millrace.herder')
  readonly #supervisors = new Map<string, Supervisor>()
  readonly #writes = new KeyedMutex()
  readonly #env: SupervisorEnv
  readonly #members: Members
  readonly #watch: Watch
  #running = false

  constructor(options: HerderOptions) {
    this.#o = options
    this.registry = options.registry
    this.validator = options.validator
    this.#state = options.configs.state
    this.#views = new Views(this.#state, options.statuses, options.launcher)
    this.loggers = new Loggers((logger, level) => this.#setThreadLevels(logger, level))
    const { statuses, threads, launcher, workerId, config } = options
    this.metrics = new WorkerCollector({
      state: this.#state,
      statuses,
      workerId,
      pluginOf: connector => pluginOrNull(launcher, connector),
      hosts: () => threads.hosts,
      blockedMs: host => this.#watch.blockedMs(host),
      now: Date.now,
    })
    this.#env = {
      state: this.#state,
      statuses,
      threads,
      gate: new StartGate(Math.max(2, availableParallelism())),
      launcher,
      assignment: () => SOLE,
      workerId,
      graceMs: config.values['task.shutdown.graceful.timeout.ms'],
      publishTasks: (name, tasks) => this.#publishTasks(name, tasks),
      topicTracking: config.values['topic.tracking.enable'],
      metrics: this.metrics,
      now: Date.now,
    }
    this.#members = new Members({ consumer: unit => this.#consumerOf(unit), logger: this.#logger })
    this.#watch = new Watch({
      hosts: () => threads.hosts,
      members: this.#members,
      timeoutMs: config.values['task.blocked.timeout.ms'],
      onEvent: (event, host) => this.onThreadEvent(event, host),
    })
  }

  /** Starts the connectors and tasks that the config store contains. */
  start(): void {
    this.#running = true
    for (const [logger, level] of this.#state.loggers) this.#applyLogger(logger, level)
    this.#o.statuses.retain((name, task) =>
      task === null ? this.#state.config(name) !== null : task < this.#state.tasks(name).length,
    )
    for (const name of this.#state.connectors) this.#supervise(name).wake()
    this.#logger.info(`Running ${this.#state.connectors.length} connectors`)
  }

  /**
   * Stops all connectors and tasks. Each of them has `task.shutdown.graceful.timeout.ms` to stop.
   */
  async stop(): Promise<void> {
    this.#running = false
    await Promise.all([...this.#supervisors.values()].map(s => s.shutdown()))
    await this.#o.threads.close(2000)
    this.#watch.close()
    await this.#members.close()
  }

  // Changes reported by the config store

  onConfigEvent(event: ConfigEvent): void {
    if (!this.#running) return
    switch (event.type) {
      case 'connector':
      case 'tasks':
      case 'target':
        this.#supervise(event.name).wake()
        break
      case 'removed':
        this.#o.statuses.remove(event.name)
        this.#supervisors.get(event.name)?.wake()
        break
      case 'restart':
        this.#restartByPlan(event.name, event.includeTasks, event.onlyFailed)
        break
      case 'logger':
        this.#applyLogger(event.namespace, event.level)
        break
      case 'session-key':
        break
    }
    this.#removeFinished()
  }

  /** Handles an event of a thread. */
  onThreadEvent(event: ThreadEvent, host: ThreadHost): void {
    if (event.type === 'memory') {
      this.metrics.onMemory(host, event)
      return
    }
    if (event.type === 'member') {
      this.#members.set(event.unit, host, event.member)
      return
    }
    const unit = parseUnit(event.unit)
    if (event.type === 'metrics') {
      // A thread can report metrics only of its own tasks.
      if (unit && unit.task !== null && host.units.has(event.unit))
        this.metrics.onTask(unit.connector, unit.task, event.metrics)
      return
    }
    if (unit) this.#supervisors.get(unit.connector)?.onEvent(event, unit.task, host)
    this.#removeFinished()
  }

  onThreadEnd(host: ThreadHost): void {
    this.#members.threadEnded(host)
  }

  /** Answers a thread's request to read or write source offsets. */
  async onThreadCall(call: HerderCall, unit: string): Promise<unknown> {
    const connector = this.#state.config(parseUnit(unit)?.connector ?? '') ?? {}
    // Only `offsets.storage.topic` needs resolved references. Connectors without this key can
    // commit offsets even if the file of a config provider cannot be read.
    const props = 'offsets.storage.topic' in connector ? this.#o.launcher.resolve(connector) : connector
    if (call.name === 'offsets-get') return this.#o.stores.get(props, call.keys)
    await this.#o.stores.putText(props, call.entries)
    return null
  }

  // REST requests

  connectors(): readonly string[] {
    return this.#state.connectors
  }

  async connectorInfo(name: string): Promise<ConnectorInfo> {
    return this.#views.info(name, await this.#o.secrets.mask(this.#configOf(name)))
  }

  async connectorConfig(name: string): Promise<Props> {
    return this.#o.secrets.mask(this.#configOf(name))
  }

  /** Returns the stored configuration, including secrets. REST must not return it. */
  storedConfig(name: string): Props | null {
    return this.#state.config(name)
  }

  connectorStatus(name: string): ConnectorStateInfo {
    const status = this.#views.status(name)
    if (status) return status
    if (this.#state.config(name) === null) throw notFound(`No status found for connector ${name}`)
    const unassigned: StateInfo = { state: 'UNASSIGNED', worker_id: this.#o.workerId() }
    return { name, connector: unassigned, tasks: [], type: this.#views.typeOf(this.#state.config(name)) }
  }

  taskStatus(name: string, task: number): TaskStateInfo {
    const status = this.#views.taskStatus(name, task)
    if (!status) throw notFound(`No status found for task ${name}-${task}`)
    return status
  }

  async taskConfigs(name: string) {
    this.#configOf(name)
    const tasks = this.#state.tasks(name)
    const shown = await Promise.all(tasks.map(config => this.#o.secrets.mask(config)))
    return shown.map((config, task) => ({ id: { connector: name, task }, config }))
  }

  /**
   * Validates a configuration. Masked secrets are replaced with the stored values of the connector
   * that has the same name.
   */
  validate(given: GivenProps): Promise<ConfigInfos> {
    const [config, nulls] = withoutNulls(given)
    return this.validator.validate(this.#o.secrets.unmask(config, this.#state.config(config['name'] ?? '')), nulls)
  }

  /**
   * Creates a connector. If the connector exists, replaces its configuration if `replace` is set,
   * and throws a 409 otherwise.
   */
  async putConnector(
    name: string,
    given: GivenProps,
    replace: boolean,
    target: TargetState | null = null,
  ): Promise<{ created: boolean; info: ConnectorInfo }> {
    const [config, nulls] = withoutNulls(given)
    return this.#change(name, () => config, { replace, target, nulls })
  }

  /** Changes keys of a configuration. A null value removes its key. */
  async patchConnector(name: string, patch: Readonly<Record<string, string | null>>): Promise<ConnectorInfo> {
    this.#configOf(name)
    if (patch['name'] !== undefined && patch['name'] !== name)
      throw badRequest(
        `Connector name configuration (${patch['name']}) doesn't match connector name in the URL (${name})`,
      )
    const merge = (stored: Props | null) => {
      if (stored === null) throw notFound(`Connector ${name} not found`)
      const merged: Record<string, string> = { ...stored }
      for (const [key, value] of Object.entries(patch)) {
        if (value === null) delete merged[key]
        else merged[key] = value
      }
      return merged
    }
    return (await this.#change(name, merge, { replace: true, target: null, nulls: [] })).info
  }

  async deleteConnector(name: string): Promise<void> {
    await this.#writes.run(name, async () => {
      this.#configOf(name)
      await this.#o.configs.removeConnector(name)
    })
  }

  async setTarget(name: string, target: TargetState): Promise<void> {
    await this.#writes.run(name, async () => {
      if (this.#state.config(name) === null) throw notFound(`Unknown connector ${name}`)
      await this.#o.configs.putTarget(name, target)
    })
  }

  /** Restarts the connector, but not its tasks. */
  async restartConnector(name: string): Promise<void> {
    if (this.#state.config(name) === null) throw notFound(`Unknown connector: ${name}`)
    this.#supervise(name).restart(null)
  }

  /**
   * Restarts the connector. With `includeTasks`, also restarts its tasks. With `onlyFailed`, only
   * units whose status is FAILED are restarted. Returns the status after the request.
   */
  async restartWithTasks(name: string, includeTasks: boolean, onlyFailed: boolean): Promise<ConnectorStateInfo> {
    if (this.#state.config(name) === null) throw notFound(`Unknown connector: ${name}`)
    const before = this.connectorStatus(name)
    const plan = restartPlan(before, includeTasks, onlyFailed)
    const live = this.#state.target(name) !== 'STOPPED'
    await this.#writes.run(name, () => this.#o.configs.putRestart(name, includeTasks, onlyFailed))
    const restarting = <T extends StateInfo>(info: T, planned: boolean): T =>
      planned && live ? { ...info, state: 'RESTARTING' } : info
    return {
      ...before,
      connector: restarting(before.connector, plan.connector && this.#state.target(name) === 'STARTED'),
      tasks: before.tasks.map(t => restarting(t, plan.tasks.includes(t.id))),
    }
  }

  async restartTask(name: string, task: number): Promise<void> {
    if (this.#state.config(name) === null) throw notFound(`Unknown connector: ${name}`)
    if (task >= this.#state.tasks(name).length) throw notFound(`Unknown task: ${name}-${task}`)
    this.#supervise(name).restart(task)
  }

  activeTopics(name: string): string[] {
    if (!this.#o.config.values['topic.tracking.enable']) throw new RestError(403, 'Topic tracking is disabled.')
    return this.#o.statuses.topics(name).map(t => t.topic)
  }

  resetTopics(name: string): void {
    const { values } = this.#o.config
    if (!values['topic.tracking.enable']) throw new RestError(403, 'Topic tracking is disabled.')
    if (!values['topic.tracking.allow.reset']) throw new RestError(403, 'Topic tracking reset is disabled.')
    this.#o.statuses.resetTopics(name)
  }

  offsets(name: string) {
    return this.#o.offsets.show(name, this.#configOf(name))
  }

  alterOffsets(name: string, pairs: readonly OffsetPair[]): Promise<string> {
    return this.#changeOffsets(name, config => this.#o.offsets.alter(name, config, pairs))
  }

  resetOffsets(name: string): Promise<string> {
    return this.#changeOffsets(name, config => this.#o.offsets.reset(name, config))
  }

  /** Sets a log level on every worker of the group. */
  async setClusterLogger(namespace: string, level: LogLevel): Promise<void> {
    await this.#o.configs.putLogger(namespace, level.toLowerCase())
  }

  /**
   * Applies `make` to the stored configuration, and writes the result. Validation takes time. If
   * another request changes the stored configuration in the meantime, `make` and the validation are
   * repeated, so that neither change is lost.
   */
  async #change(
    name: string,
    make: (stored: Props | null) => Props,
    { replace, target, nulls }: { replace: boolean; target: TargetState | null; nulls: readonly string[] },
  ): Promise<{ created: boolean; info: ConnectorInfo }> {
    const next = () => {
      const stored = this.#state.config(name)
      return this.#o.secrets.unmask(make(stored), stored)
    }
    for (;;) {
      const config = next()
      await this.#check(config, nulls)
      const done = await this.#writes.run(name, async () => {
        const exists = this.#state.config(name) !== null
        if (exists && !replace) throw new RestError(409, `Connector ${name} already exists`)
        if (canonicalJson(next()) !== canonicalJson(config)) return null
        await this.#o.configs.putConnector(name, config, target)
        return { created: !exists }
      })
      if (done) return { ...done, info: this.#views.info(name, await this.#o.secrets.mask(config)) }
    }
  }

  async #changeOffsets(name: string, change: (config: Props) => Promise<string>): Promise<string> {
    return this.#writes.run(name, async () => {
      const config = this.#configOf(name)
      if (this.#state.target(name) !== 'STOPPED' || this.#state.tasks(name).length > 0)
        throw badRequest(
          `Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/${name}/stop' endpoint`,
        )
      await this.#supervisors.get(name)?.tasksDown()
      return change(config)
    })
  }

  async #check(config: Props, nulls: readonly string[]): Promise<void> {
    const infos = await this.validator.validate(config, nulls)
    const masked = await this.#o.secrets.masked(config)
    const message = invalidMessage(infos)
    if (message !== null) throw badRequest(message)
    if (masked.length > 0)
      throw badRequest(
        `The value of ${masked.join(', ')} contains [hidden], which REST shows instead of a secret, but there is no stored secret that could replace it. Send the secret itself`,
      )
  }

  #configOf(name: string): Props {
    const config = this.#state.config(name)
    if (config === null) throw notFound(`Connector ${name} not found`)
    return config
  }

  #consumerOf(name: string): Props | null {
    const unit = parseUnit(name)
    const config = this.#state.config(unit?.connector ?? '')
    if (!config || unit?.task == null) return null
    return this.#o.launcher.task(unit.connector, unit.task, config, {}, false).consumer
  }

  #publishTasks(name: string, tasks: readonly Props[]): Promise<void> {
    return this.#writes.run(name, async () => {
      // The connector may have been stopped or deleted while taskConfigs() was running.
      if (this.#state.config(name) === null || this.#state.target(name) === 'STOPPED') return
      await this.#o.configs.putTasks(name, tasks)
    })
  }

  #supervise(name: string): Supervisor {
    let supervisor = this.#supervisors.get(name)
    if (!supervisor) this.#supervisors.set(name, (supervisor = new Supervisor(name, this.#env)))
    return supervisor
  }

  #restartByPlan(name: string, includeTasks: boolean, onlyFailed: boolean): void {
    const status = this.#views.status(name)
    if (!status || this.#state.config(name) === null) return
    const plan = restartPlan(status, includeTasks, onlyFailed)
    const supervisor = this.#supervise(name)
    if (plan.connector) supervisor.restart(null)
    for (const task of plan.tasks) supervisor.restart(task)
  }

  #removeFinished(): void {
    for (const [name, supervisor] of this.#supervisors) if (supervisor.finished) this.#supervisors.delete(name)
  }

  #applyLogger(namespace: string, level: string): void {
    try {
      this.loggers.set(namespace, this.loggers.parse({ level }))
    } catch {
      this.#logger.warn(`The config topic sets the logger ${namespace} to ${level}, which is not a log level`)
    }
  }

  #setThreadLevels(logger: string, level: LogLevel): void {
    setLogLevel(logger, level)
    for (const host of this.#o.threads.hosts) {
      host.request('log-level', { logger, level }).catch((error: unknown) => {
        this.#logger.debug(`Cannot set a log level in the thread ${host.name}: ${String(error)}`)
      })
    }
  }
}

/** Parses a unit name: `connector:x` or `task:x-0`. */
function parseUnit(unit: string): { connector: string; task: number | null } | null {
  if (unit.startsWith('connector:')) return { connector: unit.slice(10), task: null }
  const m = /^task:(.*)-(\d+)$/s.exec(unit)
  return m ? { connector: m[1]!, task: Number(m[2]) } : null
}

/** Returns the connector and tasks that a restart request affects, according to their statuses. */
function restartPlan(
  status: ConnectorStateInfo,
  includeTasks: boolean,
  onlyFailed: boolean,
): { connector: boolean; tasks: number[] } {
  const fits = (info: StateInfo) => !onlyFailed || info.state === 'FAILED'
  return {
    connector: fits(status.connector),
    tasks: includeTasks ? status.tasks.filter(fits).map(t => t.id) : [],
  }
}

/** Returns null if the plugin is not installed, or if the configuration cannot be resolved. */
function pluginOrNull(launcher: Launcher, config: Props): PluginDescriptor | null {
  try {
    return launcher.pluginOf(config)
  } catch {
    return null
  }
}
