import type { Header, SourceOffset, SourcePartition, SourceRecord, Struct } from 'millrace/connect'
import { type EventTime, envelope, eventTime, nowMicros, type SnapshotMark } from '../../cdc/index.ts'
import { quoted, quotedTable } from '../catalog/tables.ts'
import { snapshotFailure } from '../client/failure.ts'
import type { FrameReader } from '../client/frame-reader.ts'
import { Frame, serverError, type WireConnection } from '../client/wire.ts'
import type { Lsn } from '../lsn.ts'
import type { SnapshotProgress } from '../offset.ts'
import { NULL, ValueBounds } from '../row-mapper.ts'
import type { SourceBlocks } from '../source-block.ts'
import type { TableShape } from '../table-shape.ts'

/** A table that a snapshot reads. */
export interface SnapshotTable {
  readonly shape: TableShape
  /**
   * The primary key if the table is read in the order of the key, so that a later attempt can
   * resume within the table; otherwise null.
   */
  readonly order: readonly string[] | null
  /** The query that is run instead of reading the table; null to read the table. */
  readonly override: string | null
}

/** The position, the transaction id and the time of a snapshot. */
export interface SnapshotMoment {
  readonly lsn: Lsn
  readonly txId: number
  /** The time of the snapshot, in microseconds since 1970. */
  readonly at: number
  /**
   * The end of the last transaction that was streamed before the snapshot; null if nothing was
   * streamed.
   */
  readonly lastCommit: Lsn | null
}

export interface SnapshotContext {
  readonly connection: WireConnection
  readonly tables: readonly SnapshotTable[]
  /** The digest of the list of tables, for the progress. */
  readonly digest: string
  readonly moment: SnapshotMoment
  readonly sources: SourceBlocks
  readonly partition: SourcePartition
  readonly headers: readonly Header[]
  /** The setting `database.user`, for errors. */
  readonly user: string
  /** Returns the offset of a record. `progress` is null for the last record. */
  readonly offset: (progress: SnapshotProgress | null, last: boolean) => SourceOffset
}

interface Row {
  readonly table: SnapshotTable
  readonly tableAt: number
  readonly isFirst: boolean
  readonly key: Struct | null
  readonly value: Struct
  readonly keyTexts: readonly string[] | null
  readonly time: EventTime
}

/**
 * Reads the tables one after the other. One query reads each table, and the rows are decoded when
 * they are needed. A row is emitted only when the next row or the end has arrived, because the last
 * row has its own snapshot mark.
 */
export class SnapshotReader {
  readonly #context: SnapshotContext
  readonly #bounds = new ValueBounds()
  #at: number
  /** The key of the row after which the table at `#at` is read; null to read the whole table. */
  #after: readonly string[] | null
  #running = false
  #keyIndexes: readonly number[] | null = null
  #firstOfTable = true
  #pending: Row | null = null
  /** The progress after the last emitted row. */
  #progress: SnapshotProgress
  /** The offset before the current batch. All rows of the batch except the last one get it. */
  #offset: SourceOffset
  #done = false
  readonly #blocks = new Map<SnapshotMark, Struct>()
  #blocksOf: TableShape | null = null
  rows = 0
  /** The number of rows that were emitted, by table. */
  readonly tableRows: number[]

  constructor(context: SnapshotContext, from: SnapshotProgress | null) {
    this.#context = context
    this.tableRows = context.tables.map(() => 0)
    const usable = from !== null && from.tables === context.digest && from.at <= context.tables.length ? from : null
    this.#at = usable?.at ?? 0
    this.#after = usable?.after ?? null
    this.#progress = { tables: context.digest, at: this.#at, after: this.#after }
    this.#offset = context.offset(this.#progress, false)
  }

  get done(): boolean {
    return this.#done
  }

  get progress(): SnapshotProgress {
    return this.#progress
  }

  /**
   * Returns the next rows: about `max` at most, and at least one unless the snapshot is complete.
   */
  async read(max: number, signal: AbortSignal): Promise<SourceRecord[]> {
    const out: SourceRecord[] = []
    const { connection, tables } = this.#context
    const now = eventTime(nowMicros())
    while (!this.#done && out.length < max) {
      if (!this.#running) {
        if (this.#at >= tables.length) {
          this.#finish(out)
          break
        }
        this.#start()
      }
      if (!connection.next()) {
        if (out.length > 0) break
        await connection.chunks.wait(signal)
        continue
      }
      this.#frame(out, connection.frames, now)
    }
    this.#moveOffset(out)
    return out
  }

