import type { Socket } from 'node:net'
import type { BufferPool } from '../../common/buffer-pool.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import type { ConnectionInfo, RequestMemory } from '../handlers/handler.ts'
import type { Dispatcher, Response } from './dispatcher.ts'
import { FrameReader } from './frame-reader.ts'
import { readInto } from './read-into.ts'
import type { Holder, RequestBudget } from './request-budget.ts'

/** A request under way; its response leaves when all before it have. */
class Slot implements RequestMemory {
  readonly bytes: number
  done = false
  response: Response = null
  /** To be called when the response has left. */
  sent: (() => void)[] | null = null
  readonly #pool: BufferPool
  /** The request, where its memory is the pool's. */
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

/** How many requests of one connection may be under way at a time, where their API allows more than one. */
const MAX_OVERLAPPING = 32
/** While more than this waits to be sent, no further request of the connection is begun. */
const MAX_UNSENT_BYTES = 1 << 20
/** Where all sockets read to, one after the other: what is kept is copied from it at once. */
const incoming = Buffer.allocUnsafeSlow(256 << 10)

export interface ConnectionOptions {
  /** Accepted and paused. */
  readonly socket: Socket
  readonly pool: BufferPool
  readonly info: ConnectionInfo
  readonly dispatcher: Dispatcher
  readonly budget: RequestBudget
  readonly maxRequestBytes: number
  readonly logger: Logger
  readonly now: () => number
  readonly onClose: (connection: Connection) => void
  /** It has more to send than it should, or no longer has. */
  readonly onDraining: (connection: Connection, draining: boolean) => void
}

/**
 * One client. Requests are begun in the order in which they came, one at a time but for those whose handler says that they may overlap; responses
 * leave in that order too. Nothing is read while too much is held: see `#updateFlow`.
 */
export class Connection implements Holder {
  readonly info: ConnectionInfo
  readonly #o: ConnectionOptions
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #slots: Slot[] = []
  readonly #abort = new AbortController()
  /** Whether the socket reads to the memory of a request begun, else to `incoming`. */
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
    // an error is always followed by close; a reset peer is nothing to report
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

  /** Whether requests are under way: a long poll, a rebalance that waits for others. */
  get answering(): boolean {
    return this.#slots.length > 0
  }

  /** Bytes that wait to be sent. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  #readTo(): Buffer {
    const room = this.#reader.room()
    this.#inPlace = room !== null
    return room ?? incoming
  }

  #onRead(count: number): void {
    if (this.#closed) return
    this.lastBytesAt = this.lastActivity = this.#o.now()
    this.heldBytes += count
    this.#o.budget.add(count)
    if (this.#inPlace) this.#reader.received(count)
    else this.#reader.push(incoming.subarray(0, count))
    this.#pump()
  }

  /** Begins what may begin, then decides whether to read on. */
  #pump(): void {
    try {
      while (this.#mayBegin()) {
        const frame = this.#reader.peek()
        if (frame === null) break
        const overlaps = this.#o.dispatcher.overlaps(frame)
        if (this.#slots.length > 0 && !overlaps) break
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
    return this.#slots.length === 0 || (!this.#exclusive && this.#slots.length < MAX_OVERLAPPING)
  }

  #begin(frame: Buffer): void {
    const slot = new Slot(frame, this.#o.pool)
    this.#slots.push(slot)
    this.#o.budget.forget(this)
    let result: Response | Promise<Response>
    try {
      result = this.#o.dispatcher.dispatch(frame, this.info, this.#abort.signal, slot)
    } catch (error) {
      this.#fail(error)
      this.#finish(slot, null)
      return
    }
    if (!(result instanceof Promise)) {
      this.#finish(slot, result)
      return
    }
    result
      .catch(error => {
        this.#fail(error)
        return null
      })
      .then(response => {
        this.#finish(slot, response)
        this.#pump()
      })
  }

  #finish(slot: Slot, response: Response): void {
    slot.done = true
    slot.response = response
    if (this.#slots[0] === slot) this.#send()
  }

  /** Sends all responses that are next. */
  #send(): void {
    const socket = this.#socket
    if (!this.#corked) {
      this.#corked = true
      socket.cork()
      process.nextTick(this.#uncork)
    }
    for (let slot = this.#slots[0]; slot?.done; slot = this.#slots[0]) {
      this.#slots.shift()
      this.lastActivity = this.#o.now()
      this.#release(slot.bytes)
      if (this.#closed || slot.response === null) continue
      this.#write(slot.response, slot.sent)
    }
    if (socket.writableLength > MAX_UNSENT_BYTES) {
      this.#draining = true
      this.#o.onDraining(this, true)
    }
    if (this.#ending && !this.answering) this.#socket.destroySoon()
  }

  #write(chunks: readonly Buffer[], sent: (() => void)[] | null): void {
    const last = sent === null ? -1 : chunks.length - 1
    for (const [i, chunk] of chunks.entries()) {
      if (i !== last) this.#socket.write(chunk)
      // after an error the system may still read the memory
      else
        this.#socket.write(chunk, error => {
          if (!error) for (const done of sent!) done()
        })
    }
  }

  /** Appends that were written together are answered together: one system call for all responses of a turn. */
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
   * limit. Also while a request is being handled: only a read detects the end of the connection.
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
    this.#fail(new Error('it sent part of a request and then nothing, while others wait for the memory that it holds'))
  }

  #fail(error: unknown): void {
    if (this.#closed) return
    const stopping = this.#abort.signal.aborted
    if (!stopping) this.#o.logger.warn(`Closing the connection of ${this.#name}: ${messageOf(error)}`)
    this.destroy()
  }

  /** Takes no further request, answers those under way, then closes. */
  end(): void {
    this.#ending = true
    this.#socket.pause()
    // long polls answer at once with what they have
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
    this.#o.budget.forget(this)
    // what is under way is released as it finishes
    const underWay = this.#slots.reduce((n, s) => n + s.bytes, 0)
    this.#release(this.heldBytes - underWay)
    this.#o.onDraining(this, false)
    this.#o.onClose(this)
  }
}
