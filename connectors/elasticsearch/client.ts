import { setMaxListeners } from 'node:events'
import type { Client } from '@elastic/elasticsearch'
import { type Logger, messageOf } from 'millrace/connect'
import { type Answer, causeOf } from './answer.ts'
import type { ElasticsearchConfig } from './config.ts'
import type { Dispatcher } from './connection.ts'
import { errors } from './errors.ts'
import { certificateByFingerprint, tlsOf } from './tls.ts'

export interface Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly path: string
  /** JSON, or the lines of a bulk request. */
  readonly body?: string | Buffer
  readonly isBulk?: boolean
}

/**
 * The maximum size of a response. No useful bulk response is larger. A request whose response is
 * larger is split.
 */
const MOST_ANSWER_BYTES = 64 * 2 ** 20

/** Matches errors that occur while connecting, before the request is sent. */
const NOT_CONNECTED =
  /^connect |getaddrinfo|Connect Timeout|certificate|Hostname\/IP|secure TLS connection|Proxy response|tls_|ssl3?_|EHOSTUNREACH|ENETUNREACH/i

/**
 * The errors of requests that were sent but got no response. Such a request may have been too large
 * for the server or a proxy.
 */
const cutShort = new WeakSet<Error>()

export function wasCutShort(error: unknown): boolean {
  return cutShort.has(error as Error)
}

const VERSIONED = 'application/vnd.elasticsearch+'
const COMPATIBLE = '; compatible-with=8'

/**
 * Returns the headers of a request. They name version 8 of the API, which Elasticsearch 9 also
 * accepts. With `isPlain`, they name no version.
 */
function headersOf(request: Request, isPlain: boolean): Record<string, string> {
  const [prefix, suffix] = isPlain ? ['application/', ''] : [VERSIONED, COMPATIBLE]
  return {
    accept: `${prefix}json${suffix}`,
    ...(request.body !== undefined && { 'content-type': `${prefix}${request.isBulk ? 'x-ndjson' : 'json'}${suffix}` }),
  }
}

/** Whether a server rejects versioned media types, as Elasticsearch before 8 and OpenSearch do. */
function refusesHeaders({ status, body }: Answer): boolean {
  if (status === 406 || status === 415) return true
  return status === 400 && causeOf(body)?.type === 'media_type_header_exception'
}

interface Access {
  readonly auth: { apiKey: string } | { bearer: string } | { username: string; password: string } | undefined
  readonly urls: readonly URL[]
}

