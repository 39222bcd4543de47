import type { Socket } from 'node:net'
import type { BufferPool } from '../../common/buffer-pool.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import type { ConnectionInfo, RequestMemory } from '../handlers/handler.ts'
import type { ListenerStats } from '../metrics/broker-stats.ts'
import type { Dispatcher, Response } from './dispatcher.ts'
import { FrameReader } from './frame-reader.ts'
import { readInto } from './read-into.ts'
import type { Holder, RequestBudget } from './request-budget.ts'

/** A request in progress. Responses are sent in the order of the requests. */
class PendingRequest implements RequestMemory {
  readonly bytes: number
  done = false
  response: Response = null
  /** The functions to call when the response has been sent. */
  sent: (() => void)[] | null = null
  readonly #pool: BufferPool
  /** The request's buffer if it belongs to the pool. Null otherwise. */
  #frame: Buffer | null

  constructor(frame: Buffer, pool: BufferPool) {
    this.bytes = frame.length + 4
    this.#pool = pool
    this.#frame = pool.owns(frame) ? frame : null
  }

  requestIsDone(): void {
    if (this.#frame !== null) this.#pool.give(this.#frame)
    this.#frame = null
  }

  onSent(done: () => void): void {
    this.sent ??= []
    this.sent.push(done)
  }
}

/**
 * The maximum number of requests in progress per connection, for APIs whose requests may overlap.
 */
const MAX_OVERLAPPING = 32
/** The limit for unsent bytes. Above this limit, a connection starts no further request. */
const MAX_UNSENT_BYTES = 1 << 20
/**
 * The buffer into which all sockets read. Bytes that are kept are copied immediately, because the
 * next read overwrites the buffer.
 */
const incoming = Buffer.allocUnsafeSlow(256 << 10)

export interface ConnectionOptions {
  /** The accepted socket, which is still paused. */
  readonly socket: Socket
  readonly pool: BufferPool
  readonly info: ConnectionInfo
  readonly dispatcher: Dispatcher
  readonly budget: RequestBudget
  readonly maxRequestBytes: number
  readonly logger: Logger
  /** The counters of the listener that accepted the connection. */
  readonly stats: ListenerStats
  readonly now: () => number
  readonly onClose: (connection: Connection) => void
  /**
   * Called with true when the unsent bytes exceed their limit. Called with false when these bytes
   * have been sent or the connection has closed.
   */
  readonly onDraining: (connection: Connection, draining: boolean) => void
}

/**
 * One client connection. It starts requests in the order of their arrival, one at a time. Only
 * requests whose handler allows overlap are handled concurrently. Responses are sent in the order
 * of the requests. `#updateFlow` decides when the connection stops reading.
 */
export class Connection implements Holder {
  readonly info: ConnectionInfo
  readonly #o: ConnectionOptions
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #requests: PendingRequest[] = []
  readonly #abort = new AbortController()
  /**
   * Whether the socket reads directly into the buffer of the current request instead of `incoming`.
   */
  #inPlace = false
  #exclusive = false
  #draining = false
  #paused = true
  #corked = false
  #ending = false
  #closed = false
  heldBytes = 0
  lastBytesAt: number
  lastActivity: number

