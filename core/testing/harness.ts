import { Signal, waitUntil } from '../common/async/signal.ts'
import type { SinkConnector, SourceConnector } from '../connect/connector.ts'
import type { Converter, HeaderConverter, Predicate, Transformation } from '../connect/plugins.ts'
import type { Props } from '../connect/props.ts'
import type { Clients } from '../worker/clients.ts'
import { ConnectorUnit } from '../worker/task/host/connector-unit.ts'
import { connectorUnit, type PluginSpec, type TaskSpec, taskUnit } from '../worker/task/host/messages-in.ts'
import type { Failure, LagSample, TaskSnapshot, ThreadEvent } from '../worker/task/host/messages-out.ts'
import { validatePlugin } from '../worker/task/host/plugin-info.ts'
import { type RegisteredPlugin, registerPlugin } from '../worker/task/host/plugin-loader.ts'
import { TaskUnit } from '../worker/task/host/task-unit.ts'
import type { Uplink } from '../worker/task/host/unit.ts'
import { DEFAULT_WINDOW } from '../worker/task/metrics/windowed.ts'
import { DataConverter } from './data-converter.ts'
import { observed, type TaskCall } from './lifecycle.ts'
import { MemoryLog } from './memory-log.ts'
import { MemoryLogger } from './memory-logger.ts'
import { OffsetStorage } from './offset-storage.ts'
import { WorkerScope } from './worker-scope.ts'

/** The class of a transformation, predicate or converter, and its configuration. */
export interface ChainPlugin<T> {
  readonly type: new () => T
  /** The configuration of the plugin. The keys have no prefix. */
  readonly config?: Props
}

/** A transformation that a harness applies to all records, or to those that match a predicate. */
export interface HarnessTransform extends ChainPlugin<Transformation> {
  readonly predicate?: ChainPlugin<Predicate>
  readonly negate?: boolean
}

export interface HarnessOptions {
  /** The connector's configuration. Defaults: `name` is `test`, and `tasks.max` is 1. */
  readonly config: Props
  /** The converter for keys. The default converters return all data unchanged. */
  readonly keyConverter?: ChainPlugin<Converter>
  readonly valueConverter?: ChainPlugin<Converter>
  readonly headerConverter?: ChainPlugin<HeaderConverter>
  readonly transforms?: readonly HarnessTransform[]
  /**
   * Whether `start` validates the configuration first, as REST does. Default: true. Without
   * validation, a connector starts while its external system is unavailable, as it does when a
   * worker restarts.
   */
  readonly validate?: boolean
  /** The interval between commits of offsets, in milliseconds. Default: 20. */
  readonly offsetFlushIntervalMs?: number
  /** The time limit for each wait of the harness, in milliseconds. Default: 30000. */
  readonly timeoutMs?: number
}

/** The state of a connector in a harness. The names are those of the status in REST. */
export type HarnessState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'STOPPED'

/** The clients of a task, and the transformations that the harness adds to the task. */
export interface TaskWiring {
  readonly clients: Clients
  readonly transforms: readonly { readonly type: new () => Transformation }[]
}

/** The connector and the tasks that one call of `start` has started. */
interface Run {
  readonly scope: WorkerScope
  connector: ConnectorUnit | null
  tasks: TaskUnit[]
  readonly plugins: RegisteredPlugin[]
}

type AnyConnector = new () => SourceConnector | SinkConnector

const VERSION = 'test'
/** The settings of the clients. The address is not used, because the broker is in memory. */
const CLIENT = { 'bootstrap.servers': '127.0.0.1:1' }
/** The time limit for a killed connector to stop when the harness is disposed of. Milliseconds. */
const RELEASE_MS = 5000
const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_FLUSH_MS = 20

/**
 * Runs a connector and its tasks in this process, with the runtime of the worker and a broker in
 * memory. The base class of SourceHarness and SinkHarness.
 */
