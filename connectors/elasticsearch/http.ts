import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type Dispatcher, Pool, ProxyAgent, request } from 'undici'
import { messageOf } from '../../core/connect/index.ts'
import type { ElasticsearchConfig } from './config.ts'
import { errors } from './errors.ts'

const gzipAsync = promisify(gzip)

export interface Answer {
  readonly status: number
  /** The body as JSON; null where there is none. */
  readonly body: unknown
}

/** Errors of a connection in the middle of a request, or without an answer in time. */
const CUT = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** Whether a request was begun and not answered: it may have been more than the server, or something on the way, can take. */
export function wasCutShort(error: unknown): boolean {
  const cause = (error as Error).cause as { code?: string } | undefined
  return CUT.has(cause?.code ?? '')
}

/** An answer's error in words, as Elasticsearch puts it. */
export function reasonOf(body: unknown): string {
  const error = (body as { error?: unknown } | null)?.error
  if (typeof error === 'string') return error
  const e = error as { type?: string; reason?: string; caused_by?: { reason?: string } } | undefined
  if (!e) return 'no reason given'
  return [`${e.type}: ${e.reason}`, e.caused_by?.reason].filter(Boolean).join('; ')
}

interface Tls {
  readonly ca?: string
  readonly pfx?: Buffer
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
  readonly checkServerIdentity?: () => undefined
}

function readStore(key: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw errors.create('MR_ES_KEYSTORE', { key, path, cause: messageOf(cause) }, { cause })
  }
}

function tlsOf(config: ElasticsearchConfig): Tls {
  if (config['elastic.security.protocol'].toUpperCase() !== 'SSL') return {}
  const trust = config['elastic.https.ssl.truststore.location']
  const own = config['elastic.https.ssl.keystore.location']
  const ca = trust ? readStore('elastic.https.ssl.truststore.location', trust).toString() : undefined
  if (trust && ca && !ca.includes('-----BEGIN')) {
    throw errors.create('MR_ES_KEYSTORE', {
      key: 'elastic.https.ssl.truststore.location',
      path: trust,
      cause: 'it is not a PEM file',
    })
  }
  const passphrase = (config['elastic.https.ssl.key.password'] ?? config['elastic.https.ssl.keystore.password'])?.value
  const bytes = own ? readStore('elastic.https.ssl.keystore.location', own) : undefined
  const pem = bytes?.includes('-----BEGIN') ? bytes.toString() : undefined
  return {
    ...(ca && { ca }),
    ...(bytes && (pem ? { cert: pem, key: pem } : { pfx: bytes })),
    ...(passphrase && { passphrase }),
    ...(config['elastic.https.ssl.endpoint.identification.algorithm'] === '' && {
      checkServerIdentity: () => undefined,
    }),
  }
}

/**
 * HTTP to a cluster: a pool of connections for each URL, used in turn; a URL that does not answer is passed over. Knows no
 * retry beyond that: who asks decides. Sends plain JSON types, so that servers of versions 7, 8 and 9 take it.
 */
export class ElasticsearchHttp {
  readonly #nodes: readonly {
    readonly origin: string
    readonly prefix: string
    readonly shown: string
    readonly dispatcher: Dispatcher
  }[]
  readonly #headers: Readonly<Record<string, string>>
  readonly #gzip: boolean
  readonly #readTimeout: number
  #next = 0

  constructor(config: ElasticsearchConfig) {
    const readTimeout = config['read.timeout.ms']
    const connect = { timeout: config['connection.timeout.ms'] || 0, ...tlsOf(config) }
    const common = {
      connections: config['max.in.flight.requests'] + 1,
      keepAliveTimeout: Math.max(1, config['max.connection.idle.time.ms']),
      headersTimeout: readTimeout,
      bodyTimeout: readTimeout,
    }
    const proxy = config['proxy.host']
    let inUrl: string | null = null
    this.#nodes = config['connection.url'].map(text => {
      const url = new URL(text)
      if (url.username) inUrl = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
      const dispatcher = proxy
        ? new ProxyAgent({
            // plain HTTP is forwarded, as by most proxies, which open tunnels for TLS only
            proxyTunnel: false,
            uri: `http://${proxy}:${config['proxy.port']}`,
            ...(config['proxy.username'] && {
              token: `Basic ${Buffer.from(`${config['proxy.username']}:${config['proxy.password']?.value ?? ''}`).toString('base64')}`,
            }),
            requestTls: connect,
            ...common,
          })
        : new Pool(url.origin, { connect, ...common })
      return { origin: url.origin, prefix: url.pathname.replace(/\/+$/, ''), shown: url.origin, dispatcher }
    })
    const user = config['connection.username']
    const login = user ? `${user}:${config['connection.password']?.value ?? ''}` : inUrl
    const apiKey = config['connection.api.key']
    this.#headers = {
      accept: 'application/json',
      ...(apiKey
        ? { authorization: `ApiKey ${apiKey.value}` }
        : login
          ? { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
          : {}),
    }
    this.#gzip = config['connection.compression']
    this.#readTimeout = readTimeout
  }

  /** The cluster's URLs, without any login. */
  get shown(): string {
    return this.#nodes.map(n => n.shown).join(', ')
  }

  /** One request. Throws MR_ES_UNREACHABLE (retriable) when no URL answers; every answer is returned. */
  async send(
    method: Dispatcher.HttpMethod,
    path: string,
    body: string | Buffer | null,
    type: string,
    signal: AbortSignal,
  ): Promise<Answer> {
    const payload = body !== null && this.#gzip ? await gzipAsync(body) : body
    const headers = {
      ...this.#headers,
      ...(body !== null && { 'content-type': type }),
      ...(body !== null && this.#gzip && { 'content-encoding': 'gzip' }),
    }
    let failure: unknown
    for (let n = 0; n < this.#nodes.length; n++) {
      signal.throwIfAborted()
      const node = this.#nodes[this.#next++ % this.#nodes.length]!
      try {
        const answer = await request(`${node.origin}${node.prefix}${path}`, {
          method,
          headers,
          body: payload,
          signal,
          dispatcher: node.dispatcher,
        })
        const text = await answer.body.text()
        return { status: answer.statusCode, body: parse(text) }
      } catch (error) {
        signal.throwIfAborted()
        failure = error
      }
    }
    throw errors.create('MR_ES_UNREACHABLE', { url: this.shown, cause: this.#inWords(failure) }, { cause: failure })
  }

  #inWords(failure: unknown): string {
    const { code } = failure as { code?: string }
    const isLate = code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
    return isLate ? `no answer within read.timeout.ms (${this.#readTimeout} ms)` : messageOf(failure)
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(node => node.dispatcher.destroy()))
  }
}

/** A proxy's error page is not JSON: its beginning is the reason then. */
function parse(text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return { error: text.slice(0, 200) }
  }
}
