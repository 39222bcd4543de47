import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { BufferPool } from '../../common/buffer-pool.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import type { BrokerConfig, BrokerConfigValues } from '../config/broker-config.ts'
import type { Listener } from '../config/listeners.ts'
import { brokerErrors } from '../errors.ts'
import type { BrokerStats } from '../metrics/broker-stats.ts'
import { Connection } from './connection.ts'
import type { Dispatcher } from './dispatcher.ts'
import { RequestBudget } from './request-budget.ts'

interface ServerOptions {
  readonly config: BrokerConfig
  readonly dispatcher: () => Dispatcher
  readonly logger: Logger
  readonly stats: BrokerStats
  readonly pool: BufferPool
  readonly now: () => number
  /** The current value of a setting, which may change while the broker is running. */
  readonly setting: <N extends keyof BrokerConfigValues>(name: N) => BrokerConfigValues[N]
}

const DEFAULT_REQUEST_BUDGET = 256 << 20
const SWEEP_MS = 1000
/**
 * The time without traffic after which TCP keep-alive starts, in milliseconds. If the client does
 * not respond for ten more seconds, the connection is closed. The operating system's default is two
 * hours.
 */
const KEEP_ALIVE_MS = 60_000
/**
 * The minimum size of the queue of new connections. Kafka's default of 50 is enough for Kafka,
 * which has a separate thread that accepts connections. Here, new connections wait until the event
 * loop has handled its current requests.
 */
const MIN_BACKLOG = 1024

/** All listeners and their connections. */
export class NetworkServer {
  readonly #o: ServerOptions
  readonly #servers: { readonly listener: Listener; readonly server: Server }[] = []
  readonly #connections = new Set<Connection>()
  /** The connections whose unsent bytes exceed the limit, because their clients read slowly. */
  readonly #draining = new Set<Connection>()
  readonly #perHost = new Map<string, number>()
  readonly #budget: RequestBudget
  /** Called when the last connection has closed. */
  #onEmpty: (() => void) | null = null
  #sweep: NodeJS.Timeout | null = null
  #nextId = 1
  #refused = 0

  constructor(o: ServerOptions) {
    this.#o = o
    const { values } = o.config
    const configured = values['queued.max.request.bytes']
    this.#budget = new RequestBudget(
      configured >= 0 ? configured : Math.max(DEFAULT_REQUEST_BUDGET, values['socket.request.max.bytes']),
      o.now,
    )
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** The limit for the bytes of unanswered requests. */
  get requestBytesLimit(): number {
    return this.#budget.limit
  }

  /** The current number of bytes of unanswered requests. */
  get requestBytes(): number {
    return this.#budget.held
  }

