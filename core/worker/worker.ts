import { backoff } from '../common/async/backoff.ts'
import { withAbortHandler } from '../common/async/or-abort.ts'
import { sleepOrAbort } from '../common/async/sleep.ts'
import type { RawConfig } from '../common/config/parse.ts'
import { isRetriable, messageOf } from '../common/errors/error-table.ts'
import { createLogger, type Logger } from '../common/log.ts'
import { VERSION } from '../common/version.ts'
import type { Props } from '../connect/props.ts'
import type { Clients } from './clients.ts'
import { parseWorkerConfig, type WorkerConfig, type WorkerMode, workerClientProps } from './config/worker-config.ts'
import { errors } from './errors.ts'
import { Herder } from './herder/herder.ts'
import { Launcher } from './herder/launcher.ts'
import { OffsetsAdmin } from './herder/offsets-admin.ts'
import { Secrets } from './herder/secrets.ts'
import { Threads } from './herder/threads.ts'
import { Validator } from './herder/validator.ts'
import { checkConverters } from './herder/worker-converters.ts'
import { discoverPlugins } from './plugins/discovery.ts'
import { PluginInspector } from './plugins/inspector.ts'
import { PluginRegistry } from './plugins/registry.ts'
import { someReachable } from './reachable.ts'
import { RestServer, type WorkerHealth } from './rest/server.ts'
import { SessionKeys } from './session-keys.ts'
import type { TargetState } from './storage/config-state.ts'
import { closeStores, createStores, type Stores, startStores } from './stores.ts'

export interface WorkerOptions {
  readonly mode: WorkerMode
  /**
   * In standalone mode, the connectors that are created at the start. Each configuration contains
   * `name`.
   */
  readonly connectorConfigs?: readonly Props[]
  /**
   * In standalone mode, the initial target states of these connectors, by name. Default: STARTED.
   */
  readonly initialStates?: Readonly<Record<string, TargetState>>
  /** Creates the Kafka clients. Default: the clients of `core/client`. */
  readonly clients?: Clients
  /** Aborting this signal cancels the start, for example while the brokers cannot be reached. */
  readonly signal?: AbortSignal
  /** Called when the REST API has started to listen, which is before the brokers are reached. */
  readonly onListening?: (restUrl: string) => void
}

/** A running Connect worker. */
export interface Worker {
  readonly restUrl: string
  readonly restPort: number
  readonly herder: Herder
  /**
   * Stops the connectors and tasks, and then all other parts of the worker. Each connector and task
   * has `task.shutdown.graceful.timeout.ms` to stop.
   */
  close(): Promise<void>
}

/** The maximum delay between two attempts to connect to the brokers at the start, ms. */
const RETRY_MAX_MS = 10_000

/**
 * Starts a worker, and resolves when the worker is ready. If the configuration is invalid, throws a
 * ConfigError that names every invalid key before anything is started. While the brokers cannot be
 * reached, the worker retries, and the log and `/health` show the reason.
 */
export async function startWorker(raw: RawConfig, options: WorkerOptions): Promise<Worker> {
  const logger = createLogger('millrace.worker')
  const config = parseWorkerConfig(raw, options.mode, logger)
  const clients = options.clients ?? (await import('./clients.ts')).kafkaClients
  const worker = new RunningWorker(config, options, clients, logger)
  try {
    await worker.start()
  } catch (error) {
    await worker.close()
    throw error
  }
  return worker
}

/** The result of a successful connection to the brokers. */
interface Connected {
  readonly clusterId: string
  readonly stores: Stores
}

/** The parts of the worker that exist in each phase of its start. `close` releases these parts. */
type State =
  | { readonly phase: 'new' }
  | { readonly phase: 'connecting'; readonly connected: Promise<Connected> }
  | { readonly phase: 'running'; readonly stores: Stores; readonly herder: Herder; readonly keys: SessionKeys | null }

class RunningWorker implements Worker {
  readonly #config: WorkerConfig
  readonly #options: WorkerOptions
  readonly #clients: Clients
  /**
   * Whether to check that a broker can be reached before clients are created. False if the options
   * provide clients, as in tests, because such clients do not use the network.
   */
  readonly #probes: boolean
  readonly #logger: Logger
  readonly #rest: RestServer
  readonly #inspector: PluginInspector
  readonly #signal: AbortSignal
  readonly #abort = new AbortController()
  #health: WorkerHealth = { phase: 'starting', reason: 'finding plugins' }
  #state: State = { phase: 'new' }
  #closing: Promise<void> | null = null

