import { hostname } from 'node:os'
import { BufferPool } from '../common/buffer-pool.ts'
import type { RawConfig } from '../common/config/parse.ts'
import { messageOf } from '../common/errors/error-table.ts'
import { createLogger, type Logger } from '../common/log.ts'
import { concat } from '../common/metrics/metric.ts'
import { MetricsServer } from '../common/metrics/metrics-server.ts'
import { processFamilies } from '../common/metrics/process-metrics.ts'
import { type BrokerConfig, parseBrokerConfig } from './config/broker-config.ts'
import { currentSetting } from './config/dynamic.ts'
import { NO_DYNAMIC, toLogConfig, topicValues } from './config/effective.ts'
import { type Coordinators, createCoordinators } from './coordinator/index.ts'
import { lockDirs } from './dir-lock/dir-lock.ts'
import { brokerErrors } from './errors.ts'
import { FetchBudget } from './handlers/fetch-budget.ts'
import { FetchSessions } from './handlers/fetch-sessions.ts'
import type { BrokerServices } from './handlers/handler.ts'
import { createHandlers } from './handlers/index.ts'
import { LogManager } from './log/index.ts'
import { BrokerStats, countIsrChanges } from './metrics/broker-stats.ts'
import { brokerFamilies } from './metrics/collector.ts'
import { EventLoopIdle } from './metrics/idle.ts'
import { Dispatcher } from './network/dispatcher.ts'
import { NetworkServer } from './network/server.ts'
import { Partitions } from './partitions.ts'
import { QuorumController } from './quorum/controller.ts'
import { EMPTY_IMAGE, type EndpointImage } from './quorum/image.ts'
import { loadMetaProperties, type MetaProperties, randomUuid } from './quorum/meta-properties.ts'
import { MetadataLog } from './quorum/metadata-log.ts'
import { Snapshotter } from './quorum/snapshotter.ts'

/** A running broker. */
export interface Broker {
  /** The port in use for the first listener. */
  readonly port: number
  /** The `host:port` of the first listener, as clients use it in bootstrap.servers. */
  readonly address: string
  readonly clusterId: string
  readonly nodeId: number
  readonly config: BrokerConfig
  /** The URLs of `metrics.listeners`, with the ports that are in use. */
  readonly metricsUrls: readonly string[]
  /** The number of connected clients. */
  readonly connections: number
  /**
   * Completes the requests in progress, flushes the logs and marks a clean shutdown. Resolves when
   * the broker has stopped.
   */
  close(): Promise<void>
}

export interface BrokerOptions {
  readonly logger?: Logger
  /** Replaces the wall clock in tests. */
  readonly now?: () => number
  /** Replaces the pool of request and response buffers in tests. */
  readonly pool?: BufferPool
}

/** How long a stopping broker waits for the requests in progress, in milliseconds. */
const GRACE_MS = 5000
const TICK_MS = 1000
/** Listener hosts that stand for all interfaces. Clients cannot connect to them. */
const EVERY_INTERFACE = new Set(['', '0.0.0.0', '::'])

/**
 * Starts a broker with the keys of `server.properties`. Resolves when the broker serves requests.
 * If the broker cannot start, closes everything and throws an MR_BROKER_* error.
 */
export async function startBroker(config: BrokerConfig | RawConfig, options: BrokerOptions = {}): Promise<Broker> {
  const parsed = isParsed(config) ? config : parseBrokerConfig(config)
  const broker = new RunningBroker(parsed, options)
  try {
    await broker.start()
  } catch (error) {
    await broker.close()
    throw error
  }
  return broker
}

function isParsed(config: BrokerConfig | RawConfig): config is BrokerConfig {
  return typeof config['values'] === 'object'
}

