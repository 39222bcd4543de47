import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { ConfigError } from '../../common/config/parse.ts'
import { isRetriable, messageOf } from '../../common/errors/error-table.ts'
import { createLogger } from '../../common/log.ts'
import { type Listener, parseListener } from '../config/rest-listener.ts'
import { ownAddress, type WorkerConfig } from '../config/worker-config.ts'
import { errors } from '../errors.ts'
import type { Herder } from '../herder/herder.ts'
import { RestError } from '../herder/rest-error.ts'
import { connectorRoutes } from './connectors.ts'
import { crossOrigin, headerRules, parseHeaderRules } from './headers.ts'
import { sendError, sendJson } from './json.ts'
import { loggerRoutes } from './loggers.ts'
import { metricsRoute } from './metrics.ts'
import { pluginRoutes } from './plugins.ts'
import { route } from './routes.ts'
import { tlsOptions } from './tls.ts'

/**
 * The state of the worker. `/health` shows it. Until the worker is ready, requests that need the
 * herder are answered with a 503.
 */
export type WorkerHealth =
  | { readonly phase: 'starting'; readonly reason: string }
  | { readonly phase: 'ready'; readonly herder: Herder; readonly clusterId: string }
  | { readonly phase: 'failed'; readonly reason: string }

export interface RestOptions {
  readonly config: WorkerConfig
  readonly health: () => WorkerHealth
  readonly version: string
  readonly commit: string
}

const logger = createLogger('millrace.rest')

/** The REST API with all its listeners. */
export class RestServer {
  readonly #o: RestOptions
  readonly #servers: Server[] = []
  #first: { listener: Listener; port: number } | null = null

  constructor(options: RestOptions) {
    this.#o = options
  }

  /**
   * Opens the listeners. Throws MR_WORKER_LISTEN if an address cannot be bound, and a ConfigError
   * if a setting is invalid.
   */
  async start(): Promise<void> {
    const { values } = this.#o.config
    const rules = headerConfig(values['response.http.headers.config'])
    const admin = values['admin.listeners']
    const main = this.#app(rules, app => this.#mainRoutes(app, admin === null))
    try {
      for (const text of values.listeners) await this.#listen(main, text, 'listeners.https.')
      if (admin === null) return
      const other = this.#app(rules, app => {
        metricsRoute(app, this.#o.health)
        loggerRoutes(app, () => this.#herder(), values['rest.request.max.bytes'])
      })
      for (const text of admin) await this.#listen(other, text, 'admin.listeners.https.')
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** The port of the first listener. */
  get port(): number {
    return this.#first?.port ?? 0
  }

  /** The URL of the first listener as seen from this machine. */
  get url(): string {
    const { scheme, host } = this.#first!.listener
    return `${scheme}://${inUrl(host === '' || host === '0.0.0.0' ? '127.0.0.1' : host)}:${this.port}`
  }

  /** The advertised `host:port`. It is the `worker_id` in statuses. */
  get workerId(): string {
    const { values } = this.#o.config
    const host = this.#first?.listener.host ?? ''
    const own = host === '' || host === '0.0.0.0' || host === '::' ? ownAddress() : host
    return `${values['rest.advertised.host.name'] || own}:${values['rest.advertised.port'] ?? this.port}`
  }

  /** Stops accepting requests. After one second, closes the connections that are still open. */
  async close(): Promise<void> {
    await Promise.all(
      this.#servers.splice(0).map(server => {
        const timer = setTimeout(() => server.closeAllConnections(), 1000)
        return new Promise<void>(resolve => {
          server.close(() => {
            clearTimeout(timer)
            resolve()
          })
          server.closeIdleConnections()
        })
      }),
    )
  }