  constructor(o: ConnectionOptions) {
    this.#o = o
    this.info = o.info
    this.#reader = new FrameReader(o.maxRequestBytes, o.pool)
    this.lastBytesAt = this.lastActivity = o.now()
    const socket = readInto(o.socket, { buffer: () => this.#readTo(), onRead: count => this.#onRead(count) })
    this.#socket = socket
    socket.on('drain', () => this.#onDrain())
    socket.on('end', () => this.end())
    // Logged only at level DEBUG, because clients may reset connections. A 'close' event always
    // follows.
    socket.on('error', error => o.logger.debug(`Connection ${this.#name}: ${error.message}`))
    socket.on('close', () => this.#onClose())
  }

  get #name(): string {
    return `${this.info.host}:${this.#socket.remotePort ?? '?'}`
  }

  get partial(): boolean {
    return this.#reader.partial
  }

  get missing(): number {
    return this.#reader.missing
  }

  /**
   * Whether requests are in progress. This includes a long poll, and a JoinGroup request that waits
   * for other members.
   */
  get answering(): boolean {
    return this.#requests.length > 0
  }

  /** The number of bytes that wait to be sent. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  #readTo(): Buffer {
    const buffer = this.#reader.nextBuffer()
    this.#inPlace = buffer !== null
    return buffer ?? incoming
  }

  #onRead(count: number): void {
    if (this.#closed) return
    this.lastBytesAt = this.lastActivity = this.#o.now()
    this.heldBytes += count
    this.#o.stats.bytesIn += count
    this.#o.budget.add(count)
    if (this.#inPlace) this.#reader.received(count)
    else this.#reader.push(incoming.subarray(0, count))
    this.#pump()
  }

  /** Starts all requests that may start now, then pauses or resumes reading. */
  #pump(): void {
    try {
      while (this.#mayBegin()) {
        const frame = this.#reader.peek()
        if (frame === null) break
        const overlaps = this.#o.dispatcher.overlaps(frame)
        if (this.#requests.length > 0 && !overlaps) break
        this.#reader.drop()
        this.#exclusive = !overlaps
        this.#begin(frame)
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#updateFlow()
  }

  #mayBegin(): boolean {
    if (this.#closed || this.#ending || this.#draining) return false
    return this.#requests.length === 0 || (!this.#exclusive && this.#requests.length < MAX_OVERLAPPING)
  }

  #begin(frame: Buffer): void {
    const request = new PendingRequest(frame, this.#o.pool)
    this.#requests.push(request)
    this.#o.stats.requests++
    this.#o.budget.remove(this)
    let result: Response | Promise<Response>
    try {
      result = this.#o.dispatcher.dispatch(frame, this.info, this.#abort.signal, request)
    } catch (error) {
      this.#fail(error)
      this.#finish(request, null)
      return
    }
    if (!(result instanceof Promise)) {
      this.#finish(request, result)
      return
    }
    result
      .then(
        response => this.#finishAndPump(request, response),
        error => {
          this.#fail(error)
          this.#finishAndPump(request, null)
        },
      )
      .catch(error => this.#fail(error))
  }

  #finishAndPump(request: PendingRequest, response: Response): void {
    this.#finish(request, response)
    this.#pump()
  }

  #finish(request: PendingRequest, response: Response): void {
    request.done = true
    request.response = response
    if (this.#requests[0] === request) this.#send()
  }

  /**
   * Sends the responses of completed requests, up to the first request that is still in progress.
   */
  #send(): void {
    const socket = this.#socket
    if (!this.#corked) {
      this.#corked = true
      socket.cork()
      process.nextTick(this.#uncork)
    }
    for (let request = this.#requests[0]; request?.done; request = this.#requests[0]) {
      this.#requests.shift()
      this.lastActivity = this.#o.now()
      this.#release(request.bytes)
      if (this.#closed || request.response === null) continue
      this.#write(request.response, request.sent)
    }
    if (socket.writableLength > MAX_UNSENT_BYTES) {
      this.#draining = true
      this.#o.onDraining(this, true)
    }
    if (this.#ending && !this.answering) this.#socket.destroySoon()
  }

  #write(chunks: readonly Buffer[], sent: (() => void)[] | null): void {
    const last = sent === null ? -1 : chunks.length - 1
    const { stats } = this.#o
    stats.responses++
    for (const [i, chunk] of chunks.entries()) {
      stats.bytesOut += chunk.length
      if (i !== last) this.#socket.write(chunk)
      // If the write fails, the operating system may still be reading the buffer, so it is not
      // released.
      else
        this.#socket.write(chunk, error => {
          if (!error) for (const done of sent!) done()
        })
    }
  }

  /**
   * Sends all responses of an event loop turn with one system call. Appends that were written
   * together complete in the same turn, so their responses are sent together.
   */
  readonly #uncork = (): void => {
    this.#corked = false
    this.#socket.uncork()
  }

  #release(bytes: number): void {
    this.heldBytes -= bytes
    this.#o.budget.release(bytes)
  }

  #onDrain(): void {
    this.lastActivity = this.#o.now()
    if (!this.#draining) return
    this.#draining = false
    this.#o.onDraining(this, false)
    this.#pump()
  }

  /**
   * Pauses or resumes reading. The socket reads if no complete request is waiting, the unsent bytes
   * are below their limit, and the budget allows it. It also reads while a request is being
   * handled, because only a read detects that the client has disconnected.
   */
  #updateFlow(): void {
    if (this.#closed) return
    const wants = !this.#reader.hasComplete && !this.#draining && !this.#ending
    if (wants && this.#o.budget.mayRead(this)) {
      if (this.#paused) this.#socket.resume()
      this.#paused = false
    } else if (!this.#paused) {
      this.#paused = true
      this.#socket.pause()
    }
  }

  resume(): void {
    if (!this.#closed) this.#pump()
  }

  evict(): void {
    this.#fail(new Error('it sends its request too slowly while other connections wait for memory'))
  }

  #fail(error: unknown): void {
    if (this.#closed) return
    const stopping = this.#abort.signal.aborted
    if (!stopping) this.#o.logger.warn(`Closing the connection from ${this.#name}: ${messageOf(error)}`)
    this.destroy()
  }

  /** Accepts no further requests, completes those in progress, then closes the connection. */
  end(): void {
    this.#ending = true
    this.#socket.pause()
    // This makes long polls answer immediately, with the data that is available.
    this.#abort.abort()
    if (!this.answering) this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
    this.#onClose()
  }

  #onClose(): void {
    if (this.#closed) return
    this.#closed = true
    this.#abort.abort()
    this.#o.budget.remove(this)
    // Requests in progress release their bytes when they finish.
    const inProgress = this.#requests.reduce((n, r) => n + r.bytes, 0)
    this.#release(this.heldBytes - inProgress)
    this.#o.onDraining(this, false)
    this.#o.onClose(this)
  }
}
