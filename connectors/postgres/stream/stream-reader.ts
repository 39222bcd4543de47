import type { Logger, SourceOffset, SourceRecord, Struct } from 'millrace/connect'
import {
  type EventTime,
  eventTime,
  type Heartbeat,
  matchesAny,
  nowMicros,
  type Operation,
  type TableName,
  type TransactionMetadata,
} from '../../cdc/index.ts'
import type { Catalog, Relation } from '../catalog/catalog.ts'
import { Frame, isPublicationSkipped, serverError } from '../client/wire.ts'
import { errors } from '../errors.ts'
import { type Lsn, maxLsn, readLsn, ZERO } from '../lsn.ts'
import type { MessageType } from '../offset.ts'
import type { PostgresOptions } from '../options.ts'
import { NULL, TuplePlaces, UNAVAILABLE } from '../row-mapper.ts'
import type { Progress } from '../session/progress.ts'
import type { ShapeCache } from '../shape-cache.ts'
import type { Origin, SourceBlocks } from '../source-block.ts'
import { structsEqual, type TableShape } from '../table-shape.ts'
import type { Emitter } from './emitter.ts'
import { Message, readMicros, readRelation, readString, readTuple } from './pgoutput.ts'
import { ResumeFilter, type StreamPosition } from './position.ts'
import type { ReplicationStream } from './replication-stream.ts'

/** The name under which messages are counted in transaction metadata. */
const MESSAGES = 'LOGICAL_DECODING_MESSAGE'
const NO_TABLE: TableName = { schema: '', table: '' }

export interface StreamContext {
  readonly options: PostgresOptions
  readonly catalog: Catalog
  readonly shapes: ShapeCache
  readonly sources: SourceBlocks
  readonly emitter: Emitter
  readonly heartbeat: Heartbeat
  readonly progress: Progress
  readonly logger: Logger
  /** The slot's xmin as last read, for events. */
  readonly xmin: () => number | null
  /**
   * PostgreSQL 18 and newer skip changes made without the publication. Throws if it still does not
   * exist.
   */
  readonly publicationSkipped: (message: string) => Promise<void>
  /** What offsets hold besides the position: a snapshot that is not through yet. */
  readonly extra: () => Readonly<Record<string, unknown>> | null
}

/**
 * Reads one replication stream: decodes what has arrived, when it is asked for. Everything that must outlive a lost connection
 * (the position, the counts of a transaction) is given in and kept by the task.
 */
export class StreamReader {
  readonly #stream: ReplicationStream
  readonly #position: StreamPosition
  readonly #transaction: TransactionMetadata | null
  readonly #context: StreamContext
  readonly #resume: ResumeFilter
  readonly #shapes = new Map<number, { shape: TableShape; relation: Relation } | null>()
  readonly #nullsAsked = new WeakSet<TableShape>()
  readonly #old = new TuplePlaces()
  readonly #new = new TuplePlaces()
  #txId = 0
  #inTransaction = false
  #commitTime: EventTime = eventTime(0)
  #origin: Origin | null = null
  #now: EventTime = eventTime(0)
  /** The offset after the last event; what a delete before its tombstone carries. */
  #offset: SourceOffset
  #reached: Lsn = ZERO
  #boundary: ((txId: number) => boolean) | null = null
  #asked = false
  #held: { readonly micros: number; readonly txId: number; readonly lsn: Lsn } | null = null

  constructor(
    stream: ReplicationStream,
    position: StreamPosition,
    transaction: TransactionMetadata | null,
    context: StreamContext,
  ) {
    this.#stream = stream
    this.#position = position
    this.#transaction = transaction
    this.#context = context
    this.#resume = new ResumeFilter(position)
    this.#offset = this.#makeOffset()
  }