  #frame(out: SourceRecord[], f: FrameReader, now: EventTime): void {
    switch (f.type) {
      case Frame.DataRow:
        this.#row(out, f, now)
        break
      case Frame.Error:
        throw this.#failure(serverError(f))
      case Frame.Ready:
        this.#running = false
        this.#at++
        this.#after = null
        break
      default:
        // row descriptions, command tags and notices are not needed
        break
    }
  }

  #failure(cause: Error): Error {
    const table = this.#context.tables[this.#at]
    const isOverride = (table?.override ?? null) !== null
    return snapshotFailure(cause, { table: table?.shape.id ?? 'unknown', user: this.#context.user, isOverride })
  }

  #start(): void {
    const table = this.#context.tables[this.#at]!
    const { shape, order } = table
    const names = shape.columns.map(c => c.name)
    this.#keyIndexes = order === null ? null : order.map(k => names.indexOf(k))
    this.#firstOfTable = true
    this.#running = true
    this.#context.connection.sendQuery(selectOf(table, this.#after))
  }

  #row(out: SourceRecord[], f: FrameReader, now: EventTime): void {
    const { buf } = f
    const bounds = this.#bounds
    const count = buf.readInt16BE(f.start)
    bounds.ensure(count)
    let at = f.start + 2
    for (let i = 0; i < count; i++) {
      const length = buf.readInt32BE(at)
      at += 4
      bounds.starts[i] = length < 0 ? NULL : at
      if (length > 0) at += length
      bounds.ends[i] = at
    }
    const table = this.#context.tables[this.#at]!
    const { shape } = table
    if (this.#pending) this.#emit(out, this.#pending, this.#pending.tableAt !== this.#at, false)
    const value = shape.row(buf, bounds.starts, bounds.ends)
    const key = shape.key === null ? null : shape.key(buf, bounds.starts, bounds.ends)
    const keyTexts = this.#keyIndexes?.map(i => buf.toString('utf8', bounds.starts[i], bounds.ends[i])) ?? null
    this.#pending = { table, tableAt: this.#at, isFirst: this.#firstOfTable, key, value, keyTexts, time: now }
    this.#firstOfTable = false
    // A new enum label marks the shape as stale. The snapshot continues with the old schema. The
    // stream reads the new schema when an event needs it.
    shape.stale = false
  }

  #emit(out: SourceRecord[], row: Row, lastOfTable: boolean, last: boolean): void {
    const { partition, headers } = this.#context
    const { shape } = row.table
    const source = this.#source(shape, markOf(row, lastOfTable, last))
    out.push({
      topic: shape.topic,
      partition: null,
      keySchema: row.key === null ? null : shape.keySchema,
      key: row.key,
      valueSchema: shape.envelope,
      value: envelope({ op: 'r', before: null, after: row.value, source, transaction: null, time: row.time }),
      timestamp: null,
      headers,
      sourcePartition: partition,
      sourceOffset: this.#offset,
    })
    this.rows++
    this.tableRows[row.tableAt]!++
    this.#progress = lastOfTable
      ? { tables: this.#context.digest, at: row.tableAt + 1, after: null }
      : { tables: this.#context.digest, at: row.tableAt, after: row.keyTexts }
  }

  /**
   * Returns the source block of a row, from a cache. The source blocks of a table's rows differ
   * only in the snapshot mark.
   */
  #source(shape: TableShape, mark: SnapshotMark): Struct {
    const known = this.#blocks.get(mark)
    if (known && this.#blocksOf === shape) return known
    if (this.#blocksOf !== shape) this.#blocks.clear()
    this.#blocksOf = shape
    const { sources, moment } = this.#context
    const time = eventTime(moment.at)
    const { lastCommit, txId } = moment
    const block = sources.make(shape.name, moment.lsn, { time, mark, lastCommit, txId, xmin: null, origin: null })
    // the block is frozen, because converters may cache its converted form
    this.#blocks.set(mark, Object.freeze(block))
    return block
  }

  /**
   * Gives the last row of a batch the offset after the batch. The other rows have the offset before
   * the batch.
   */
  #moveOffset(out: SourceRecord[]): void {
    if (out.length === 0 || this.#done) return
    this.#offset = this.#context.offset(this.#progress, false)
    out[out.length - 1] = { ...out[out.length - 1]!, sourceOffset: this.#offset }
  }

  #finish(out: SourceRecord[]): void {
    this.#done = true
    this.#offset = this.#context.offset(null, true)
    if (!this.#pending) return
    this.#emit(out, this.#pending, true, true)
    this.#pending = null
  }
}

function markOf(row: Row, lastOfTable: boolean, last: boolean): SnapshotMark {
  if (last) return 'last'
  if (row.isFirst && row.tableAt === 0) return 'first'
  if (lastOfTable) return 'last_in_data_collection'
  return row.isFirst ? 'first_in_data_collection' : 'true'
}

/** Returns the query that reads a table. Columns that are not needed are read as NULL. */
export function selectOf(table: SnapshotTable, after: readonly string[] | null): string {
  const { shape, order, override } = table
  const columns = shape.columns.map(c => (shape.unread.has(c.name) ? 'NULL' : quoted(c.name))).join(', ')
  const from = override === null ? quotedTable(shape.name) : `(${override}) AS t`
  const key = order?.map(quoted).join(', ')
  const where = key && after !== null ? ` WHERE (${key}) > (${after.map(literalText).join(', ')})` : ''
  return `SELECT ${columns} FROM ${from}${where}${key ? ` ORDER BY ${key}` : ''}`
}

const literalText = (value: string): string =>
  value.includes('\\')
    ? `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${value.replaceAll("'", "''")}'`