  #app(rules: ReturnType<typeof parseHeaderRules>, routes: (app: Express) => void): Express {
    const { values } = this.#o.config
    const app = express()
    app.disable('x-powered-by')
    app.disable('etag')
    app.enable('case sensitive routing')
    headerRules(app, rules)
    crossOrigin(app, values['access.control.allow.origin'], values['access.control.allow.methods'])
    routes(app)
    app.use(() => {
      throw new RestError(404, 'HTTP 404 Not Found')
    })
    app.use(answerError)
    return app
  }

  #mainRoutes(app: Express, withAdmin: boolean): void {
    const { version, commit, health, config } = this.#o
    const max = config.values['rest.request.max.bytes']
    const herder = () => this.#herder()
    route(app, '/', {
      get: (_req, res) => {
        const now = health()
        sendJson(res, 200, { version, commit, kafka_cluster_id: now.phase === 'ready' ? now.clusterId : null })
      },
    })
    metricsRoute(app, health)
    route(app, '/health', { get: (_req, res) => answerHealth(res, health()) })
    connectorRoutes(app, herder, max)
    pluginRoutes(app, herder, max)
    if (withAdmin) loggerRoutes(app, herder, max)
  }

  #herder(): Herder {
    const now = this.#o.health()
    if (now.phase === 'ready') return now.herder
    throw new RestError(503, errors.create('MR_WORKER_STARTING', { reason: now.reason }).message)
  }

  async #listen(app: Express, text: string, prefix: string): Promise<void> {
    const listener = parseListener(text)
    if (!listener) throw errors.create('MR_WORKER_LISTEN', { address: text, cause: 'it is not scheme://host:port' })
    const server =
      listener.scheme === 'https' ? createTlsServer(tlsOptions(this.#o.config.props, prefix), app) : createServer(app)
    await new Promise<void>((resolve, reject) => {
      server.once('error', cause => {
        reject(errors.create('MR_WORKER_LISTEN', { address: text, cause: messageOf(cause) }, { cause }))
      })
      server.listen(listener.port, listener.host === '' ? undefined : listener.host, resolve)
    })
    this.#servers.push(server)
    const { port } = server.address() as AddressInfo
    this.#first ??= { listener, port }
    logger.info(`REST listens on ${listener.scheme}://${inUrl(listener.host)}:${port}`)
  }
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)

function headerConfig(text: string): ReturnType<typeof parseHeaderRules> {
  const key = 'response.http.headers.config'
  try {
    return parseHeaderRules(text)
  } catch (error) {
    throw new ConfigError([{ key, message: `Invalid value ${text} for configuration ${key}: ${messageOf(error)}` }])
  }
}

/**
 * Answers as KIP-1017 specifies: 200 if the worker is healthy, 503 while it is starting, 500 after
 * it has failed.
 */
function answerHealth(res: Response, health: WorkerHealth): void {
  if (health.phase === 'ready') {
    const message = 'Worker has completed startup and is ready to handle requests.'
    sendJson(res, 200, { status: 'healthy', message })
  } else if (health.phase === 'starting') {
    sendJson(res, 503, { status: 'starting', message: `Worker is still starting up: ${health.reason}` })
  } else {
    sendJson(res, 500, { status: 'unhealthy', message: `Worker has failed: ${health.reason}` })
  }
}

function answerError(error: unknown, req: Request, res: Response, next: NextFunction): void {
  // The client has disconnected and cannot receive an answer.
  if (req.socket.destroyed) return
  if (res.headersSent) {
    next(error)
    return
  }
  // The rest of a rejected request body is not read, so the connection cannot be reused.
  if (!req.complete) res.setHeader('Connection', 'close')
  if (error instanceof RestError) {
    if (error.status === 500) logger.warn(error.message, error.cause)
    sendError(res, error.status, error.message)
    return
  }
  if (error instanceof ConfigError) {
    sendError(res, 400, error.message)
    return
  }
  if (error instanceof URIError) {
    sendError(res, 400, 'The path contains an invalid percent-encoding; write a literal % as %25')
    return
  }
  const status = isRetriable(error) ? 503 : 500
  logger.error('A request failed', error)
  sendError(res, status, messageOf(error))
}