  #makeOffset(): SourceOffset {
    const offset = this.#position.offset(this.#transaction?.offset() ?? null)
    const extra = this.#context.extra()
    return extra === null ? offset : { ...offset, ...extra }
  }

  /** How far the stream was read: to the end of a transaction or where the server said that nothing else is. */
  get reached(): Lsn {
    return this.#reached
  }

  /** Whether reading stopped before a transaction at the boundary. */
  get held(): boolean {
    return this.#held !== null
  }

  /** How far the stream was read between transactions; null inside one. */
  get idleLsn(): Lsn | null {
    return this.#inTransaction || this.#held !== null ? null : maxLsn(this.#reached, this.#position.startLsn())
  }

  /** Whether the server has requested a status update since the last call. */
  takeAsked(): boolean {
    const asked = this.#asked
    this.#asked = false
    return asked
  }

  /**
   * The offset after the last transaction; with `idle`, after everything read. Only between
   * transactions.
   */
  offsetNow(idle: boolean): SourceOffset {
    if (idle && this.idleLsn !== null) this.#position.idle(this.idleLsn)
    this.#offset = this.#makeOffset()
    return this.#offset
  }

  /** Stops before the first transaction for which this is true, until it is set to null again. */
  setBoundary(boundary: ((txId: number) => boolean) | null): void {
    this.#boundary = boundary
    this.#offset = this.#makeOffset()
  }

  /** Decodes what has arrived, up to about `max` records; empty when nothing whole has. */
  async read(max: number): Promise<SourceRecord[]> {
    const out: SourceRecord[] = []
    const { connection } = this.#stream
    this.#now = eventTime(nowMicros())
    if (this.#held) {
      const { micros, txId, lsn } = this.#held
      if (this.#boundary?.(txId)) return out
      this.#held = null
      this.#begin(out, micros, txId, lsn)
    }
    while (out.length < max && this.#held === null && connection.next()) {
      const f = connection.frames
      if (f.type === Frame.CopyData) {
        const kind = f.buf[f.start]
        if (kind === 0x77) {
          const pending = this.#data(out, f.buf, f.start + 25, f.end, readLsn(f.buf, f.start + 1))
          if (pending) await pending
        } else if (kind === 0x6b) {
          const walEnd = readLsn(f.buf, f.start + 1)
          if (!this.#inTransaction) this.#reached = maxLsn(this.#reached, walEnd)
          if (f.buf[f.start + 17] === 1) {
            this.#asked = true
            this.#stream.answer()
          }
        }
      } else if (f.type === Frame.Error) {
        throw serverError(f)
      } else if (f.type === Frame.CopyDone) {
        throw errors.create('MR_PG_CONNECTION_LOST', { cause: 'the server ended the stream' })
      } else if (f.type === Frame.Notice && isPublicationSkipped(serverError(f))) {
        await this.#context.publicationSkipped(serverError(f).message)
      }
      // other notices and parameters say nothing here
    }
    return out
  }

  /** One message of pgoutput. A promise only where the catalogue must be asked. */
  #data(out: SourceRecord[], buf: Buffer, start: number, end: number, lsn: Lsn): Promise<void> | null {
    const at = start + 1
    switch (buf[start]) {
      case Message.Insert:
        return this.#insert(out, buf, at, end, lsn)
      case Message.Update:
        return this.#update(out, buf, at, end, lsn)
      case Message.Delete:
        return this.#delete(out, buf, at, end, lsn)
      case Message.Begin:
        this.#begin(out, readMicros(buf, at + 8), buf.readUInt32BE(at + 16), lsn)
        return null
      case Message.Commit:
        this.#commit(out, lsn)
        return null
      case Message.Relation:
        return this.#relation(readRelation(buf, at, end))
      case Message.Truncate:
        this.#truncate(out, buf, at, lsn)
        return null
      case Message.Logical:
        this.#logical(out, buf, at, end, lsn)
        return null
      case Message.Origin:
        this.#origin = { name: readString(buf, at + 8, end).value, lsn: readLsn(buf, at) }
        return null
      case Message.Type:
        return null
      default:
        throw errors.create('MR_PG_PROTOCOL', { cause: `a message of the unknown type ${buf[start]}` })
    }
  }

  #begin(out: SourceRecord[], micros: number, txId: number, lsn: Lsn): void {
    if (this.#boundary?.(txId)) {
      this.#held = { micros, txId, lsn }
      return
    }
    const resumed = this.#resume.begin(txId)
    this.#inTransaction = true
    this.#txId = txId
    this.#commitTime = eventTime(micros)
    this.#origin = null
    if (resumed) return
    this.#position.begin(lsn, txId, micros)
    if (!this.#transaction) return
    this.#transaction.begin(String(txId))
    const id = `${txId}:${lsn}`
    this.#transactionRecord(out, id, this.#transaction.beginValue(id, this.#commitTime.ms))
  }

  #commit(out: SourceRecord[], lsn: Lsn): void {
    this.#resume.commit()
    this.#position.commit(lsn)
    this.#context.progress.transactions++
    this.#inTransaction = false
    this.#reached = maxLsn(this.#reached, lsn)
    if (this.#transaction) {
      const id = `${this.#txId}:${lsn}`
      this.#transactionRecord(out, id, this.#transaction.endValue(id, this.#commitTime.ms))
    }
  }

  #transactionRecord(out: SourceRecord[], id: string, value: Struct): void {
    this.#give()
    out.push(this.#context.emitter.transaction(this.#context.options.topics.transaction(), id, value, this.#offset))
  }

  /** The position moved with a record that is about to be given. */
  #give(): void {
    this.#offset = this.#makeOffset()
  }

  async #relation(relation: Relation): Promise<void> {
    this.#shapes.set(relation.oid, await this.#shapeOf(relation))
  }

  async #shapeOf(relation: Relation): Promise<{ shape: TableShape; relation: Relation } | null> {
    if (!this.#context.options.selection.hasTable(relation)) return null
    const input = await this.#context.catalog.describeRelation(relation, this.#txId)
    return { shape: this.#context.shapes.get(input), relation }
  }

  #shape(buf: Buffer, at: number): TableShape | null {
    const known = this.#shapes.get(buf.readUInt32BE(at))
    if (known === undefined)
      throw errors.create('MR_PG_PROTOCOL', {
        cause: `a change of relation ${buf.readUInt32BE(at)}, which was not described`,
      })
    return known === null ? null : known.shape
  }

  #source(shape: TableName, lsn: Lsn): Struct {
    const { sources, xmin } = this.#context
    const { lsnCommit } = this.#position
    return sources.make(shape, this.#commitTime, 'false', lsn, lsnCommit, this.#txId, xmin(), this.#origin)
  }

  #transactionBlock(id: string, lsn: Lsn): Struct | null {
    return this.#transaction === null ? null : this.#transaction.event(id, `${this.#txId}:${lsn}`)
  }

  /**
   * Emits an event, unless it was emitted before a restart. Calls `make` again with a new shape if
   * a row shows that a type has changed: a new enum label, or NULL in a domain that was NOT NULL.
   */
  #event(
    out: SourceRecord[],
    shape: TableShape,
    lsn: Lsn,
    type: MessageType,
    oid: number,
    make: (shape: TableShape) => void,
  ): Promise<void> | null {
    if (this.#resume.skips(lsn)) return null
    const before = out.length
    this.#position.event(lsn, type)
    this.#offset = this.#makeOffset()
    make(shape)
    if (!shape.stale) return null
    return this.#again(out, before, oid, make)
  }

  async #again(out: SourceRecord[], length: number, oid: number, make: (shape: TableShape) => void): Promise<void> {
    const known = this.#shapes.get(oid)
    if (!known) return
    known.shape.stale = false
    const fresh = await this.#shapeOf(known.relation)
    this.#shapes.set(oid, fresh)
    // a label that the type does not even have now (it was renamed) stays as it came
    if (!fresh || fresh.shape === known.shape) return
    out.length = length
    make(fresh.shape)
    fresh.shape.stale = false
  }

  #insert(out: SourceRecord[], buf: Buffer, at: number, end: number, lsn: Lsn): Promise<void> | null {
    const shape = this.#shape(buf, at)
    if (shape === null || this.#context.options.skipped.has('c')) return null
    const previous = this.#offset
    let transaction: Struct | null | undefined
    return this.#event(out, shape, lsn, 'INSERT', buf.readUInt32BE(at), s => {
      const places = this.#new
      readTuple(buf, at + 5, end, places)
      this.#lookForNulls(s)
      transaction ??= this.#transactionBlock(s.id, lsn)
      const after = s.row(buf, places.starts, places.ends)
      const key = s.key === null ? null : s.key(buf, places.starts, places.ends)
      this.#change(out, s, 'c', key, null, after, lsn, transaction, previous)
    })
  }

  #update(out: SourceRecord[], buf: Buffer, at: number, end: number, lsn: Lsn): Promise<void> | null {
    const shape = this.#shape(buf, at)
    if (shape === null || this.#context.options.skipped.has('u')) return null
    const previous = this.#offset
    const blocks: (Struct | null)[] = []
    const block = (i: number, s: TableShape) => (blocks[i] ??= this.#transactionBlock(s.id, lsn))
    return this.#event(out, shape, lsn, 'UPDATE', buf.readUInt32BE(at), s => {
      const old = this.#old
      const now = this.#new
      const kind = buf[at + 4]
      // 'K' is the old key, 'O' the whole old row (REPLICA IDENTITY FULL), 'N' the new row
      const hasOld = kind !== 0x4e
      const next = hasOld ? readTuple(buf, at + 5, end, old) : at + 4
      readTuple(buf, next + 1, end, now)
      if (hasOld) this.#takeUntouched(buf, next + 1)
      this.#lookForNulls(s)
      const after = s.row(buf, now.starts, now.ends)
      const before = hasOld ? s.row(buf, old.starts, old.ends) : null
      const key = s.key === null ? null : s.key(buf, now.starts, now.ends)
      const oldKey = hasOld && s.key !== null ? s.key(buf, old.starts, old.ends) : null
      if (this.#context.options.skipUnchanged && before !== null && structsEqual(before, after)) return
      if (key !== null && oldKey !== null && !structsEqual(key, oldKey)) {
        const { emitter } = this.#context
        const source = this.#source(s.name, lsn)
        const transactions = [block(0, s), block(1, s)] as const
        this.#count('u')
        emitter.keyChange(out, s, oldKey, key, before, after, source, transactions, this.#now, this.#offset, previous)
      } else {
        this.#change(out, s, 'u', key, before, after, lsn, block(0, s), previous)
      }
    })
  }

  /**
   * A NULL in a new row although its domain was NOT NULL: reads the domain again, once per shape.
   */
  #lookForNulls(shape: TableShape): void {
    if (shape.requiredByDomain.length === 0 || this.#nullsAsked.has(shape)) return
    if (!shape.requiredByDomain.some(column => this.#new.starts[column] === NULL)) return
    this.#nullsAsked.add(shape)
    shape.stale = true
  }

  /** A value that did not change and was not sent anew stands in the old row, where that was sent whole. */
  #takeUntouched(buf: Buffer, tuple: number): void {
    const { starts, ends } = this.#new
    const count = buf.readUInt16BE(tuple)
    for (let i = 0; i < count; i++) {
      if (starts[i] !== UNAVAILABLE || this.#old.starts[i]! < 0) continue
      starts[i] = this.#old.starts[i]!
      ends[i] = this.#old.ends[i]!
    }
  }

  #delete(out: SourceRecord[], buf: Buffer, at: number, end: number, lsn: Lsn): Promise<void> | null {
    const shape = this.#shape(buf, at)
    if (shape === null || this.#context.options.skipped.has('d')) return null
    const previous = this.#offset
    let transaction: Struct | null | undefined
    return this.#event(out, shape, lsn, 'DELETE', buf.readUInt32BE(at), s => {
      const places = this.#old
      readTuple(buf, at + 5, end, places)
      transaction ??= this.#transactionBlock(s.id, lsn)
      const before = s.row(buf, places.starts, places.ends)
      const key = s.key === null ? null : s.key(buf, places.starts, places.ends)
      this.#change(out, s, 'd', key, before, null, lsn, transaction, previous)
    })
  }

  #truncate(out: SourceRecord[], buf: Buffer, at: number, lsn: Lsn): void {
    if (this.#context.options.skipped.has('t')) return
    const count = buf.readUInt32BE(at)
    for (let i = 0; i < count; i++) {
      const shape = this.#shape(buf, at + 5 + i * 4)
      if (shape === null) continue
      const previous = this.#offset
      // A truncation has no row that could show a changed type, so there is nothing to wait for.
      void this.#event(out, shape, lsn, 'TRUNCATE', 0, s => {
        this.#change(out, s, 't', null, null, null, lsn, this.#transactionBlock(s.id, lsn), previous)
      })
    }
  }

  #change(
    out: SourceRecord[],
    shape: TableShape,
    op: Operation,
    key: Struct | null,
    before: Struct | null,
    after: Struct | null,
    lsn: Lsn,
    transaction: Struct | null,
    previous: SourceOffset,
  ): void {
    const source = this.#source(shape.name, lsn)
    const { emitter } = this.#context
    this.#count(op)
    emitter.change(out, shape, op, key, before, after, source, transaction, this.#now, this.#offset, previous)
  }

  #count(op: Operation): void {
    const { progress } = this.#context
    progress.events[op]++
    progress.lastEventAt = this.#now.ms
    progress.lastCommitAt = this.#commitTime.ms
  }

  #logical(out: SourceRecord[], buf: Buffer, at: number, end: number, lsn: Lsn): void {
    const { options, emitter, sources, xmin } = this.#context
    const transactional = buf[at] === 1
    const prefix = readString(buf, at + 9, end)
    const include = options.messageInclude
    const exclude = options.messageExclude
    const wanted = (!include || matchesAny(include, prefix.value)) && !(exclude && matchesAny(exclude, prefix.value))
    const length = buf.readUInt32BE(prefix.next)
    const content = Buffer.from(buf.subarray(prefix.next + 4, prefix.next + 4 + length))
    let block: Struct | null = null
    if (transactional) {
      if (this.#resume.skips(lsn)) return
      if (!wanted) return
      this.#position.event(lsn, 'MESSAGE')
      // a message is no event of a table: it does not count among those that share its position
      this.#position.eventsAtLsn = 0
      block = this.#transactionBlock(MESSAGES, lsn)
    } else {
      // it stands outside of transactions and is done with by itself
      if (this.#position.lsnCommit !== null && lsn <= this.#position.lsnCommit && !this.#inTransaction) return
      if (!wanted) return
      this.#position.txId = null
      this.#position.commit(lsn, 'MESSAGE')
    }
    this.#give()
    const { lsnCommit } = this.#position
    const txId = transactional ? this.#txId : null
    const source = sources.make(NO_TABLE, this.#commitTime, 'false', lsn, lsnCommit, txId, xmin(), this.#origin)
    const topic = options.topics.message()
    out.push(emitter.message(topic, prefix.value, content, source, block, this.#now.ms, this.#offset))
  }

  /** The heartbeat that is due, with the present offset. */
  heartbeat(): SourceRecord | null {
    const { heartbeat, options } = this.#context
    return heartbeat.due({ server: options.prefix }, this.#makeOffset())
  }
}
