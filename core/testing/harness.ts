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

/** A plugin of a chain with its configuration. */
export interface ChainPlugin<T> {
  readonly type: new () => T
  /** Its configuration, without a prefix. */
  readonly config?: Props
}

/** A transformation of a harness. */
export interface HarnessTransform extends ChainPlugin<Transformation> {
  readonly predicate?: ChainPlugin<Predicate>
  readonly negate?: boolean
}

export interface HarnessOptions {
  /** The connector's configuration. `name` and `tasks.max` have defaults. */
  readonly config: Props
  /** The converters. The defaults pass Connect data through unchanged. */
  readonly keyConverter?: ChainPlugin<Converter>
  readonly valueConverter?: ChainPlugin<Converter>
  readonly headerConverter?: ChainPlugin<HeaderConverter>
  readonly transforms?: readonly HarnessTransform[]
  /**
   * Whether `start` validates the configuration first, as REST does. Default true. Set it to false
   * to start while the system of the connector is unavailable, as a restarted worker does.
   */
  readonly validate?: boolean
  /** The interval between commits of offsets, in milliseconds. Default 20. */
  readonly offsetFlushIntervalMs?: number
  /** How long the harness waits for something before it throws, in milliseconds. Default 30 s. */
  readonly timeoutMs?: number
}

/** The state of a connector in a harness, as in the status that REST shows. */
export type HarnessState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'STOPPED'

/** The clients and the additional transformations with which a harness runs a task. */
export interface TaskWiring {
  readonly clients: Clients
  readonly transforms: readonly { readonly type: new () => Transformation }[]
}

type AnyConnector = new () => SourceConnector | SinkConnector

const VERSION = 'test'
/** The settings of the clients. The address is never used, because the broker is in memory. */
const CLIENT = { 'bootstrap.servers': '127.0.0.1:1' }
/** The functions that replace the methods of tasks after `kill`. They do nothing. */
const AFTER_A_CRASH: Readonly<Record<string, () => unknown>> = {
  put: async () => {},
  preCommit: async () => [],
  flush: async () => {},
  close: async () => {},
  commit: async () => {},
}
const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_FLUSH_MS = 20

/**
 * Runs a connector and its tasks in this process, with the runtime of the worker and a broker in
 * memory. See SourceHarness and SinkHarness.
 */
export abstract class Harness {
  /** The topics of the broker in memory. */
  readonly log = new MemoryLog()
  /** The log lines of the connector and its tasks. */
  readonly logger = new MemoryLogger('test', [], '', () => this.changed.notify())
  /** The calls of the tasks' methods that have ended, in order. */
  readonly calls: TaskCall[] = []
  /** Notified after each event. */
  protected readonly changed = new Signal()
  protected readonly options: HarnessOptions
  readonly #type: 'source' | 'sink'
  readonly #connectorType: AnyConnector
  readonly #offsets: OffsetStorage
  #state: HarnessState = 'UNASSIGNED'
  #failure: Failure | null = null
  #waitingFor: string | null = null
  #connector: ConnectorUnit | null = null
  #tasks: TaskUnit[] = []
  #registered: RegisteredPlugin[] = []
  /** The last metrics of each task, by unit. */
  readonly #metrics = new Map<string, TaskSnapshot>()
  #started = 0
  #connected = true

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

  /** The error of the connector or of the first task that failed, secrets hidden. */
  get failure(): Failure | null {
    return this.#failure
  }

  /** The message that the status shows while a task waits or retries, or null. */
  get waitingFor(): string | null {
    return this.#waitingFor
  }

  /** The number of tasks that have started since the last `start` of the harness. */
  get startedTasks(): number {
    return this.#started
  }

  /**
   * Returns the value of a metric that a task has added to `context.pluginMetrics()`, or null. The
   * name is the one on `/metrics`. The runtime reads metrics every two seconds, so wait for a value
   * with `until`.
   */
  metric(name: string, tags: Readonly<Record<string, string>> = {}, taskId = 0): number | null {
    const samples = this.#metrics.get(taskUnit('test', taskId))?.plugin ?? []
    const hasTags = (all: readonly (readonly [string, string])[]) => {
      const values = new Map(all)
      return Object.entries(tags).every(([tag, value]) => values.get(tag) === value)
    }
    return samples.find(s => s.name === name && hasTags(s.tags))?.value ?? null
  }

  /** Returns the lag of a task, read with the metrics, or null. */
  lag(taskId = 0): LagSample | null {
    return this.#metrics.get(taskUnit('test', taskId))?.lag ?? null
  }

