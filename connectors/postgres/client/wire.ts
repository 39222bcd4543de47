import type { Duplex } from 'node:stream'
import { messageOf } from 'millrace/connect'
import type pg from 'pg'
import { errors } from '../errors.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { FrameReader } from './frame-reader.ts'

/** The types of the server's messages that the connector uses, as bytes. */
export const Frame = {
  Error: 0x45, // E
  Notice: 0x4e, // N
  RowDescription: 0x54, // T
  DataRow: 0x44, // D
  CommandComplete: 0x43, // C
  EmptyQuery: 0x49, // I
  Ready: 0x5a, // Z
  CopyBoth: 0x57, // W
  CopyData: 0x64, // d
  CopyDone: 0x63, // c
  ParameterStatus: 0x53, // S
  Notification: 0x41, // A
} as const

/** An error that the server sent. `code` is the SQLSTATE. */
export class ServerError extends Error {
  readonly code: string
  readonly severity: string
  /**
   * The name of the server function that reported the error. The name does not depend on the
   * language of the server's messages.
   */
  readonly routine: string
  constructor(message: string, code: string, severity: string, routine = '') {
    super(message)
    this.name = 'ServerError'
    this.code = code
    this.severity = severity
    this.routine = routine
  }
}

/**
 * Whether a notice of PostgreSQL 18 or newer reports that the server skips changes made while the
 * publication did not exist.
 */
export const isPublicationSkipped = (notice: ServerError): boolean => notice.routine === 'LoadPublications'

function parseFields(buf: Buffer, start: number, end: number): Map<string, string> {
  const fields = new Map<string, string>()
  let at = start
  while (at < end && buf[at] !== 0) {
    const zero = buf.indexOf(0, at + 1)
    if (zero < 0) break
    fields.set(String.fromCharCode(buf[at]!), buf.toString('utf8', at + 1, zero))
    at = zero + 1
  }
  return fields
}

/** Returns the error in an ErrorResponse, or the notice in a NoticeResponse. */
export function serverError(frame: FrameReader): ServerError {
  const fields = parseFields(frame.buf, frame.start, frame.end)
  const detail = [fields.get('M'), fields.get('D'), fields.get('H')].filter(Boolean).join(' ')
  return new ServerError(detail, fields.get('C') ?? '', fields.get('V') ?? fields.get('S') ?? '', fields.get('R'))
}

/**
 * Takes over the socket of a connection that `pg` opened and authenticated, and reads the socket
 * frame by frame without copying. Data is queued up to a limit in bytes. At the limit the socket is
 * paused, so that the server stops sending.
 */
export class WireConnection {
  readonly chunks: ChunkQueue
  readonly frames = new FrameReader()
  readonly #client: pg.Client
  readonly #socket: Duplex
  #closed = false
  #ended: Promise<void> | null = null

  /** Takes over a connected client. The client must not be used afterwards. */
  constructor(client: pg.Client, maxBytes: number) {
    this.#client = client
    this.#socket = (client as unknown as { connection: { stream: Duplex } }).connection.stream
    this.chunks = new ChunkQueue(this.#socket, maxBytes)
    this.#socket.removeAllListeners('data')
    this.#socket.on('data', (chunk: Buffer) => this.chunks.push(chunk))
    this.#socket.on('error', (error: Error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')))
    // a socket that is already destroyed emits no more events
    if (this.#socket.destroyed) this.#fail(new Error('the server closed the connection'))
  }

  #fail(cause: Error): void {
    if (this.#closed) return
    this.chunks.fail(errors.create('MR_PG_CONNECTION_LOST', { cause: messageOf(cause) }, { cause }))
  }

  /** Moves to the next frame. Returns false if no complete frame has arrived. */
  next(): boolean {
    while (!this.frames.next()) {
      const chunk = this.chunks.shift()
      if (chunk === null) return false
      this.frames.push(chunk)
    }
    return true
  }

  /** Waits for the next frame. Rejects if the connection is lost or `signal` aborts. */
  async frame(signal: AbortSignal): Promise<FrameReader> {
    while (!this.next()) await this.chunks.wait(signal)
    return this.frames
  }

  /** Sends a query with the simple protocol. Read its response with `frame`. */
  sendQuery(sql: string): void {
    const length = Buffer.byteLength(sql)
    const message = Buffer.allocUnsafe(length + 6)
    message[0] = 0x51
    message.writeInt32BE(length + 5, 1)
    message.write(sql, 5)
    message[length + 5] = 0
    this.#socket.write(message)
  }

  /** Runs statements and discards their rows. Throws a ServerError. */
  async execute(sql: string, signal: AbortSignal): Promise<void> {
    await this.rows(sql, signal)
  }

  /**
   * Runs statements and returns all their rows. Use it only for small results. Each row maps column
   * names to values as text.
   */
  async rows(sql: string, signal: AbortSignal): Promise<Record<string, string | null>[]> {
    this.sendQuery(sql)
    const out: Record<string, string | null>[] = []
    let names: string[] = []
    let failure: ServerError | null = null
    for (;;) {
      const f = await this.frame(signal)
      if (f.type === Frame.Error) failure = serverError(f)
      else if (f.type === Frame.RowDescription) names = columnNames(f)
      else if (f.type === Frame.DataRow) out.push(row(f, names))
      else if (f.type === Frame.Ready) {
        if (failure) throw failure
        return out
      }
      // after a fatal error, the server closes the connection and does not send ReadyForQuery
      if (failure?.severity === 'FATAL') throw failure
    }
  }

  /** Sends a payload as a CopyData message. */
  sendCopyData(payload: Buffer): void {
    if (this.#closed || this.#socket.destroyed) return
    const head = Buffer.allocUnsafe(5)
    head[0] = Frame.CopyData
    head.writeInt32BE(payload.length + 4, 1)
    this.#socket.write(Buffer.concat([head, payload]))
  }

  /**
   * Closes the connection and discards data that still arrives. Resolves when the server has closed
   * its side, which releases the slot and the locks. Destroys the socket after a second if the
   * server does not reply. A second call returns the same promise.
   */
  close(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    const socket = this.#socket
    this.#closed = true
    this.chunks.fail(new Error('closed'))
    this.#client.removeAllListeners('end')
    if (socket.closed) return
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
    const timer = setTimeout(() => socket.destroy(), 1000)
    // reads and discards the remaining data, because an unread socket never emits `close`
    socket.removeAllListeners('data')
    socket.resume()
    // with a Terminate message, the server releases the slot before the socket closes
    if (!socket.destroyed) socket.end(Buffer.from([0x58, 0, 0, 0, 4]))
    await closed
    clearTimeout(timer)
  }
}

function columnNames(f: FrameReader): string[] {
  const count = f.buf.readInt16BE(f.start)
  const names: string[] = []
  let at = f.start + 2
  for (let i = 0; i < count; i++) {
    const zero = f.buf.indexOf(0, at)
    names.push(f.buf.toString('utf8', at, zero))
    at = zero + 19
  }
  return names
}

function row(f: FrameReader, names: readonly string[]): Record<string, string | null> {
  const out: Record<string, string | null> = {}
  let at = f.start + 2
  for (const name of names) {
    const length = f.buf.readInt32BE(at)
    at += 4
    out[name] = length < 0 ? null : f.buf.toString('utf8', at, at + length)
    if (length > 0) at += length
  }
  return out
}