export abstract class Harness {
  /** The topics of the broker in memory. */
  readonly log = new MemoryLog()
  /** The log lines of the connector and its tasks. */
  readonly logger = new MemoryLogger('test', { onLine: () => this.changed.notify() })
  /** The calls of the tasks' methods that have returned or thrown, in order. */
  readonly calls: TaskCall[] = []
  /** Notified after each event of the connector or a task, and after each log line. */
  protected readonly changed = new Signal()
  protected readonly options: HarnessOptions
  readonly #type: 'source' | 'sink'
  readonly #connectorType: AnyConnector
  readonly #offsets: OffsetStorage
  #state: HarnessState = 'UNASSIGNED'
  #failure: Failure | null = null
  #waitingFor: string | null = null
  #run: Run | null = null
  /** The killed connectors and tasks. They hold resources until the harness is disposed of. */
  readonly #killed: Run[] = []
  /** The latest metrics of each task, by the unit name of the task. */
  readonly #metrics = new Map<string, TaskSnapshot>()
  #started = 0

  protected constructor(
    type: 'source' | 'sink',
    connector: AnyConnector,
    options: HarnessOptions,
    offsets = new OffsetStorage(),
  ) {
    this.#type = type
    this.#connectorType = connector
    this.options = options
    this.#offsets = offsets
    offsets.onCommit = () => this.changed.notify()
  }

  /** The state of the connector and its tasks. */
  get state(): HarnessState {
    return this.#state
  }

  /** The first error that failed the connector or a task, or null. Secrets are hidden. */
  get failure(): Failure | null {
    return this.#failure
  }

  /** The message that the status shows while the connector or a task waits or retries, or null. */
  get waitingFor(): string | null {
    return this.#waitingFor
  }

  /** The number of tasks that have started since the last `start` of the harness. */
  get startedTasks(): number {
    return this.#started
  }

  /**
   * Returns the value of a metric that a task has added to `context.pluginMetrics()`. Returns null
   * if the metric has no value yet. `name` is the name on `/metrics`. The runtime reads metrics
   * every two seconds, so use `until` to wait for a value.
   */
  metric(name: string, tags: Readonly<Record<string, string>> = {}, taskId = 0): number | null {
    const samples = this.#metrics.get(taskUnit('test', taskId))?.plugin ?? []
    const hasTags = (all: readonly (readonly [string, string])[]) => {
      const values = new Map(all)
      return Object.entries(tags).every(([tag, value]) => values.get(tag) === value)
    }
    return samples.find(s => s.name === name && hasTags(s.tags))?.value ?? null
  }

  /** Returns the lag of a task when its metrics were last read, or null. */
  lag(taskId = 0): LagSample | null {
    return this.#metrics.get(taskUnit('test', taskId))?.lag ?? null
  }