class RunningBroker implements Broker {
  readonly config: BrokerConfig
  readonly nodeId: number
  clusterId = ''
  port = 0
  readonly #logger: Logger
  readonly #now: () => number
  readonly #pool: BufferPool
  readonly #stopping = new AbortController()
  readonly #network: NetworkServer
  readonly #endpoints = new Map<string, EndpointImage>()
  #dispatcher: Dispatcher | null = null
  #unlock: (() => void) | null = null
  readonly #logs: LogManager[] = []
  readonly #stats = new BrokerStats()
  readonly #idle = new EventLoopIdle()
  #metricsServer: MetricsServer | null = null
  metricsUrls: readonly string[] = []
  #controller: QuorumController | null = null
  #snapshotter: Snapshotter | null = null
  #coordinators: Coordinators | null = null
  #ticker: NodeJS.Timeout | null = null
  #ticking: Promise<void> = Promise.resolve()
  #closed: Promise<void> | null = null
  #abandoned = false

  constructor(config: BrokerConfig, options: BrokerOptions) {
    this.config = config
    this.nodeId = config.values['node.id']
    this.#logger = options.logger ?? createLogger('millrace.broker')
    this.#now = options.now ?? Date.now
    this.#pool = options.pool ?? new BufferPool()
    this.#network = new NetworkServer({
      config,
      dispatcher: () => this.#dispatcher!,
      logger: this.#logger,
      pool: this.#pool,
      stats: this.#stats,
      now: this.#now,
      setting: name => currentSetting(config, this.#controller?.image ?? EMPTY_IMAGE, name),
    })
  }

  get address(): string {
    const first = this.#endpoints.get(this.config.listeners[0]!.name)!
    return `${first.host.includes(':') ? `[${first.host}]` : first.host}:${first.port}`
  }

  get connections(): number {
    return this.#network.connectionCount
  }

  async start(): Promise<void> {
    const { config } = this
    if (config.unknown.length > 0) this.#logger.warn(`Unknown configuration keys: ${config.unknown.join(', ')}`)
    const dirs = [...new Set([...config.logDirs, config.metadataDir])]
    this.#unlock = await lockDirs(dirs, {
      warn: message => this.#logger.warn(message),
      onLost: dir => this.#abandon(dir),
    })
    const meta = loadMetaProperties(dirs, this.nodeId)
    this.clusterId = [...meta.values()][0]!.clusterId
    // Bind the ports first. This step fails most often, and there is nothing to undo yet.
    this.#publish(await this.#network.bind())
    const { logs, metadata } = await this.#openLogs()
    const partitions = new Partitions({ logs, config, nodeId: this.nodeId, logger: this.#logger })
    const metadataLog = await MetadataLog.open(metadata, this.nodeId, {
      segmentBytes: config.values['metadata.log.segment.bytes'],
      segmentMs: config.values['metadata.log.segment.ms'],
      logger: this.#logger,
    })
    const controller = new QuorumController({
      log: metadataLog,
      config,
      nodeId: this.nodeId,
      partitions,
      logger: this.#logger,
      now: this.#now,
    })
    this.#controller = controller
    const removedTopics = await controller.start(this.#registration(meta), image => partitions.toElect(image))
    await partitions.reconcile(controller.image, removedTopics)
    this.#snapshotter = this.#createSnapshotter(metadataLog)
    const services = this.#services(controller, partitions, logs)
    this.#coordinators = createCoordinators(services)
    await this.#coordinators.start()
    this.#dispatcher = new Dispatcher(createHandlers(), services)
    this.#countMetadataChanges(controller)
    await this.#serveMetrics(services, { partitions, metadataLog, controller })
    this.#network.serve()
    this.#startTicking(partitions, controller)
    this.#logger.info(`Broker ${this.nodeId} of cluster ${this.clusterId} listens on ${this.address}`)
  }

  #createSnapshotter(log: MetadataLog): Snapshotter {
    const { values } = this.config
    return new Snapshotter(
      {
        log,
        limits: {
          maxBytesBetween: values['metadata.log.max.record.bytes.between.snapshots'],
          maxIntervalMs: values['metadata.log.max.snapshot.interval.ms'],
        },
        retention: { bytes: values['metadata.max.retention.bytes'], ms: values['metadata.max.retention.ms'] },
        logger: this.#logger,
      },
      this.#now(),
    )
  }

  #publish(ports: ReadonlyMap<string, number>): void {
    for (const listener of this.config.listeners) {
      const advertised = this.config.advertised.get(listener.name) ?? listener
      const port = advertised.port || ports.get(listener.name)!
      // A listener for all interfaces is advertised with the name of this machine, as in Kafka.
      const host = EVERY_INTERFACE.has(advertised.host) ? hostname() : advertised.host
      const securityProtocol = this.config.protocols.get(listener.name) ?? 0
      this.#endpoints.set(listener.name, { name: listener.name, host, port, securityProtocol })
    }
    this.port = ports.get(this.config.listeners[0]!.name)!
  }

  async #openLogs(): Promise<{ logs: LogManager; metadata: LogManager }> {
    const { config } = this
    const defaults = toLogConfig(topicValues(config, NO_DYNAMIC, new Map()), config)
    const open = async (dirs: readonly string[]) => {
      try {
        const manager = await LogManager.open({
          dirs,
          defaults,
          logger: this.#logger,
          pool: this.#pool,
          tailCacheBytes: config.values['millrace.log.tail.cache.bytes'],
          retentionCheckIntervalMs: config.values['log.retention.check.interval.ms'],
          cleanerBackoffMs: config.values['log.cleaner.backoff.ms'],
          cleanerMapBytes: config.values['log.cleaner.dedupe.buffer.size'],
          producerIdExpirationMs: config.values['producer.id.expiration.ms'],
          now: this.#now,
        })
        this.#logs.push(manager)
        return manager
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && cause.code === 'MR_LOG_DIR_UNUSABLE')
          throw brokerErrors.create(
            'MR_BROKER_DIR_UNWRITABLE',
            { dir: dirs.join(', '), cause: messageOf(cause.cause ?? cause) },
            { cause },
          )
        throw cause
      }
    }
    const logs = await open(config.logDirs)
    const metadata = config.logDirs.includes(config.metadataDir) ? logs : await open([config.metadataDir])
    return { logs, metadata }
  }

  #registration(meta: ReadonlyMap<string, MetaProperties>) {
    return {
      brokerId: this.nodeId,
      incarnationId: randomUuid(),
      endpoints: [...this.#endpoints.values()],
      rack: this.config.values['broker.rack'],
      logDirs: this.config.logDirs.map(dir => meta.get(dir)!.directoryId),
    }
  }

  #services(controller: QuorumController, partitions: Partitions, logs: LogManager): BrokerServices {
    const coordinators = () => this.#coordinators!
    return {
      config: this.config,
      nodeId: this.nodeId,
      clusterId: this.clusterId,
      logger: this.#logger,
      now: this.#now,
      image: () => controller.image,
      onImage: listener => controller.onImage(listener),
      logs,
      log: (topic, partition) => partitions.log(topic, partition, controller.image),
      controller,
      get coordinators() {
        return coordinators()
      },
      fetchSessions: new FetchSessions(this.config.values['max.incremental.fetch.session.cache.slots'], this.#now),
      fetchBudget: new FetchBudget(() => this.#network.unsentBytes()),
      advertised: name => this.#endpoints.get(name) ?? [...this.#endpoints.values()][0]!,
      stats: this.#stats,
      signal: this.#stopping.signal,
    }
  }

  #countMetadataChanges(controller: QuorumController): void {
    controller.onImage((image, previous, { topicIds }) => {
      if (topicIds.size === 0) return
      this.#stats.retainTopics(name => image.topicsByName.has(name))
      for (const id of topicIds) countIsrChanges(this.#stats, previous.topicsById.get(id), image.topicsById.get(id))
    })
  }

  async #serveMetrics(
    services: BrokerServices,
    o: { partitions: Partitions; metadataLog: MetadataLog; controller: QuorumController },
  ): Promise<void> {
    const addresses = this.config.metricsAddresses
    if (addresses.length === 0) return
    const own = () =>
      brokerFamilies({
        stats: this.#stats,
        idle: this.#idle,
        config: this.config,
        nodeId: this.nodeId,
        image: services.image,
        logs: () => services.logs,
        groups: () => services.coordinators.groups,
        offlineLogs: () => o.partitions.offline,
        memory: () => ({ used: this.#network.requestBytes, limit: this.#network.requestBytesLimit }),
        fetchSessions: () => services.fetchSessions,
        quorum: () => ({
          epoch: o.controller.epoch,
          endOffset: o.metadataLog.endOffset,
          committedOffset: o.controller.committedOffset,
        }),
        stopping: () => this.#stopping.signal.aborted,
      })
    const collect = async () => concat(own(), await processFamilies())
    this.#metricsServer = new MetricsServer({ addresses, collect, logger: this.#logger })
    try {
      this.metricsUrls = await this.#metricsServer.start()
    } catch (cause) {
      const address = this.config.values['metrics.listeners'].join(', ')
      throw brokerErrors.create('MR_BROKER_METRICS_LISTEN', { address, cause: messageOf(cause) }, { cause })
    }
    this.#logger.info(`Metrics are served at ${this.metricsUrls.join(', ')}`)
  }

  #startTicking(partitions: Partitions, controller: QuorumController): void {
    let running = false
    this.#ticker = setInterval(() => {
      if (running) return
      running = true
      this.#ticking = this.#tick(partitions, controller).finally(() => {
        running = false
      })
    }, TICK_MS)
    this.#ticker.unref()
  }

  async #tick(partitions: Partitions, controller: QuorumController): Promise<void> {
    try {
      for (const logs of this.#logs) await logs.tick(this.#now())
      await partitions.retryFailed(controller.image)
      if (partitions.isSettled) this.#snapshotter?.tick(controller.image, this.#now())
    } catch (error) {
      this.#logger.error('The periodic maintenance of the logs failed. The next attempt is in one second', error)
    }
  }

  /** Stops without writing anything, because another broker now uses the directories. */
  #abandon(dir: string): void {
    this.#logger.error(
      `Another broker took over the log directory ${dir} while this one did not respond. This broker stops at once. ` +
        'Make sure that only one broker uses the directory',
    )
    this.#abandoned = true
    void this.close()
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /**
   * Closes the parts of the broker in the order of their dependencies. Reports each failed step,
   * and continues.
   */
  async #close(): Promise<void> {
    const serving = this.#dispatcher !== null
    if (serving) this.#logger.info(`Broker ${this.nodeId} is stopping`)
    this.#stopping.abort()
    if (this.#ticker) clearInterval(this.#ticker)
    await this.#step('metrics', () => this.#metricsServer?.close())
    if (this.#abandoned) {
      await this.#step('network', () => this.#network.close(0))
      await this.#step('lock', () => this.#unlock?.())
      return
    }
    await this.#step('coordinators', () => this.#coordinators?.close())
    await this.#step('network', () => this.#network.close(GRACE_MS))
    await this.#step('upkeep', () => this.#ticking)
    await this.#step('controller', () => this.#controller?.close())
    await this.#step('snapshots', () => this.#snapshotter?.close())
    for (const logs of this.#logs.reverse()) await this.#step('logs', () => logs.close())
    await this.#step('lock', () => this.#unlock?.())
    if (serving) this.#logger.info(`Broker ${this.nodeId} stopped`)
  }

  async #step(what: string, run: () => unknown): Promise<void> {
    try {
      await run()
    } catch (error) {
      this.#logger.error(`Closing the ${what} failed`, error)
    }
  }
}
