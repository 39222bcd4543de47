import type { Logger, SourceOffset, SourceRecord, Struct } from 'millrace/connect'
import type { Heartbeat, TransactionMetadata } from '../../cdc/index.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { FrameReader } from '../client/frame-reader.ts'
import { Frame, isPublicationSkipped, serverError } from '../client/wire.ts'
import { errors } from '../errors.ts'
import { type Lsn, maxLsn, readLsn, ZERO } from '../lsn.ts'
import type { PostgresOptions } from '../options.ts'
import type { Progress } from '../session/progress.ts'
import type { ShapeCache } from '../shape-cache.ts'
import type { SourceBlocks } from '../source-block.ts'
import { type Begin, StreamCursor } from './cursor.ts'
import type { Emitter } from './emitter.ts'
import { MessageDecoder } from './message-decoder.ts'
import { Message, type PgMessage, readMicros, readRelation, readString } from './pgoutput.ts'
import type { StreamPosition } from './position.ts'
import { RelationShapes } from './relation-shapes.ts'
import type { ReplicationStream } from './replication-stream.ts'
import { RowDecoder } from './row-decoder.ts'

/** The kinds of replication messages, and the positions of their parts. */
const XLOG_DATA = 0x77
const XLOG_DATA_HEADER = 25
const KEEPALIVE = 0x6b
const KEEPALIVE_REPLY = 17

export interface StreamContext {
  readonly options: PostgresOptions
  readonly catalog: Catalog
  readonly shapes: ShapeCache
  readonly sources: SourceBlocks
  readonly emitter: Emitter
  readonly heartbeat: Heartbeat
  readonly progress: Progress
  readonly logger: Logger
  /** Counts the events of transactions; null without `provide.transaction.metadata`. */
  readonly transaction: TransactionMetadata | null
  /** Returns the slot's last known xmin, for events. */
  readonly xmin: () => number | null
  /**
   * Called when the server (PostgreSQL 18 or newer) reports that it skips changes made while the
   * publication did not exist. Throws if the publication still does not exist.
   */
  readonly publicationSkipped: (message: string) => Promise<void>
  /** Returns the fields that offsets contain until the snapshot is complete; null after that. */
  readonly extra: () => Readonly<Record<string, unknown>> | null
}

/**
 * The reader is between transactions, within a transaction, or stopped by the boundary before the
 * transaction `begin` (`held`).
 */
type ReaderState =
  | { readonly name: 'between' }
  | { readonly name: 'within' }
  | { readonly name: 'held'; readonly begin: Begin }

const BETWEEN: ReaderState = { name: 'between' }
const WITHIN: ReaderState = { name: 'within' }

/**
 * Reads one replication stream, and decodes the messages that have arrived. The position and the
 * transaction counts belong to the task, because the reader of the next connection continues them.
 */
export class StreamReader {
  readonly #stream: ReplicationStream
  readonly #context: StreamContext
  readonly #cursor: StreamCursor
  readonly #shapes: RelationShapes
  readonly #rows: RowDecoder
  readonly #messages: MessageDecoder
  readonly #message: PgMessage = { buf: Buffer.alloc(0), at: 0, end: 0, lsn: ZERO }
  #state: ReaderState = BETWEEN
  #reached: Lsn = ZERO
  #boundary: ((txId: number) => boolean) | null = null
  #isStatusRequested = false

  constructor(stream: ReplicationStream, position: StreamPosition, context: StreamContext) {
    const { options, emitter } = context
    this.#stream = stream
    this.#context = context
    this.#cursor = new StreamCursor({ ...context, position })
    this.#shapes = new RelationShapes(context)
    this.#rows = new RowDecoder({ ...context, cursor: this.#cursor, relations: this.#shapes })
    this.#messages = new MessageDecoder(options, this.#cursor, emitter)
  }

  /**
   * The position up to which the stream was read: the end of a transaction, or the end of WAL
   * without captured changes.
   */
  get reached(): Lsn {
    return this.#reached
  }

  /** Whether the boundary stopped reading before a transaction. */
  get held(): boolean {
    return this.#state.name === 'held'
  }

  /**
   * The position up to which the stream was read between transactions; null inside a transaction.
   */
  get idleLsn(): Lsn | null {
    return this.#state.name === 'between' ? maxLsn(this.#reached, this.#cursor.startLsn) : null
  }

  /** Returns whether the server has requested a status update since the last call. */
  takeStatusRequest(): boolean {
    const isRequested = this.#isStatusRequested
    this.#isStatusRequested = false
    return isRequested
  }

  /**
   * Returns the offset after the last transaction. With `isIdle`, returns the offset after all WAL
   * that was read. Call this method only between transactions.
   */
  offsetNow(isIdle: boolean): SourceOffset {
    if (isIdle && this.idleLsn !== null) this.#cursor.idle(this.idleLsn)
    this.#cursor.updateOffset()
    return this.#cursor.offset
  }