  /**
   * Starts the connector, calls its `taskConfigs`, and starts the tasks. Throws if the
   * configuration is invalid, or if the connector or a task cannot start.
   */
  async start(): Promise<this> {
    const config = { name: 'test', 'tasks.max': '1', ...this.options.config }
    this.#state = 'UNASSIGNED'
    this.#failure = null
    this.#waitingFor = null
    this.#metrics.clear()
    const scope = new WorkerScope()
    const run: Run = { scope, connector: null, tasks: [], plugins: [] }
    this.#run = run
    const type = observed(this.#connectorType, {
      onCall: (method, args) => {
        if (!scope.isKilled) this.onTaskCall(method, args)
      },
      intercept: (method, call) => (scope.isKilled ? afterKill(scope, method, call) : call),
      onReturn: (call, args, result) => {
        if (scope.isKilled) return
        this.calls.push(call)
        this.onTaskReturn(call, args, result)
        this.changed.notify()
      },
    })
    const plugin = register(type, run)
    if (this.options.validate ?? true) {
      const { values } = await validatePlugin({ plugin, props: config })
      const invalid = values.flatMap(v => v.errors)
      if (invalid.length > 0) throw new Error(`the configuration is invalid: ${invalid.join('; ')}`)
    }
    const spec = { plugin, props: config, type: this.#type, connector: 'test', offsets: { kind: 'herder' } } as const
    const { lines } = this.logger
    const onLine = () => this.changed.notify()
    const logger = new MemoryLogger('test', { lines, onLine, isMuted: () => scope.isKilled })
    const uplink = this.#uplink(scope)
    const connector = await scope.run(() => ConnectorUnit.start(connectorUnit('test'), spec, uplink, { logger }))
    run.connector = connector
    const configs = await scope.run(() => connector.taskConfigs(Number(config['tasks.max'])))
    this.#started = 0
    run.tasks = configs.map((taskProps, taskId) => {
      const wiring = this.wire(taskId)
      const task: TaskSpec = { ...this.#taskSpec(config, wiring, run), plugin, taskId, taskProps }
      const tools = { clients: wiring.clients, logger }
      return scope.run(() => TaskUnit.start(taskUnit('test', taskId), task, uplink, tools))
    })
    await this.until(() => this.#started === run.tasks.length, 'the tasks to start')
    return this
  }

  /** Pauses the tasks, as the request `PUT /connectors/{name}/pause` does. */
  async pause(): Promise<void> {
    for (const task of this.#run?.tasks ?? []) await task.pause()
    this.#state = 'PAUSED'
  }

  async resume(): Promise<void> {
    for (const task of this.#run?.tasks ?? []) await task.resume()
    this.#state = 'RUNNING'
  }

  /** Stops the tasks and the connector as the worker does. Throws if they do not stop in time. */
  async stop(): Promise<void> {
    const run = this.#run
    this.#run = null
    if (run) await this.#stop(run, this.#timeoutMs)
    if (this.#state !== 'FAILED') this.#state = 'STOPPED'
  }

  /** Stops the tasks and the connector of a run. Throws if they do not stop in time. */
  async #stop({ tasks, connector, plugins }: Run, timeoutMs: number): Promise<void> {
    let isDone = false
    const stopping = Promise.all([...tasks.map(task => task.stop()), connector?.stop()]).finally(() => {
      isDone = true
      this.changed.notify()
    })
    const inTime = await waitUntil(() => isDone, this.changed, timeoutMs)
    if (!inTime) throw this.#timedOut('the tasks to stop')
    await stopping
    for (const plugin of plugins) plugin[Symbol.dispose]()
  }

  /** Stops the connector and starts it again. It resumes from the committed offsets. */
  async restart(): Promise<this> {
    await this.stop()
    return this.start()
  }

  /**
   * Cuts off the connector and its tasks, as `kill -9` of the worker does. Closes their connections
   * and listening sockets. Calls none of their methods, not even `stop`, and does not abort
   * `context.signal`. Code that is already running cannot be ended from outside, so timers, open
   * files and child processes remain until the harness is disposed of (`await using`). The harness
   * then aborts the signal and calls `stop`.
   */
  async kill(): Promise<void> {
    const run = this.#run
    this.#run = null
    if (!run) return
    run.scope.kill()
    this.disconnect()
    this.#killed.push(run)
    if (this.#state !== 'FAILED') this.#state = 'STOPPED'
  }

  /** Stops the connector. Also stops killed connectors, so that they release their resources. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    for (const run of this.#killed.splice(0)) {
      run.scope.release()
      // The connections of the connector are closed, so an error of its `stop` is expected.
      await this.#stop(run, RELEASE_MS).catch(() => undefined)
    }
  }

  /** Waits until the connector or a task has failed, and returns the error. */
  async failed(): Promise<Failure> {
    const failed = await waitUntil(() => this.#failure !== null, this.changed, this.#timeoutMs)
    if (!failed || !this.#failure) throw this.#timedOut('a failure')
    return this.#failure
  }

  /**
   * Waits until the condition is true. Checks it after each event and log line. Throws if the
   * connector or a task fails first, and after the time limit. The error then says "timed out
   * waiting for" and `what`.
   */
  async until(condition: () => boolean, what = 'a condition'): Promise<void> {
    const done = await waitUntil(() => this.#failure !== null || condition(), this.changed, this.#timeoutMs)
    if (done && condition()) return
    if (this.#failure) throw new Error(`the connector failed: ${this.#failure.trace}`)
    throw this.#timedOut(what)
  }

  /** Returns the clients of a task, and the transformations that the harness adds to the task. */
  protected abstract wire(taskId: number): TaskWiring
  /** Makes the broker ignore all further calls of the tasks that are running. */
  protected abstract disconnect(): void
  protected onTaskCall(_method: string, _args: readonly unknown[]): void {}
  protected onTaskReturn(_call: TaskCall, _args: readonly unknown[], _result: unknown): void {}

  /**
   * The default converters. A converter stores values, so both directions must use the same one.
   */
  protected readonly data = { key: new DataConverter(), value: new DataConverter(), header: new DataConverter() }

  #taskSpec(config: Props, wiring: TaskWiring, run: Run): Omit<TaskSpec, 'plugin' | 'taskId' | 'taskProps'> {
    const { transforms = [] } = this.options
    const specOf = <T extends object>(used: ChainPlugin<T> | undefined, instance?: T): PluginSpec => {
      const type = used?.type ?? constructorOf(instance!)
      return { plugin: register(type, run), props: used?.config ?? {} }
    }
    return {
      type: this.#type,
      connector: 'test',
      connectorProps: config,
      keyConverter: specOf(this.options.keyConverter, this.data.key),
      valueConverter: specOf(this.options.valueConverter, this.data.value),
      headerConverter: specOf(this.options.headerConverter, this.data.header),
      transforms: [
        ...transforms.map((t, n) => ({
          ...specOf(t),
          alias: `t${n}`,
          predicate: t.predicate && { ...specOf(t.predicate), alias: `p${n}` },
          negate: t.negate ?? false,
        })),
        ...wiring.transforms.map((t, n) => ({ ...specOf(t), alias: `harness${n}` })),
      ],
      producer: CLIENT,
      consumer: CLIENT,
      admin: CLIENT,
      offsets: { kind: 'herder' },
      paused: false,
      offsetFlushIntervalMs: this.options.offsetFlushIntervalMs ?? DEFAULT_FLUSH_MS,
      topicCreationEnabled: false,
      topicTracking: false,
      metricsWindow: DEFAULT_WINDOW,
    }
  }

  #uplink(scope: WorkerScope): Uplink {
    return {
      event: event => {
        if (!scope.isKilled) this.#onEvent(event)
      },
      call: async (_unit, call) => {
        if (!scope.isKilled) return this.#offsets.answer(call)
        await scope.released()
        return call.name === 'offsets-get' ? call.keys.map(() => null) : null
      },
    }
  }

  #onEvent(event: ThreadEvent): void {
    switch (event.type) {
      case 'started':
        this.#started++
        if (this.#state === 'UNASSIGNED') this.#state = 'RUNNING'
        break
      case 'failed':
        this.#state = 'FAILED'
        this.#failure ??= event.failure
        break
      case 'degraded':
        this.#waitingFor = event.message
        break
      case 'metrics':
        this.#metrics.set(event.unit, event.metrics)
        break
    }
    this.changed.notify()
  }

  get #timeoutMs(): number {
    return this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  }

  #timedOut(what: string): Error {
    const waiting = this.#waitingFor === null ? '' : ` (waiting: ${this.#waitingFor})`
    return new Error(
      `timed out after ${this.#timeoutMs} ms waiting for ${what}: ${this.#state}${waiting}\n${this.logger.text()}`,
    )
  }
}

function register(type: new () => unknown, run: Run): PluginSpec['plugin'] {
  const registered = registerPlugin(type, VERSION)
  run.plugins.push(registered)
  return registered.ref
}

/**
 * Returns the function that replaces a method of a killed task. The replacements do nothing. That
 * of `stop` waits until the harness is disposed of, and then calls the task's method.
 */
function afterKill(scope: WorkerScope, method: string, call: () => unknown): () => unknown {
  switch (method) {
    case 'stop':
      return async () => {
        await scope.released()
        await call()
      }
    case 'start':
    case 'put':
      return () => scope.released()
    case 'poll':
      return async () => {
        await scope.released()
        return null
      }
    case 'preCommit':
      return async () => []
    default:
      return () => undefined
  }
}

/** Returns a class whose constructor returns this instance. */
function constructorOf<T extends object>(instance: T): new () => T {
  const create = function (this: unknown): T {
    return instance
  }
  Object.defineProperty(create, 'name', { value: instance.constructor.name })
  return create as unknown as new () => T
}
