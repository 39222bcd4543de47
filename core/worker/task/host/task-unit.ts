import { createLogger, type Logger } from '../../../common/log.ts'
import type { SinkConnector, SourceConnector } from '../../../connect/connector.ts'
import type { Converter, HeaderConverter } from '../../../connect/plugins.ts'
import type { SinkTask } from '../../../connect/sink-task.ts'
import type { SourceTask } from '../../../connect/source-task.ts'
import { failureOf } from '../failures/failure.ts'
import { learnClientSecrets, learnSecrets, redact } from '../failures/redact.ts'
import { MetricsRecorder } from '../metrics/recorder.ts'
import { createSinkRunner } from '../sink/sink-setup.ts'
import type { Converters, Named } from '../source/source-converter.ts'
import { createSourceRunner } from '../source/source-setup.ts'
import { type Closeable, TransformChain } from '../transform-chain.ts'
import type { PluginSpec, TaskSpec } from './messages-in.ts'
import type { Failure } from './messages-out.ts'
import { construct, loadPlugin } from './plugin-loader.ts'
import { type ConfigurablePlugin, configurePlugin, taskSettings } from './plugin-settings.ts'
import { checkPlugin, checkTaskClass } from './plugin-shape.ts'
import { closeQuietly, type Runner, type TaskParts } from './runner.ts'
import { kafkaTaskClients, type TaskClients, withUserNames } from './task-clients.ts'
import type { Unit, UnitTools, Uplink } from './unit.ts'

/** The interval at which the metrics are sent if they have changed, ms. */
const METRICS_INTERVAL_MS = 2000
const CONVERTER_METHODS = ['fromConnectData', 'toConnectData']
const HEADER_METHODS = ['fromConnectHeader', 'toConnectHeader']

/** A running task. It loads the plugins, runs the task, and sends events to the herder. */
export class TaskUnit implements Unit {
  readonly unit: string
  readonly #spec: TaskSpec
  readonly #uplink: Uplink
  readonly #clients: TaskClients
  readonly #logger: Logger
  readonly #abort = new AbortController()
  readonly #metrics: MetricsRecorder
  #runner: Runner | null = null
  #paused: boolean
  #topics: string[] = []
  /**
   * The transformations, predicates and converters that were loaded. They are closed when the task
   * ends.
   */
  readonly #loaded: Closeable[] = []
  #sent = ''
  #ended: Promise<void> = Promise.resolve()
  #failed = false

  private constructor(unit: string, spec: TaskSpec, uplink: Uplink, tools: UnitTools) {
    this.unit = unit
    this.#spec = spec
    this.#uplink = uplink
    this.#paused = spec.paused
    this.#metrics = new MetricsRecorder(spec.type, spec.metricsWindow)
    this.#metrics.paused = spec.paused
    const clients = tools.clients ?? kafkaTaskClients
    this.#clients = spec.clientKeyNames ? withUserNames(clients, spec.clientKeyNames) : clients
    const { connector, taskId: task } = spec
    this.#logger = tools.logger ?? createLogger('millrace.task', `[${connector}|task-${task}] `, { connector, task })
  }

  /** Starts a task. Returns immediately. Events report the progress of the start. */
  static start(unit: string, spec: TaskSpec, uplink: Uplink, tools: UnitTools = {}): TaskUnit {
    const self = new TaskUnit(unit, spec, uplink, tools)
    self.#ended = self.#live()
    return self
  }