/** Returns the URLs without credentials, and the credentials, which may come from a URL. */
function accessOf(config: ElasticsearchConfig): Access {
  let auth: Access['auth']
  const urls = config['connection.url'].map(text => {
    const url = new URL(text)
    if (url.username) auth = { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
    url.username = url.password = url.search = url.hash = ''
    return url
  })
  const user = config['connection.username']
  const apiKey = config['connection.api.key']?.value
  const bearer = config['connection.bearer.token']?.value
  if (user) auth = { username: user, password: config['connection.password']?.value ?? '' }
  if (bearer) auth = { bearer }
  if (apiKey) auth = { apiKey }
  return { auth, urls: [...new Map(urls.map(url => [url.href, url])).values()] }
}

/**
 * Returns the dispatcher for the proxy; null without a proxy. The package undici is loaded only if
 * there is a proxy.
 */
async function proxyOf(config: ElasticsearchConfig, tls: object): Promise<((origin: string) => Dispatcher) | null> {
  const host = config['proxy.host']
  if (!host) return null
  const { ProxyAgent } = await import('undici')
  const login = `${config['proxy.username']}:${config['proxy.password']?.value ?? ''}`
  const agent = () =>
    new ProxyAgent({
      // Uses no tunnel for plain HTTP, because most proxies allow tunnels only for TLS.
      proxyTunnel: false,
      uri: `http://${host}:${config['proxy.port']}`,
      ...(config['proxy.username'] && { token: `Basic ${Buffer.from(login).toString('base64')}` }),
      requestTls: tls,
      connections: config['max.in.flight.requests'] + 1,
      keepAliveTimeout: Math.max(1, config['max.connection.idle.time.ms']),
      headersTimeout: config['read.timeout.ms'],
      bodyTimeout: config['read.timeout.ms'],
    })
  return () => agent() as unknown as Dispatcher
}

/**
 * Sends requests to Elasticsearch through the official client, which handles connections, nodes,
 * login, TLS and compression. If a node does not respond, the client tries the other nodes. The
 * caller interprets the responses.
 */
export class ElasticsearchClient {
  readonly #config: ElasticsearchConfig
  readonly #logger: Logger | null
  readonly #access: Access
  #loading: Promise<Client> | null = null
  /** The module with the official client, which is loaded with the first request. */
  #lib: typeof import('./connection.ts') | null = null
  #isPlain = false

  /** Throws MR_ES_KEYSTORE. */
  constructor(config: ElasticsearchConfig, logger: Logger | null = null) {
    this.#config = config
    this.#logger = logger
    this.#access = accessOf(config)
    // Fails at once if a file with a key or a certificate cannot be used.
    tlsOf(config)
  }

  /** The URLs of the cluster, without credentials. */
  get shown(): string {
    return this.#access.urls.map(url => url.origin).join(', ') || 'the address in connection.cloud.id'
  }

  /**
   * Returns the response, even if its status is an error. Throws MR_ES_UNREACHABLE, MR_ES_TIMEOUT
   * or MR_ES_ANSWER (all retriable) if no node returns a response that can be read.
   */
  async send(request: Request, signal: AbortSignal): Promise<Answer> {
    const answer = await this.#sendOnce(request, signal)
    if (this.#isPlain || !refusesHeaders(answer)) return answer
    const second = await this.#sendOnce(request, signal, true)
    if (refusesHeaders(second)) return answer
    this.#isPlain = true
    this.#logger?.info(`${this.shown} does not support versioned media types: sending plain JSON`)
    return second
  }

  async #sendOnce(request: Request, signal: AbortSignal, isPlain = this.#isPlain): Promise<Answer> {
    setMaxListeners(0, signal)
    const client = await this.#client(signal)
    const { method, path, body, isBulk } = request
    const params = { method, path, ...(body !== undefined && (isBulk ? { bulkBody: body } : { body })) }
    let failure: unknown
    for (let n = Math.max(1, client.connectionPool.size); n > 0; n--) {
      signal.throwIfAborted()
      try {
        const headers = headersOf(request, isPlain)
        const answer = await client.transport.request(params, { meta: true, maxRetries: 0, signal, headers })
        return answerOf(answer.statusCode ?? 0, answer.body)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof this.#lib!.clientErrors.ResponseError) {
          return answerOf(error.meta.statusCode ?? 0, error.meta.body)
        }
        failure = error
      }
    }
    throw this.#failure(failure, method, path)
  }

  #failure(failure: unknown, method: string, path: string): Error {
    const url = this.shown
    const cause = messageOf(failure)
    let error: Error
    const { TimeoutError, RequestAbortedError } = this.#lib!.clientErrors
    const isLate = failure instanceof TimeoutError || /Body Timeout/i.test(cause)
    if (isLate) error = errors.create('MR_ES_TIMEOUT', { url, timeout: this.#config['read.timeout.ms'] })
    else if (failure instanceof RequestAbortedError) error = errors.create('MR_ES_ANSWER', { url, method, path, cause })
    // Never pass the client's error on, because it contains the credentials.
    else error = errors.create('MR_ES_UNREACHABLE', { url, cause })
    if (!NOT_CONNECTED.test(cause)) cutShort.add(error)
    return error
  }

  #client(signal: AbortSignal): Promise<Client> {
    this.#loading ??= this.#load(signal).catch(error => {
      this.#loading = null
      throw error
    })
    return this.#loading
  }

  async #load(signal: AbortSignal): Promise<Client> {
    const config = this.#config
    this.#lib ??= await import('./connection.ts')
    const { connectionClass, LenientSerializer, newClient, SinkTransport } = this.#lib
    const { auth, urls } = this.#access
    const timeout = config['connection.timeout.ms']
    const fingerprint = config['elastic.https.ssl.ca.fingerprint']
    const secure = urls.find(url => url.protocol === 'https:')
    const ca = fingerprint && secure ? await certificateByFingerprint(secure, fingerprint, timeout, signal) : null
    const cloudId = config['connection.cloud.id']
    // Without secureProtocol, the client would allow only TLS 1.2 for cloud ids.
    const tls = { timeout, ...tlsOf(config), ...(ca && { ca }), ...(cloudId && { secureProtocol: 'TLS_method' }) }
    const readTimeoutMs = config['read.timeout.ms']
    const sniffIntervalMs = config['connection.sniff.interval.ms']
    const client = newClient({
      ...(cloudId ? { cloud: { id: cloudId } } : { nodes: urls.map(url => ({ url })) }),
      ...(auth && { auth }),
      tls,
      agent: {
        connections: config['max.in.flight.requests'] + 1,
        keepAliveTimeout: Math.max(1, config['max.connection.idle.time.ms']),
      },
      name: 'millrace',
      maxRetries: 0,
      requestTimeout: readTimeoutMs,
      compression: config['connection.compression'],
      maxResponseSize: MOST_ANSWER_BYTES,
      maxCompressedResponseSize: MOST_ANSWER_BYTES,
      // Redaction would copy each request body. It is not needed, because the client's errors are
      // never passed on.
      redaction: { type: 'off' },
      sniffOnStart: config['connection.sniff'],
      sniffOnConnectionFault: config['connection.sniff'],
      sniffInterval: config['connection.sniff'] && sniffIntervalMs > 0 ? sniffIntervalMs : false,
      Connection: connectionClass({
        readTimeoutMs,
        mostAnswerBytes: MOST_ANSWER_BYTES,
        through: await proxyOf(config, tls),
      }),
      Transport: SinkTransport,
      Serializer: LenientSerializer,
    })
    client.diagnostic.on('sniff', error => {
      if (error) this.#logger?.warn(`cannot list the nodes of ${this.shown}: ${messageOf(error)}`)
    })
    return client
  }

  async close(): Promise<void> {
    const client = await this.#loading?.catch(() => null)
    if (client) await this.#lib?.destroyAll(client)
  }
}

/**
 * Returns a response with its body parsed. The client leaves JSON as text if the response has no
 * content type.
 */
function answerOf(status: number, body: unknown): Answer {
  if (typeof body !== 'string') return { status, body: typeof body === 'boolean' ? null : (body ?? null) }
  if (body === '') return { status, body: null }
  try {
    return { status, body: JSON.parse(body) as unknown }
  } catch {
    return { status, body }
  }
}
