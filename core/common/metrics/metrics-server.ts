import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '../log.ts'
import type { MetricsAddress } from './address.ts'
import type { Family } from './metric.ts'
import { answerMetrics, MAX_SCRAPES, TOO_MANY_SCRAPES } from './serve.ts'

/**
 * The time in which a client must send a complete request before it is disconnected, in
 * milliseconds.
 */
const REQUEST_TIMEOUT_MS = 10_000

export interface MetricsServerOptions {
  readonly addresses: readonly MetricsAddress[]
  readonly collect: () => Promise<Iterable<Family>>
  readonly logger: Logger
  /** The maximum duration of a scrape, in milliseconds. Default: 30 s. */
  readonly limitMs?: number
}

/** Serves `GET /metrics` over HTTP, and nothing else. */
export class MetricsServer {
  readonly #o: MetricsServerOptions
  readonly #servers: Server[] = []
  #scrapes = 0

  constructor(options: MetricsServerOptions) {
    this.#o = options
  }

  /** Listens on all addresses and returns their URLs. Rejects with the system's error. */
  async start(): Promise<string[]> {
    const urls: string[] = []
    for (const { host, port } of this.#o.addresses) {
      const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (req, res) => void this.#answer(req, res))
      this.#servers.push(server)
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ port, ...(host !== '' && { host }) }, resolve)
      })
      server.on('error', error => this.#o.logger.error('The metrics listener failed', error))
      const at = server.address() as AddressInfo
      urls.push(`http://${at.address.includes(':') ? `[${at.address}]` : at.address}:${at.port}/metrics`)
    }
    return urls
  }

  /** Stops listening and closes all connections. */
  async close(): Promise<void> {
    const closing = this.#servers.splice(0).map(server => {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    })
    await Promise.all(closing)
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = (req.url ?? '').split('?', 1)[0]
    if (path !== '/metrics') return refuse(res, 404, 'Metrics are served at /metrics.')
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD')
      return refuse(res, 405, 'Use GET.')
    }
    if (this.#scrapes >= MAX_SCRAPES) return refuse(res, 503, TOO_MANY_SCRAPES)
    this.#scrapes++
    try {
      await answerMetrics(req, res, this.#o.collect, this.#o.limitMs)
    } catch (error) {
      this.#o.logger.error('A metrics scrape failed', error)
      if (res.headersSent) res.destroy()
      else refuse(res, 500, 'The metrics could not be collected. The log says why.')
    } finally {
      this.#scrapes--
    }
  }
}

function refuse(res: ServerResponse, status: number, message: string): void {
  res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${message}\n`)
}