  async pause(): Promise<void> {
    if (this.#paused) return
    this.#paused = true
    this.#metrics.paused = true
    this.#runner?.pause()
    this.#uplink.event({ type: 'paused', unit: this.unit })
  }

  async resume(): Promise<void> {
    if (!this.#paused) return
    this.#paused = false
    this.#metrics.paused = false
    this.#runner?.resume()
    this.#uplink.event({ type: 'resumed', unit: this.unit })
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#ended
  }

  async #live(): Promise<void> {
    const timer = setInterval(() => this.#report(), METRICS_INTERVAL_MS)
    let runner: Runner | null = null
    let failure: Failure | null = null
    try {
      const chain = await TransformChain.load(this.#spec.transforms, this.#loaded)
      runner = await this.#create(chain)
      await this.#run(runner)
    } catch (error) {
      this.#failed = true
      failure = failureOf(error)
    }
    clearInterval(timer)
    this.#runner = null
    await runner?.close()
    await closeQuietly(this.#loaded, this.#logger)
    this.#report()
    if (failure) this.#uplink.event({ type: 'failed', unit: this.unit, failure })
  }

  async #run(runner: Runner): Promise<void> {
    this.#runner = runner
    if (this.#paused) runner.pause()
    // If the task was stopped while `start` was running, `run` only calls `stop` of the task and
    // returns.
    if (!this.#abort.signal.aborted) this.#uplink.event({ type: 'started', unit: this.unit, paused: this.#paused })
    await runner.run()
  }

  async #create(chain: TransformChain): Promise<Runner> {
    const spec = this.#spec
    const connector = await loadPlugin<SourceConnector | SinkConnector>(spec.plugin)
    for (const props of [spec.connectorProps, spec.taskProps]) learnSecrets(connector.config, props)
    for (const props of [spec.producer, spec.consumer, spec.admin]) learnClientSecrets(props)
    const { className } = spec.plugin
    checkTaskClass(connector.taskClass, className)
    const task = construct<SourceTask | SinkTask>(connector.taskClass, className)
    const methods = spec.type === 'source' ? ['start', 'poll'] : ['start', 'put', 'preCommit']
    checkPlugin(task, `${className} (${connector.taskClass.name})`, methods)
    if (task.config) learnSecrets(task.config, spec.taskProps)
    const converters = await loadConverters(spec, this.#loaded)
    this.#uplink.event({ type: 'loaded', unit: this.unit })
    const parts: TaskParts = {
      unit: this.unit,
      spec,
      settings: taskSettings(task, connector, spec.taskProps),
      uplink: this.#uplink,
      chain,
      converters,
      metrics: this.#metrics,
      logger: this.#logger,
      abort: this.#abort,
      clients: this.#clients,
      onTopic: topic => this.#useTopic(topic),
      onDegraded: (message, retryAt) => {
        const shown = message === null ? null : redact(String(message))
        this.#uplink.event({ type: 'degraded', unit: this.unit, message: shown, retryAt })
      },
    }
    return spec.type === 'source'
      ? createSourceRunner(task as SourceTask, parts)
      : createSinkRunner(task as SinkTask, parts)
  }

  // Sends at most one event per turn of the event loop, because a source of many tables may use
  // many topics at once.
  #useTopic(topic: string): void {
    if (!this.#spec.topicTracking) return
    this.#topics.push(topic)
    if (this.#topics.length > 1) return
    setImmediate(() => {
      const topics = this.#topics
      this.#topics = []
      if (!this.#failed) this.#uplink.event({ type: 'topics', unit: this.unit, topics })
    })
  }

  #report(): void {
    const metrics = this.#metrics.snapshot()
    const text = JSON.stringify(metrics)
    if (text === this.#sent) return
    this.#sent = text
    this.#uplink.event({ type: 'metrics', unit: this.unit, metrics })
  }
}

async function named<T extends Closeable & ConfigurablePlugin>(
  spec: PluginSpec,
  isKey: boolean,
  loaded: Closeable[],
  methods: readonly string[],
): Promise<Named<T>> {
  const plugin = await loadPlugin<T>(spec.plugin, methods)
  loaded.push(plugin)
  learnSecrets(plugin.config ?? {}, spec.props)
  configurePlugin(plugin, spec.props, isKey, spec.prefix)
  return { className: spec.plugin.className, plugin }
}

async function loadConverters(spec: TaskSpec, loaded: Closeable[]): Promise<Converters> {
  return {
    key: await named<Converter>(spec.keyConverter, true, loaded, CONVERTER_METHODS),
    value: await named<Converter>(spec.valueConverter, false, loaded, CONVERTER_METHODS),
    header: await named<HeaderConverter>(spec.headerConverter, false, loaded, HEADER_METHODS),
  }
}