  /**
   * Sets the boundary: reading stops before the first transaction for which `boundary` returns
   * true. Null removes the boundary.
   */
  setBoundary(boundary: ((txId: number) => boolean) | null): void {
    this.#boundary = boundary
    this.#cursor.updateOffset()
  }

  /** Returns the heartbeat that is due, with the current offset; null if no heartbeat is due. */
  heartbeat(): SourceRecord | null {
    const { heartbeat, options } = this.#context
    return heartbeat.due({ server: options.prefix }, this.#cursor.currentOffset())
  }

  /**
   * Returns the records of the messages that have arrived, up to about `max` records. Returns an
   * empty array if no whole message has arrived.
   */
  async read(max: number): Promise<SourceRecord[]> {
    const out: SourceRecord[] = []
    const { connection } = this.#stream
    this.#cursor.startRead()
    if (this.#state.name === 'held') this.#begin(out, this.#state.begin)
    while (out.length < max && this.#state.name !== 'held' && connection.next()) {
      const pending = this.#frame(out, connection.frames)
      if (pending) await pending
    }
    return out
  }

  #frame(out: SourceRecord[], frame: FrameReader): Promise<void> | null {
    switch (frame.type) {
      case Frame.CopyData:
        return this.#copyData(out, frame)
      case Frame.Error:
        throw serverError(frame)
      case Frame.CopyDone:
        throw errors.create('MR_PG_CONNECTION_LOST', { cause: 'the server ended the stream' })
      case Frame.Notice: {
        const notice = serverError(frame)
        return isPublicationSkipped(notice) ? this.#context.publicationSkipped(notice.message) : null
      }
      default:
        return null
    }
  }

  #copyData(out: SourceRecord[], { buf, start, end }: FrameReader): Promise<void> | null {
    const kind = buf[start]
    if (kind === XLOG_DATA) {
      const message = this.#message
      message.buf = buf
      message.at = start + XLOG_DATA_HEADER + 1
      message.end = end
      message.lsn = readLsn(buf, start + 1)
      return this.#decode(out, buf[start + XLOG_DATA_HEADER]!, message)
    }
    if (kind === KEEPALIVE) {
      if (this.#state.name === 'between') this.#reached = maxLsn(this.#reached, readLsn(buf, start + 1))
      if (buf[start + KEEPALIVE_REPLY] === 1) {
        this.#isStatusRequested = true
        this.#stream.reply()
      }
    }
    return null
  }

  /** Decodes a message of pgoutput. Returns a promise only if the catalog must be read. */
  #decode(out: SourceRecord[], type: number, message: PgMessage): Promise<void> | null {
    const { buf, at, end, lsn } = message
    switch (type) {
      case Message.Insert:
        return this.#rows.decode(out, 'INSERT', message)
      case Message.Update:
        return this.#rows.decode(out, 'UPDATE', message)
      case Message.Delete:
        return this.#rows.decode(out, 'DELETE', message)
      case Message.Begin:
        this.#begin(out, { lsn, micros: readMicros(buf, at + 8), txId: buf.readUInt32BE(at + 16) })
        return null
      case Message.Commit:
        this.#commit(out, lsn)
        return null
      case Message.Relation:
        return this.#shapes.describe(readRelation(buf, at, end), this.#cursor.txId)
      case Message.Truncate:
        this.#rows.truncate(out, message)
        return null
      case Message.Logical:
        this.#messages.decode(out, message, this.#state.name === 'within')
        return null
      case Message.Origin:
        this.#cursor.setOrigin({ name: readString(buf, at + 8, end).value, lsn: readLsn(buf, at) })
        return null
      case Message.Type:
        return null
      default:
        throw errors.create('MR_PG_PROTOCOL', { cause: `a message of the unknown type ${type}` })
    }
  }

  #begin(out: SourceRecord[], begin: Begin): void {
    if (this.#boundary?.(begin.txId)) {
      this.#state = { name: 'held', begin }
      return
    }
    this.#state = WITHIN
    if (!this.#cursor.begin(begin)) return
    const { transaction } = this.#context
    if (transaction === null) return
    const id = this.#cursor.transactionId(begin.lsn)
    this.#emitTransaction(out, id, transaction.beginValue(id, this.#cursor.commitTime.ms))
  }

  #commit(out: SourceRecord[], lsn: Lsn): void {
    this.#cursor.commit(lsn)
    this.#context.progress.transactions++
    this.#state = BETWEEN
    this.#reached = maxLsn(this.#reached, lsn)
    const { transaction } = this.#context
    if (transaction === null) return
    const id = this.#cursor.transactionId(lsn)
    this.#emitTransaction(out, id, transaction.endValue(id, this.#cursor.commitTime.ms))
  }

  #emitTransaction(out: SourceRecord[], id: string, value: Struct): void {
    const { emitter, options } = this.#context
    this.#cursor.updateOffset()
    out.push(emitter.transaction(options.topics.transaction(), id, value, this.#cursor.offset))
  }
}
