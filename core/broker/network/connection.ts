import type { Socket } from 'node:net'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import type { ConnectionInfo } from '../handlers/handler.ts'
import type { Dispatcher, Response } from './dispatcher.ts'
import { FrameReader } from './frame-reader.ts'
import type { Holder, RequestBudget } from './request-budget.ts'

/** A request under way; its response leaves when all before it have. */
interface Slot {
  readonly bytes: number
  done: boolean
  response: Response
}

/** How many requests of one connection may be under way at a time, where their API allows more than one. */
const MAX_OVERLAPPING = 32
/** While more than this waits to be sent, no further request of the connection is begun. */
const MAX_UNSENT_BYTES = 1 << 20

export interface ConnectionOptions {
  readonly socket: Socket
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
  /** A complete request that has to wait for those before it. */
  #held: Buffer | null = null
  #exclusive = false
  #draining = false
  #paused = false
  #corked = false
  #ending = false
  #closed = false
  heldBytes = 0
  lastBytesAt: number
  lastActivity: number

  constructor(o: ConnectionOptions) {
    this.#o = o
    this.info = o.info
    this.#socket = o.socket
    this.#reader = new FrameReader(o.maxRequestBytes)
    this.lastBytesAt = this.lastActivity = o.now()
    o.socket.on('data', chunk => this.#onData(chunk as Buffer))
    o.socket.on('drain', () => this.#onDrain())
    // an error is always followed by close; a reset peer is nothing to report
    o.socket.on('error', error => o.logger.debug(`Connection ${this.#name}: ${error.message}`))
    o.socket.on('close', () => this.#onClose())
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

  get idle(): boolean {
    return this.#slots.length === 0 && this.#held === null
  }

  /** Whether requests are under way: a long poll, a rebalance that waits for others. */
  get answering(): boolean {
    return this.#slots.length > 0
  }

  /** Bytes that wait to be sent. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  #onData(chunk: Buffer): void {
    this.lastBytesAt = this.lastActivity = this.#o.now()
    this.heldBytes += chunk.length
    this.#o.budget.add(chunk.length)
    this.#reader.push(chunk)
    this.#pump()
  }

  /** Begins what may begin, then decides whether to read on. */
  #pump(): void {
    try {
      while (this.#mayBegin()) {
        const frame = this.#held ?? this.#reader.next()
        this.#held = null
        if (frame === null) break
        const overlaps = this.#o.dispatcher.overlaps(frame)
        if (this.#slots.length > 0 && !overlaps) {
          this.#held = frame
          break
        }
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
    const slot: Slot = { bytes: frame.length + 4, done: false, response: null }
    this.#slots.push(slot)
    this.#o.budget.forget(this)
    let result: Response | Promise<Response>
    try {
      result = this.#o.dispatcher.dispatch(frame, this.info, this.#abort.signal)
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
      for (const chunk of slot.response) socket.write(chunk)
    }
    if (socket.writableLength > MAX_UNSENT_BYTES) {
      this.#draining = true
      this.#o.onDraining(this, true)
    }
    if (this.#ending && this.idle) this.#socket.destroySoon()
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

  /** Reads only while what comes can be worked on, and while all requests together hold less than they may. */
  #updateFlow(): void {
    if (this.#closed) return
    const wants = this.#held === null && this.#mayBegin()
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
    this.#held = null
    if (this.idle) this.#socket.destroySoon()
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