  /** Returns the number of response bytes that wait for slow clients. */
  unsentBytes(): number {
    let sum = 0
    for (const c of this.#draining) sum += c.unsentBytes
    return sum
  }

  /**
   * Opens all listeners, and returns the port of each listener by its name. Throws
   * MR_BROKER_PORT_TAKEN or MR_BROKER_LISTEN.
   */
  async bind(): Promise<Map<string, number>> {
    const ports = new Map<string, number>()
    for (const listener of this.#o.config.listeners) {
      const server = createServer({
        noDelay: true,
        pauseOnConnect: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_MS,
      })
      const { host, port } = listener
      try {
        server.listen({
          ...(host !== '' && { host }),
          port,
          backlog: Math.max(MIN_BACKLOG, this.#o.config.values['socket.listen.backlog.size']),
        })
        await once(server, 'listening')
      } catch (cause) {
        const where = { host: host || '*', port }
        if (cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')
          throw brokerErrors.create('MR_BROKER_PORT_TAKEN', where, { cause })
        throw brokerErrors.create('MR_BROKER_LISTEN', { ...where, cause: messageOf(cause) }, { cause })
      }
      const address = server.address()
      ports.set(listener.name, typeof address === 'object' && address ? address.port : port)
      this.#servers.push({ listener, server })
      server.on('error', error => this.#o.logger.error(`Listener ${listener.name} failed`, error))
      // Until `serve` is called, connections wait in the order of their arrival, and nothing is
      // read.
      server.on('connection', socket => this.#waiting.push({ socket, listener }))
    }
    return ports
  }

  readonly #waiting: { socket: Socket; listener: Listener }[] = []

  /** Starts to serve the waiting connections and new ones. */
  serve(): void {
    for (const { listener, server } of this.#servers) {
      server.removeAllListeners('connection')
      server.on('connection', socket => this.#accept(socket, listener))
    }
    for (const { socket, listener } of this.#waiting.splice(0)) this.#accept(socket, listener)
    this.#sweep = setInterval(() => this.#tick(), SWEEP_MS)
    this.#sweep.unref()
  }

  #limitOf(host: string): number {
    for (const pair of this.#o.setting('max.connections.per.ip.overrides').split(',')) {
      const at = pair.lastIndexOf(':')
      if (at > 0 && pair.slice(0, at).trim() === host) return Number(pair.slice(at + 1))
    }
    return this.#o.setting('max.connections.per.ip')
  }

  #accept(socket: Socket, listener: Listener): void {
    // The client may have disconnected while the connection waited for `serve`.
    if (socket.destroyed) return
    const host = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    const ofHost = this.#perHost.get(host) ?? 0
    if (this.#connections.size >= this.#o.setting('max.connections') || ofHost >= this.#limitOf(host)) {
      if (this.#refused++ === 0)
        this.#o.logger.warn(
          `Rejecting connections (the first is from ${host}): max.connections or max.connections.per.ip is reached`,
        )
      socket.on('error', error => this.#o.logger.debug(error.message))
      socket.destroy()
      return
    }
    this.#perHost.set(host, ofHost + 1)
    const stats = this.#o.stats.listener(listener.name)
    stats.connections++
    stats.connectionsCreated++
    const connection = new Connection({
      stats,
      socket,
      info: { id: this.#nextId++, host, listener: listener.name },
      dispatcher: this.#o.dispatcher(),
      budget: this.#budget,
      maxRequestBytes: this.#o.config.values['socket.request.max.bytes'],
      logger: this.#o.logger,
      pool: this.#o.pool,
      now: this.#o.now,
      onClose: c => this.#removed(c),
      onDraining: (c, draining) => (draining ? this.#draining.add(c) : this.#draining.delete(c)),
    })
    this.#connections.add(connection)
    connection.resume()
  }

  #removed(c: Connection): void {
    if (!this.#connections.delete(c)) return
    const stats = this.#o.stats.listener(c.info.listener)
    stats.connections--
    stats.connectionsClosed++
    const left = (this.#perHost.get(c.info.host) ?? 1) - 1
    if (left > 0) this.#perHost.set(c.info.host, left)
    else this.#perHost.delete(c.info.host)
    if (this.#connections.size === 0) this.#onEmpty?.()
  }

  /**
   * Closes idle connections, and a connection that is too slow while it blocks others. As in Kafka,
   * a connection is idle if nothing is read or written, even during a long poll. Otherwise the
   * connections of dead clients would remain open.
   */
  #tick(): void {
    const now = this.#o.now()
    this.#budget.tick()
    if (this.#refused > 0) this.#o.logger.warn(`${this.#refused} connections were rejected in the last second`)
    this.#refused = 0
    const limit = this.#o.config.values['connections.max.idle.ms']
    if (limit < 0) return
    for (const c of this.#connections) {
      if (now - c.lastActivity <= limit) continue
      this.#o.logger.debug(`Closing the connection from ${c.info.host}: idle for ${limit} ms`)
      c.destroy()
    }
  }

  /**
   * Stops accepting connections, completes the requests in progress, and closes all connections.
   * After `graceMs` milliseconds, destroys the connections that are still open.
   */
  async close(graceMs: number): Promise<void> {
    if (this.#sweep) clearInterval(this.#sweep)
    for (const { socket } of this.#waiting.splice(0)) socket.destroy()
    const closed = this.#servers.filter(({ server }) => server.listening).map(({ server }) => once(server, 'close'))
    for (const { server } of this.#servers) server.close()
    if (this.#connections.size > 0) closed.push(new Promise(done => (this.#onEmpty = () => done([]))))
    for (const c of [...this.#connections]) c.end()
    const late = setTimeout(() => {
      for (const c of [...this.#connections]) c.destroy()
    }, graceMs)
    await Promise.all(closed)
    clearTimeout(late)
  }
}
