import type { SourceRecord, Struct } from 'millrace/connect'
import type { Operation } from '../../cdc/index.ts'
import type { Lsn } from '../lsn.ts'
import type { PostgresOptions } from '../options.ts'
import { NULL, UNAVAILABLE, ValueBounds } from '../row-mapper.ts'
import type { Progress } from '../session/progress.ts'
import { structsEqual, type TableShape } from '../table-shape.ts'
import type { StreamCursor } from './cursor.ts'
import type { Emitter } from './emitter.ts'
import { type PgMessage, readTuple } from './pgoutput.ts'
import type { RelationShapes } from './relation-shapes.ts'

type RowType = 'INSERT' | 'UPDATE' | 'DELETE'

const OPERATIONS = { INSERT: 'c', UPDATE: 'u', DELETE: 'd' } as const

/**
 * The byte before the tuple of the new row. In an UPDATE, the old key or the old row may come
 * first.
 */
const NEW_ROW = 0x4e

/** A row before and after a change. */
interface RowChange {
  readonly op: Operation
  readonly key: Struct | null
  readonly before: Struct | null
  readonly after: Struct | null
}

export interface RowContext {
  readonly options: PostgresOptions
  readonly cursor: StreamCursor
  readonly relations: RelationShapes
  readonly emitter: Emitter
  readonly progress: Progress
}

/** Decodes the row changes of a stream and emits their events. */
export class RowDecoder {
  readonly #options: PostgresOptions
  readonly #cursor: StreamCursor
  readonly #shapes: RelationShapes
  readonly #emitter: Emitter
  readonly #progress: Progress
  readonly #checkedForNulls = new WeakSet<TableShape>()
  readonly #old = new ValueBounds()
  readonly #new = new ValueBounds()
  /**
   * The transaction blocks of the current change. They are kept, so that a change that is decoded
   * twice is counted once.
   */
  #block: Struct | null = null
  #secondBlock: Struct | null = null

  constructor(context: RowContext) {
    this.#options = context.options
    this.#cursor = context.cursor
    this.#shapes = context.relations
    this.#emitter = context.emitter
    this.#progress = context.progress
  }

  /**
   * Emits the events of a change, unless the change was emitted before a restart. Returns a promise
   * only if the row shows that a type has changed.
   */
  decode(out: SourceRecord[], type: RowType, message: PgMessage): Promise<void> | null {
    const shape = this.#shapes.get(message.buf.readUInt32BE(message.at))
    if (shape === null || this.#options.skipped.has(OPERATIONS[type])) return null
    if (!this.#cursor.event(message.lsn, type)) return null
    this.#block = null
    this.#secondBlock = null
    const length = out.length
    this.#emit(out, type, shape, message)
    if (out.length > length) this.#count(OPERATIONS[type])
    return shape.stale ? this.#decodeAgain(out, length, type, message) : null
  }

  /**
   * Replaces the events of a change with the events of a new shape, because an enum has a new label
   * or a domain allows NULL.
   */
  async #decodeAgain(out: SourceRecord[], length: number, type: RowType, message: PgMessage): Promise<void> {
    const fresh = await this.#shapes.reread(message.buf.readUInt32BE(message.at), this.#cursor.txId)
    if (fresh === null) return
    out.length = length
    this.#emit(out, type, fresh, message)
    fresh.stale = false
  }

  #emit(out: SourceRecord[], type: RowType, shape: TableShape, message: PgMessage): void {
    if (type === 'INSERT') this.#insert(out, shape, message)
    else if (type === 'UPDATE') this.#update(out, shape, message)
    else this.#delete(out, shape, message)
  }

