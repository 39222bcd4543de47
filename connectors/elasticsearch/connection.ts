/**
 * This module is loaded with the first request, because the client takes time and memory to load.
 */
import { promisify } from 'node:util'
import { unzip } from 'node:zlib'
import {
  Client,
  type ClientOptions,
  errors as clientErrors,
  Serializer,
  SniffingTransport,
  UndiciConnection,
} from '@elastic/elasticsearch'
import { messageOf } from 'millrace/connect'

type ConnectionOptions = ConstructorParameters<typeof UndiciConnection>[0]
type RequestParams = Parameters<UndiciConnection['request']>[0]
type RequestOptions = Parameters<UndiciConnection['request']>[1]
type TransportOptions = ConstructorParameters<typeof SniffingTransport>[0]
type SniffOptions = Parameters<SniffingTransport['sniff']>[0]
type Sent = Parameters<UndiciConnection['pool']['request']>[0]
type Received = Awaited<ReturnType<UndiciConnection['pool']['request']>>

/** Sends the requests of one node. */
export interface Dispatcher {
  request(sent: Sent & { readonly origin: string }): Promise<Received>
  close(): Promise<void>
  destroy(): Promise<void>
}

export interface ConnectionSettings {
  readonly readTimeoutMs: number
  readonly mostAnswerBytes: number
  /** The dispatcher for a proxy; null for a direct connection. */
  readonly through: ((origin: string) => Dispatcher) | null
}

const unzipped = promisify(unzip)

/**
 * Returns the client's connection class, extended with proxy support, error messages, and a size
 * limit on decompressed responses.
 */
export function connectionClass(settings: ConnectionSettings): typeof UndiciConnection {
  class Connection extends UndiciConnection {
    readonly #dispatcher: Pick<Dispatcher, 'close' | 'destroy'>

    constructor(options: ConnectionOptions) {
      // Sets the timeout also for nodes found by sniffing, for which the client would use its
      // default.
      super({ ...options, timeout: settings.readTimeoutMs })
      const { origin } = this.url
      const dispatcher = settings.through?.(origin) ?? (this.pool as unknown as Dispatcher)
      this.#dispatcher = dispatcher
      const request = async (sent: Sent) => {
        try {
          return await dispatcher.request({ ...sent, origin })
        } catch (error) {
          // If a host has several addresses, the message of this error is empty.
          if (error instanceof AggregateError && error.message === '') error.message = messageOf(error)
          throw error
        }
      }
      this.pool = { request } as unknown as typeof this.pool
    }

    override async request(params: RequestParams, options: RequestOptions): Promise<never> {
      const answer = await super.request(params, options)
      const encoding = String(answer.headers['content-encoding'] ?? '').toLowerCase()
      if (!/gzip|deflate/.test(encoding) || !Buffer.isBuffer(answer.body)) return answer as never
      const body = await unzipped(answer.body, { maxOutputLength: settings.mostAnswerBytes }).catch(cause => {
        throw new clientErrors.RequestAbortedError(`the response cannot be decompressed: ${messageOf(cause)}`)
      })
      const { 'content-encoding': _, ...headers } = answer.headers
      return { ...answer, headers, body: body.toString() } as never
    }

    /** Called after sniffing removed this node. Requests in flight still get their responses. */
    override async close(): Promise<void> {
      await this.#dispatcher.close()
    }

    async destroy(): Promise<void> {
      await this.#dispatcher.destroy()
    }
  }
  return Connection
}

/** Whether a node is a dedicated master, which accepts no documents. */
const isMasterOnly = (node: { readonly roles?: readonly string[] }) =>
  node.roles?.includes('master') === true &&
  node.roles.every(role => role === 'master' || role === 'voting_only' || role === 'remote_cluster_client')

/**
 * The client's transport without its product check, which Elasticsearch before 7.14, OpenSearch and
 * gateways fail. Sniffing never causes an unhandled rejection, and never leaves the list of nodes
 * empty.
 */
export class SinkTransport extends SniffingTransport {
  constructor(options: TransportOptions) {
    super({ ...options, productCheck: undefined })
  }

  override sniff(options: SniffOptions): void {
    if (this.isSniffing) return
    this.isSniffing = true
    const finish = (error: Error | null) => {
      this.isSniffing = false
      this.diagnostic.emit('sniff', error, null)
    }
    this.request({ method: 'GET', path: '/_nodes/_all/http' }, { id: options.requestId, meta: true, maxRetries: 0 })
      .then(({ body, meta }) => {
        const { nodes = {} } = body as { nodes?: Record<string, { roles?: string[] }> }
        const taking = Object.fromEntries(Object.entries(nodes).filter(([, node]) => !isMasterOnly(node)))
        const protocol = meta.connection?.url.protocol ?? 'http:'
        const hosts = this.connectionPool.nodesToHost(taking, protocol)
        if (hosts.length === 0) throw new Error('the response lists no node that accepts documents')
        this.connectionPool.update(hosts)
        return null
      })
      .then(finish, finish)
  }
}

/** Returns a response that is not JSON as text, regardless of its content type. */
export class LenientSerializer extends Serializer {
  override deserialize<T = unknown>(json: string): T {
    try {
      return JSON.parse(json) as T
    } catch {
      return json as T
    }
  }
}

/** Ends all connections at once. */
export async function destroyAll(client: Client): Promise<void> {
  const connections = client.connectionPool.connections as unknown as readonly { destroy(): Promise<void> }[]
  await Promise.all(connections.map(c => c.destroy()))
}

export const newClient = (options: ClientOptions): Client => new Client(options)

export { clientErrors }