  /**
   * Starts the connector, asks it for the configurations of its tasks, and starts these. Throws if
   * the configuration is invalid, or if the connector or a task cannot start.
   */
  async start(): Promise<this> {
    const config = { name: 'test', 'tasks.max': '1', ...this.options.config }
    this.#state = 'UNASSIGNED'
    this.#failure = null
    this.#waitingFor = null
    this.#metrics.clear()
    this.#connected = true
    const type = observed(this.#connectorType, {
      onCall: (method, args) => this.onTaskCall(method, args),
      replace: method => (this.#connected ? null : (AFTER_A_CRASH[method] ?? null)),
      onReturn: (call, args, result) => {
        this.calls.push(call)
        this.onTaskReturn(call, args, result)
        this.changed.notify()
      },
    })
    const plugin = this.#register(type)
    if (this.options.validate ?? true) {
      const { values } = await validatePlugin({ plugin, props: config })
      const invalid = values.flatMap(v => v.errors)
      if (invalid.length > 0) throw new Error(`the configuration is invalid: ${invalid.join('; ')}`)
    }
    const spec = { plugin, props: config, type: this.#type, connector: 'test', offsets: { kind: 'herder' } } as const
    this.#connector = await ConnectorUnit.start(connectorUnit('test'), spec, this.#uplink(), { logger: this.logger })
    const configs = await this.#connector.taskConfigs(Number(config['tasks.max']))
    this.#started = 0
    this.#tasks = configs.map((taskProps, taskId) => {
      const wiring = this.wire(taskId)
      const task: TaskSpec = { ...this.#taskSpec(config, wiring), plugin, taskId, taskProps }
      return TaskUnit.start(taskUnit('test', taskId), task, this.#uplink(), {
        clients: wiring.clients,
        logger: this.logger,
      })
    })
    await this.until(() => this.#started === this.#tasks.length, 'the tasks to start')
    return this
  }

  /** Pauses the tasks, as `PUT /connectors/{name}/pause` does. */
  async pause(): Promise<void> {
    for (const task of this.#tasks) await task.pause()
    this.#state = 'PAUSED'
  }

  async resume(): Promise<void> {
    for (const task of this.#tasks) await task.resume()
    this.#state = 'RUNNING'
  }

  /** Stops the tasks and the connector as the worker does. Throws if they do not stop in time. */
  async stop(): Promise<void> {
    const tasks = this.#tasks
    const connector = this.#connector
    this.#tasks = []
    this.#connector = null
    let isDone = false
    const stopping = Promise.all([...tasks.map(task => task.stop()), connector?.stop()]).finally(() => {
      isDone = true
      this.changed.notify()
    })
    const inTime = await waitUntil(() => isDone, this.changed, this.#timeoutMs)
    if (!inTime) throw this.#timedOut('the tasks to stop')
    await stopping
    if (this.#state !== 'FAILED') this.#state = 'STOPPED'
    for (const plugin of this.#registered.splice(0)) plugin[Symbol.dispose]()
  }

  /** Stops and starts again with the committed offsets. */
  async restart(): Promise<this> {
    await this.stop()
    return this.start()
  }

  /**
   * Ends the tasks without a last write or commit, as a crash of the worker does. Only `stop` of
   * the tasks is called.
   */
  async kill(): Promise<void> {
    this.#connected = false
    this.disconnect()
    await this.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Waits until the connector or a task has failed, and returns the error. */
  async failed(): Promise<Failure> {
    const failed = await waitUntil(() => this.#failure !== null, this.changed, this.#timeoutMs)
    if (!failed || !this.#failure) throw this.#timedOut('a failure')
    return this.#failure
  }

  /**
   * Waits until a condition holds. Checks it after each event. Throws if a task fails first, or
   * after the time limit; `what` completes "timed out waiting for".
   */
  async until(condition: () => boolean, what = 'a condition'): Promise<void> {
    const done = await waitUntil(() => this.#failure !== null || condition(), this.changed, this.#timeoutMs)
    if (done && condition()) return
    if (this.#failure) throw new Error(`the connector failed: ${this.#failure.trace}`)
    throw this.#timedOut(what)
  }

  /** Returns the clients and the additional transformations of a task. */
  protected abstract wire(taskId: number): TaskWiring
  /** Cuts the tasks off from the broker. */
  protected abstract disconnect(): void
  protected onTaskCall(_method: string, _args: readonly unknown[]): void {}
  protected onTaskReturn(_call: TaskCall, _args: readonly unknown[], _result: unknown): void {}

  /** Converters that keep their data, one for each side, so that both directions share it. */
  protected readonly data = { key: new DataConverter(), value: new DataConverter(), header: new DataConverter() }

  #taskSpec(config: Props, wiring: TaskWiring): Omit<TaskSpec, 'plugin' | 'taskId' | 'taskProps'> {
    const { transforms = [] } = this.options
    return {
      type: this.#type,
      connector: 'test',
      connectorProps: config,
      keyConverter: this.#spec(this.options.keyConverter, this.data.key),
      valueConverter: this.#spec(this.options.valueConverter, this.data.value),
      headerConverter: this.#spec(this.options.headerConverter, this.data.header),
      transforms: [
        ...transforms.map((t, n) => ({
          ...this.#spec(t),
          alias: `t${n}`,
          predicate: t.predicate && { ...this.#spec(t.predicate), alias: `p${n}` },
          negate: t.negate ?? false,
        })),
        ...wiring.transforms.map((t, n) => ({ ...this.#spec(t), alias: `harness${n}` })),
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

  #spec<T extends object>(plugin: ChainPlugin<T> | undefined, instance?: T): PluginSpec {
    const type = plugin?.type ?? constructorOf(instance!)
    return { plugin: this.#register(type), props: plugin?.config ?? {} }
  }

  #register(type: new () => unknown) {
    const registered = registerPlugin(type, VERSION)
    this.#registered.push(registered)
    return registered.ref
  }

  #uplink(): Uplink {
    return {
      event: event => this.#onEvent(event),
      call: async (_unit, call) => (this.#connected ? this.#offsets.answer(call) : null),
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

/** Returns a class whose constructor returns the given instance. */
function constructorOf<T extends object>(instance: T): new () => T {
  const create = function (this: unknown): T {
    return instance
  }
  Object.defineProperty(create, 'name', { value: instance.constructor.name })
  return create as unknown as new () => T
}