  #insert(out: SourceRecord[], shape: TableShape, { buf, at, end, lsn }: PgMessage): void {
    const bounds = this.#new
    readTuple(buf, at + 5, end, bounds)
    this.#checkForNulls(shape)
    const after = shape.row(buf, bounds.starts, bounds.ends)
    const key = shape.key === null ? null : shape.key(buf, bounds.starts, bounds.ends)
    this.#change(out, shape, lsn, { op: 'c', key, before: null, after })
  }

  #update(out: SourceRecord[], shape: TableShape, { buf, at, end, lsn }: PgMessage): void {
    const old = this.#old
    const now = this.#new
    const hasOld = buf[at + 4] !== NEW_ROW
    const next = hasOld ? readTuple(buf, at + 5, end, old) : at + 4
    readTuple(buf, next + 1, end, now)
    if (hasOld) this.#takeUnchanged(buf.readUInt16BE(next + 1))
    this.#checkForNulls(shape)
    const after = shape.row(buf, now.starts, now.ends)
    const before = hasOld ? shape.row(buf, old.starts, old.ends) : null
    const key = shape.key === null ? null : shape.key(buf, now.starts, now.ends)
    const oldKey = hasOld && shape.key !== null ? shape.key(buf, old.starts, old.ends) : null
    if (this.#options.skipUnchanged && before !== null && structsEqual(before, after)) {
      this.#cursor.updateOffset()
      return
    }
    if (key === null || oldKey === null || structsEqual(key, oldKey)) {
      this.#change(out, shape, lsn, { op: 'u', key, before, after })
      return
    }
    this.#block ??= this.#cursor.transactionBlock(shape.id, lsn)
    this.#secondBlock ??= this.#cursor.transactionBlock(shape.id, lsn)
    this.#cursor.updateOffset()
    const { now: time, offset, previous } = this.#cursor
    const source = this.#cursor.source(shape.name, lsn)
    const transactions = [this.#block, this.#secondBlock] as const
    this.#emitter.keyChange(out, { shape, oldKey, key, before, after, source, transactions, time, offset, previous })
  }

  #delete(out: SourceRecord[], shape: TableShape, { buf, at, end, lsn }: PgMessage): void {
    const bounds = this.#old
    readTuple(buf, at + 5, end, bounds)
    const before = shape.row(buf, bounds.starts, bounds.ends)
    const key = shape.key === null ? null : shape.key(buf, bounds.starts, bounds.ends)
    this.#change(out, shape, lsn, { op: 'd', key, before, after: null })
  }

  truncate(out: SourceRecord[], { buf, at, lsn }: PgMessage): void {
    if (this.#options.skipped.has('t')) return
    const count = buf.readUInt32BE(at)
    for (let i = 0; i < count; i++) {
      const shape = this.#shapes.get(buf.readUInt32BE(at + 5 + i * 4))
      if (shape === null || !this.#cursor.event(lsn, 'TRUNCATE')) continue
      this.#block = null
      this.#change(out, shape, lsn, { op: 't', key: null, before: null, after: null })
      this.#count('t')
    }
  }

  #change(out: SourceRecord[], shape: TableShape, lsn: Lsn, { op, key, before, after }: RowChange): void {
    this.#block ??= this.#cursor.transactionBlock(shape.id, lsn)
    this.#cursor.updateOffset()
    const { now: time, offset, previous } = this.#cursor
    const source = this.#cursor.source(shape.name, lsn)
    const transaction = this.#block
    this.#emitter.change(out, { shape, op, key, before, after, source, transaction, time, offset, previous })
  }

  #count(op: Operation): void {
    const progress = this.#progress
    progress.events[op]++
    progress.lastEventAt = this.#cursor.now.ms
    progress.lastCommitAt = this.#cursor.commitTime.ms
  }

  /**
   * Marks the shape as stale if the new row has NULL in a column of a NOT NULL domain, because the
   * domain may have changed. Marks each shape only once.
   */
  #checkForNulls(shape: TableShape): void {
    if (shape.requiredByDomain.length === 0 || this.#checkedForNulls.has(shape)) return
    if (!shape.requiredByDomain.some(column => this.#new.starts[column] === NULL)) return
    this.#checkedForNulls.add(shape)
    shape.stale = true
  }

  /**
   * Copies unchanged TOAST values, which the new row does not contain, from the old row, if the
   * server sent them.
   */
  #takeUnchanged(columns: number): void {
    const { starts, ends } = this.#new
    for (let i = 0; i < columns; i++) {
      if (starts[i] !== UNAVAILABLE || this.#old.starts[i]! < 0) continue
      starts[i] = this.#old.starts[i]!
      ends[i] = this.#old.ends[i]!
    }
  }
}
