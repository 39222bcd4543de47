import { timerMs } from '../../common/async/timer.ts'
import type { MillraceError } from '../../common/errors/error-table.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { decodeResponseHeader } from '../../protocol/headers.ts'
import { decode } from '../../protocol/schema/codec.ts'
import type { Message, MessageDeclaration } from '../../protocol/schema/declare.ts'
import { clientErrors } from '../errors.ts'
import type { Api } from './api.ts'

export interface RequestOptions {
  /** The time to wait for the response, in milliseconds. Default: `request.timeout.ms`. */
  readonly timeoutMs?: number
  /** Aborts the wait for the response. The response is discarded when it arrives. */
  readonly signal?: AbortSignal | undefined
}

interface Waiting {
  readonly correlationId: number
  readonly api: Api
  readonly version: number
  readonly deadline: number
  readonly timeoutMs: number
  /** Null after the wait was aborted. The response must still be read from the stream. */
  settle: ((error: Error | null, response?: Message<MessageDeclaration>) => void) | null
}

export function requestTimeout(address: string, api: Api, ms: number): MillraceError {
  return clientErrors.create('MR_CLIENT_REQUEST_TIMEOUT', { address, api: api.name, ms })
}

/** The maximum number of requests without a response on one connection. */
const MAX_WAITING = 1000

/**
 * The pending requests of a connection, in the order in which their responses arrive. Does no I/O.
 */
export class Pipeline {
  readonly #address: string
  readonly #onFailure: (error: MillraceError) => void
  #queue: Waiting[] = []
  #head = 0
  #correlationId = 0
  #timer: NodeJS.Timeout | null = null
  #timerAt = Number.POSITIVE_INFINITY
  #failure: MillraceError | null = null

  constructor(address: string, onFailure: (error: MillraceError) => void) {
    this.#address = address
    this.#onFailure = onFailure
  }

  get failure(): MillraceError | null {
    return this.#failure
  }

  get waiting(): number {
    return this.#queue.length - this.#head
  }

  nextId(): number {
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff
    return this.#correlationId
  }

  /** Adds a request that is about to be written. Returns a promise of its response. */
  expect<R extends MessageDeclaration>(
    api: Api<MessageDeclaration, R>,
    version: number,
    options: RequestOptions,
    defaultTimeoutMs: number,
  ): { promise: Promise<Message<R>>; correlationId: number } {
    if (this.waiting >= MAX_WAITING) {
      throw clientErrors.create('MR_CLIENT_TOO_MANY_REQUESTS', { limit: MAX_WAITING, address: this.#address })
    }
    options.signal?.throwIfAborted()
    const correlationId = this.nextId()
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    const deadline = performance.now() + timeoutMs
    const promise = new Promise<Message<R>>((resolve, reject) => {
      const waiting: Waiting = { correlationId, api, version, deadline, timeoutMs, settle: null }
      const signal = options.signal
      const onAbort = () => waiting.settle?.(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      waiting.settle = (error, response) => {
        waiting.settle = null
        signal?.removeEventListener('abort', onAbort)
        if (error) reject(error)
        else resolve(response as Message<R>)
      }
      this.#queue.push(waiting)
    })
    if (deadline < this.#timerAt) this.#arm(deadline)
    return { promise, correlationId }
  }

  /**
   * Removes the last request after it could not be encoded. No bytes of the request were written.
   */
  forget(correlationId: number, error: Error): void {
    const last = this.#queue.at(-1)
    if (last?.correlationId !== correlationId) return
    this.#queue.pop()
    last.settle?.(error)
  }

  /**
   * Handles a response. `frame` does not include the length that precedes it on the wire. Throws
   * MR_CLIENT_BAD_RESPONSE if the response does not belong to the next request.
   */
  onFrame(frame: Buffer): void {
    const next = this.#queue[this.#head]
    if (!next) throw this.#bad('no request is pending')
    const correlationId = frame.readInt32BE(0)
    if (correlationId !== next.correlationId) {
      throw this.#bad(`its correlation id is ${correlationId} instead of ${next.correlationId}`)
    }
    let response: Message<MessageDeclaration>
    try {
      // A broker rejects an unsupported version of ApiVersions with a response of version 0.
      const refused = next.api.key === 18 && frame.length >= 6 && frame.readInt16BE(4) === 35
      const version = refused ? 0 : next.version
      response = decode(next.api.response, version, frame, decodeResponseHeader(next.api.key, version, frame).end)
    } catch (cause) {
      throw this.#bad(`${next.api.name} v${next.version}: ${messageOf(cause)}`, cause)
    }
    if (++this.#head > 64 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    } else if (this.#head === this.#queue.length) {
      this.#queue.length = 0
      this.#head = 0
    }
    next.settle?.(null, response)
  }

  /** Fails all pending requests. Returns false if the connection has already failed. */
  fail(error: MillraceError): boolean {
    if (this.#failure) return false
    this.#failure = error
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    const waiting = this.#queue.slice(this.#head)
    this.#queue = []
    this.#head = 0
    for (const w of waiting) w.settle?.(error)
    return true
  }

  #arm(at: number): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => this.#onTimer(), timerMs(at - performance.now()))
  }

  #onTimer(): void {
    this.#timer = null
    this.#timerAt = Number.POSITIVE_INFINITY
    const now = performance.now()
    let earliest = Number.POSITIVE_INFINITY
    for (let i = this.#head; i < this.#queue.length; i++) {
      const w = this.#queue[i]!
      if (w.deadline <= now) {
        this.#onFailure(requestTimeout(this.#address, w.api, w.timeoutMs))
        return
      }
      earliest = Math.min(earliest, w.deadline)
    }
    if (earliest !== Number.POSITIVE_INFINITY) this.#arm(earliest)
  }

  #bad(cause: string, error?: unknown): MillraceError {
    return clientErrors.create(
      'MR_CLIENT_BAD_RESPONSE',
      { address: this.#address, cause },
      error ? { cause: error } : undefined,
    )
  }
}
