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
  /** Callbacks to run once the response has been sent. */
  sent: (() => void)[] | null = null
  readonly #pool: BufferPool
  /** The request's buffer if it belongs to the pool, otherwise null. */
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
/** A connection with more unsent bytes than this starts no further request. */
const MAX_UNSENT_BYTES = 1 << 20
/** All sockets read into this buffer in turn, so the bytes to keep are copied out at once. */
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
  /** The counters of its listener, to which its traffic is added. */
  readonly stats: ListenerStats
  readonly now: () => number
  readonly onClose: (connection: Connection) => void
  /** Called when the unsent bytes exceed the limit, and again when they have been sent. */
  readonly onDraining: (connection: Connection, draining: boolean) => void
}

/**
 * One client connection. It starts requests in the order of their arrival, one at a time, except
 * those whose handler allows overlap. It sends responses in the same order. It stops reading while
 * it holds too much: see `#updateFlow`.
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
    // A 'close' event always follows an error. A connection reset needs no report.
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
   * Whether requests are in progress, such as a long poll or a rebalance that waits for other
   * members.
   */
  get answering(): boolean {
    return this.#requests.length > 0
  }

  /** Bytes that wait to be sent. */
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

  /** Starts the requests that may start, then decides whether to continue reading. */
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

  /** Sends all completed responses that are next in order. */
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
      // After an error the operating system may still be reading the buffer, so it is not released.
      else
        this.#socket.write(chunk, error => {
          if (!error) for (const done of sent!) done()
        })
    }
  }

  /**
   * Appends that were written together are answered together: one system call sends all the
   * responses of one event loop turn.
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
   * Reads while no complete request is waiting and all requests together are within their memory
   * limit. It also reads while a request is being handled, because only a read detects that the
   * client disconnected.
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
    this.#fail(new Error('it sent part of a request and then stopped, while other connections wait for that memory'))
  }

  #fail(error: unknown): void {
    if (this.#closed) return
    const stopping = this.#abort.signal.aborted
    if (!stopping) this.#o.logger.warn(`Closing the connection from ${this.#name}: ${messageOf(error)}`)
    this.destroy()
  }

  /** Accepts no further request, completes those in progress, then closes. */
  end(): void {
    this.#ending = true
    this.#socket.pause()
    // Long polls answer at once with the data they have.
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
