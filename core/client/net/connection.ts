import { connect, type Socket } from 'node:net'
import { cancellableLimit } from '../../common/async/time-limit.ts'
import { timerMs } from '../../common/async/timer.ts'
import { MillraceError, messageOf } from '../../common/errors/error-table.ts'
import { encodeRequestFrame } from '../../protocol/headers.ts'
import type { Message, MessageDeclaration, MessageInput } from '../../protocol/schema/declare.ts'
import { clientErrors } from '../errors.ts'
import { type Api, type BrokerVersions, commonVersion } from './api.ts'
import { FrameReader } from './frame-reader.ts'
import { negotiateVersions } from './negotiate.ts'
import { Pipeline, type RequestOptions, requestTimeout } from './pipeline.ts'
import type { Traffic } from './traffic.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface ConnectionOptions {
  readonly clientId: string
  readonly setupTimeoutMs: number
  readonly maxIdleMs: number
  readonly requestTimeoutMs: number
  /** Counts the traffic of the connection. */
  readonly traffic: Traffic
}

export function showAddress(a: Address): string {
  return a.host.includes(':') ? `[${a.host}]:${a.port}` : `${a.host}:${a.port}`
}

/**
 * A TCP connection to a broker. Requests are pipelined, and responses arrive in the order of the
 * requests. After any error, including the timeout of a request, the connection is closed, and all
 * pending requests fail with the same retriable error.
 */
export class Connection {
  readonly address: string
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #pipeline: Pipeline
  #versions: BrokerVersions = new Map()
  #onClose: (() => void) | null = null