  constructor(config: WorkerConfig, options: WorkerOptions, clients: Clients, logger: Logger) {
    this.#config = config
    this.#options = options
    this.#clients = clients
    this.#probes = options.clients === undefined
    this.#logger = logger
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#abort.signal]) : this.#abort.signal
    this.#rest = new RestServer({ config, health: () => this.#health, version: VERSION, commit: 'millrace' })
    this.#inspector = new PluginInspector({
      threads: 2,
      timeoutMs: config.values['plugin.inspection.timeout.ms'],
      idleMs: 60_000,
      maxHeapMb: config.values['task.memory.max.mb'],
    })
  }

  get restUrl(): string {
    return this.#rest.url
  }

  get restPort(): number {
    return this.#rest.port
  }

  get herder(): Herder {
    if (this.#state.phase !== 'running')
      throw errors.create('MR_WORKER_STARTING', { reason: 'the herder has not been created yet' })
    return this.#state.herder
  }

  async start(): Promise<void> {
    const { plugins } = await discoverPlugins(this.#config.values['plugin.path'], createLogger('millrace.plugins'))
    const registry = new PluginRegistry(plugins)
    this.#logger.info(`Found ${plugins.length} plugins`)
    await this.#rest.start()
    this.#options.onListening?.(this.#rest.url)
    const connecting = this.#connect()
    this.#state = { phase: 'connecting', connected: connecting }
    const [connected] = await Promise.all([connecting, checkConverters(this.#config, registry, this.#inspector)])
    this.#throwIfAborted()
    const { stores, clusterId } = connected
    const herder = this.#createHerder(registry, connected)
    const keys = this.#createKeys(stores)
    this.#state = { phase: 'running', stores, herder, keys }
    await keys?.start()
    // From here on, the worker starts threads. After `close`, the worker must not start a thread,
    // because nothing would end that thread.
    this.#throwIfAborted()
    herder.start()
    this.#health = { phase: 'ready', herder, clusterId }
    const { connectorConfigs = [], initialStates = {} } = this.#options
    for (const { name, ...props } of connectorConfigs)
      await herder.putConnector(name ?? '', { ...props, name: name ?? '' }, true, initialStates[name ?? ''] ?? null)
    this.#logger.info(`The worker ${this.#rest.workerId} is ready: ${this.#rest.url}`)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#abort.abort(errors.create('MR_WORKER_ABORTED', {}))
    if (this.#state.phase === 'running') this.#state.keys?.close()
    if (this.#health.phase === 'ready') this.#health = { phase: 'starting', reason: 'stopping' }
    const rest = this.#rest.close()
    await this.#closeState()
    await this.#inspector.close()
    await rest
    this.#logger.info('The worker stopped')
  }

  async #closeState(): Promise<void> {
    const state = this.#state
    if (state.phase === 'connecting') {
      // A failed connection attempt has already closed its stores.
      const connected = await state.connected.catch(() => null)
      if (connected) await closeStores(connected.stores)
    } else if (state.phase === 'running') {
      await state.herder.stop()
      await closeStores(state.stores)
    }
  }

  #throwIfAborted(): void {
    if (this.#signal.aborted) throw errors.create('MR_WORKER_ABORTED', {})
  }

  /** Waits for the brokers and then starts the stores. Retries after each retriable error. */
  async #connect(): Promise<Connected> {
    const servers = this.#config.values['bootstrap.servers']
    this.#health = { phase: 'starting', reason: `connecting to ${servers.join(', ')}` }
    const delays = backoff({ initialMs: 1000, maxMs: RETRY_MAX_MS })
    for (;;) {
      let delay: number
      this.#throwIfAborted()
      try {
        if (this.#probes) await someReachable(servers, this.#signal)
        const clusterId = await this.#findCluster()
        this.#health = { phase: 'starting', reason: 'reading the internal topics' }
        const stores = createStores(
          this.#config,
          this.#clients,
          this.#logger,
          event => {
            if (this.#state.phase === 'running') this.#state.herder.onConfigEvent(event)
          },
          error => {
            this.#health = { phase: 'failed', reason: messageOf(error) }
          },
        )
        await this.#closeOnAbort(startStores(stores), () => closeStores(stores))
        return { clusterId, stores }
      } catch (error) {
        this.#throwIfAborted()
        if (!isRetriable(error)) throw error
        const reason = messageOf(error)
        this.#health = { phase: 'starting', reason }
        delay = delays.next()
        this.#logger.warn(`Waiting for the brokers, retrying in ${delay} ms: ${reason}`)
      }
      await sleepOrAbort(delay, this.#signal)
    }
  }

  /** Waits for an operation. If the worker is stopped first, calls `close` to end the operation. */
  #closeOnAbort<T>(work: Promise<T>, close: () => Promise<unknown>): Promise<T> {
    return withAbortHandler(work, this.#signal, () => {
      close().catch((error: unknown) => this.#logger.debug(`Closing a client failed: ${messageOf(error)}`))
    })
  }

  async #findCluster(): Promise<string> {
    const admin = this.#clients.admin(workerClientProps(this.#config), this.#logger)
    try {
      return (await this.#closeOnAbort(admin.describeCluster(), () => admin.close())).clusterId
    } finally {
      await admin.close()
    }
  }

  #createHerder(registry: PluginRegistry, { stores }: Connected): Herder {
    const config = this.#config
    const workerId = () => this.#rest.workerId
    const launcher = new Launcher({ config, registry })
    const inspector = this.#inspector
    const offsets = new OffsetsAdmin({
      stores: stores.offsets,
      launcher,
      inspector,
      clients: this.#clients,
      logger: this.#logger,
    })
    const threads = new Threads({
      isolation: config.values['task.isolation'],
      maxHeapMb: config.values['task.memory.max.mb'],
      onEvent: (event, host) => herder.onThreadEvent(event, host),
      onCall: (call, unit) => herder.onThreadCall(call, unit),
      onEnd: host => herder.onThreadEnd(host),
    })
    const herder = new Herder({
      config,
      registry,
      inspector,
      validator: new Validator({ config, registry, inspector }),
      secrets: new Secrets(registry, inspector, config.values['rest.secrets.mask']),
      launcher,
      configs: stores.configs,
      statuses: stores.statuses,
      stores: stores.offsets,
      offsets,
      threads,
      workerId,
    })
    return herder
  }

  #createKeys(stores: Stores): SessionKeys | null {
    if (this.#config.mode !== 'distributed') return null
    const { own } = this.#config
    return new SessionKeys({
      configs: stores.configs,
      algorithm: own['inter.worker.key.generation.algorithm'],
      bits: own['inter.worker.key.size'],
      ttlMs: own['inter.worker.key.ttl.ms'],
      logger: this.#logger,
    })
  }
}