  private constructor(socket: Socket, address: Address, options: ConnectionOptions) {
    this.address = showAddress(address)
    this.#socket = socket
    this.#options = options
    options.traffic.connections++
    options.traffic.connectionsCreated++
    this.#pipeline = new Pipeline(this.address, error => this.#fail(error))
    const frames = new FrameReader(frame => this.#pipeline.onFrame(frame))
    socket.on('data', chunk => {
      options.traffic.incomingBytes += chunk.length
      try {
        frames.push(chunk)
      } catch (cause) {
        this.#fail(
          cause instanceof MillraceError
            ? cause
            : clientErrors.create(
                'MR_CLIENT_BAD_RESPONSE',
                { address: this.address, cause: messageOf(cause) },
                { cause },
              ),
        )
      }
    })
    socket.on('error', cause => this.#fail(this.#disconnected(messageOf(cause), cause)))
    socket.on('close', () => this.#fail(this.#disconnected('closed by the broker')))
    if (options.maxIdleMs > 0) {
      socket.setTimeout(timerMs(options.maxIdleMs), () => {
        if (this.#pipeline.waiting === 0) this.#fail(this.#disconnected(`idle for ${options.maxIdleMs} ms`))
      })
    }
  }

  /**
   * Connects, and requests the versions that the broker supports. Rejects with MR_CLIENT_CONNECT or
   * the signal's reason.
   */
  static async open(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const socket = await openSocket(address, options.setupTimeoutMs, signal)
    const connection = new Connection(socket, address, options)
    try {
      connection.#versions = await negotiateVersions(
        connection,
        Math.min(options.setupTimeoutMs, options.requestTimeoutMs),
        signal,
      )
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

  get closed(): boolean {
    return this.#pipeline.failure !== null
  }

  /** The number of requests without a response. */
  get waiting(): number {
    return this.#pipeline.waiting
  }

  /** Sets the function that is called once, when the connection is closed for any reason. */
  set onClose(f: () => void) {
    if (this.closed) f()
    else this.#onClose = f
  }

  /**
   * Returns the newest version that both sides support. Throws MR_CLIENT_UNSUPPORTED_VERSION if
   * there is no common version.
   */
  version(api: Api, cap?: number): number {
    const version = commonVersion(api, this.#versions, cap)
    if (version !== null) return version
    const offered = this.#versions.get(api.key)
    throw clientErrors.create('MR_CLIENT_UNSUPPORTED_VERSION', {
      address: this.address,
      api: api.name,
      offered: offered ? `versions ${offered.min} to ${offered.max}` : 'no version',
      needed: `versions ${api.min} to ${Math.min(api.max, cap ?? api.max)}`,
    })
  }

  /** Returns whether there is a version of the API that both sides support. */
  offers(api: Api): boolean {
    return commonVersion(api, this.#versions) !== null
  }

  /** Sends a request in a version that `version()` returned. Resolves with the decoded response. */
  request<Q extends MessageDeclaration, R extends MessageDeclaration>(
    api: Api<Q, R>,
    version: number,
    input: MessageInput<Q>,
    options: RequestOptions = {},
  ): Promise<Message<R>> {
    const failure = this.#pipeline.failure
    if (failure) return Promise.reject(failure)
    let promise: Promise<Message<R>>
    let correlationId: number
    try {
      ;({ promise, correlationId } = this.#pipeline.expect(api, version, options, this.#options.requestTimeoutMs))
    } catch (error) {
      return Promise.reject(error)
    }
    try {
      this.#write(
        encodeRequestFrame(
          { apiKey: api.key, apiVersion: version, correlationId, clientId: this.#options.clientId },
          api.request,
          input,
        ),
      )
    } catch (error) {
      this.#pipeline.forget(correlationId, error as Error)
    }
    return promise
  }

  /**
   * Sends a request to which the broker does not respond (Produce with acks=0). Resolves when the
   * operating system has accepted the bytes.
   */
  send<Q extends MessageDeclaration>(api: Api<Q>, version: number, input: MessageInput<Q>): Promise<void> {
    const failure = this.#pipeline.failure
    if (failure) return Promise.reject(failure)
    const { clientId, requestTimeoutMs: ms } = this.#options
    return new Promise((resolve, reject) => {
      const correlationId = this.#pipeline.nextId()
      const header = { apiKey: api.key, apiVersion: version, correlationId, clientId }
      const chunks = encodeRequestFrame(header, api.request, input)
      // There will be no response, so an incomplete write is the only sign that the broker has
      // stopped reading.
      const timer = setTimeout(() => this.#fail(requestTimeout(this.address, api, ms)), timerMs(ms))
      this.#write(chunks, error => {
        clearTimeout(timer)
        if (error) reject(this.#pipeline.failure ?? this.#disconnected(messageOf(error), error))
        else resolve()
      })
    })
  }

  close(): void {
    this.#fail(this.#disconnected('closed by this client'))
  }

  #write(chunks: Buffer[], done?: (error?: Error | null) => void): void {
    const socket = this.#socket
    for (const chunk of chunks) this.#options.traffic.outgoingBytes += chunk.length
    if (chunks.length === 1) {
      socket.write(chunks[0]!, done)
      return
    }
    socket.cork()
    for (let i = 0; i < chunks.length - 1; i++) socket.write(chunks[i]!)
    socket.write(chunks.at(-1)!, done)
    socket.uncork()
  }

  #disconnected(cause: string, error?: unknown): MillraceError {
    return clientErrors.create(
      'MR_CLIENT_DISCONNECTED',
      { address: this.address, cause },
      error ? { cause: error } : undefined,
    )
  }

  #fail(error: MillraceError): void {
    if (!this.#pipeline.fail(error)) return
    this.#options.traffic.connections--
    this.#socket.destroy()
    const onClose = this.#onClose
    this.#onClose = null
    onClose?.()
  }
}

/**
 * TCP keepalive starts when the connection has been silent for this long. After ten more seconds
 * without an answer, the connection is closed.
 */
const KEEP_ALIVE_MS = 60_000

function openSocket(address: Address, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const { host, port } = address
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS })
    const fail = (error: unknown) => {
      settle()
      // Ignore later errors of the abandoned socket. Without a listener, Node would throw them.
      socket.on('error', () => undefined)
      socket.destroy()
      reject(error)
    }
    const refused = (cause: unknown) =>
      fail(
        clientErrors.create('MR_CLIENT_CONNECT', { address: showAddress(address), cause: messageOf(cause) }, { cause }),
      )
    const limit = cancellableLimit(timeoutMs, signal)
    limit.signal.addEventListener('abort', () =>
      signal.aborted ? fail(signal.reason) : refused(new Error(`no answer within ${timeoutMs} ms`)),
    )
    const onConnect = () => {
      // If nothing listens on an ephemeral port, the system may choose the same port as the local
      // port. The socket is then connected to itself.
      if (socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress) {
        refused(new Error('nothing listens on this port'))
        return
      }
      settle()
      resolve(socket)
    }
    const settle = () => {
      limit.cancel()
      socket.off('error', refused)
      socket.off('connect', onConnect)
    }
    socket.once('error', refused)
    socket.once('connect', onConnect)
  })
}
