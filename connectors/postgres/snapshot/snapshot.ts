import type { Header, SourceOffset, SourceRecord } from 'millrace/connect'
import { nowMicros } from '../../cdc/index.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { TableEntry } from '../catalog/tables.ts'
import { formatLsn } from '../lsn.ts'
import { type SnapshotProgress, snapshotOffset } from '../offset.ts'
import type { PostgresOptions } from '../options.ts'
import type { CreatedSlot } from '../server.ts'
import type { ShapeCache } from '../shape-cache.ts'
import type { SourceBlocks } from '../source-block.ts'
import type { StreamPosition } from '../stream/position.ts'
import { lockTables, openTransaction, planTables, type SnapshotTransaction } from './open-snapshot.ts'
import { type SnapshotContext, SnapshotReader } from './snapshot-reader.ts'

export interface SnapshotStart {
  readonly options: PostgresOptions
  readonly catalog: Catalog
  readonly shapes: ShapeCache
  readonly sources: SourceBlocks
  readonly headers: readonly Header[]
  readonly signal: AbortSignal
  /** The new slot whose exported snapshot is read; null to read a new snapshot. */
  readonly created: CreatedSlot | null
  readonly tables: readonly TableEntry[]
  /** The position of the stream, for the offsets of the rows. */
  readonly position: StreamPosition
  /** Returns the transaction counts of the stream, for the offsets of the rows. */
  readonly counts: () => Readonly<Record<string, unknown>> | null
  /** The progress from which an interrupted snapshot resumes; null to read all rows. */
  readonly from: SnapshotProgress | null
}

/** A snapshot whose transaction is open. The first `read` creates the reader. */
export class Snapshot {
  readonly #transaction: SnapshotTransaction
  readonly #context: () => SnapshotContext
  readonly #from: SnapshotProgress | null
  readonly summary: string
  readonly #tables: readonly string[]
  #reader: SnapshotReader | null = null

  private constructor(
    transaction: SnapshotTransaction,
    start: SnapshotStart,
    plan: Awaited<ReturnType<typeof planTables>>,
  ) {
    const { options, position, counts, sources, headers } = start
    const { connection, lsn, txId } = transaction
    const at = nowMicros()
    const offset = (progress: SnapshotProgress | null, last: boolean): SourceOffset => {
      const streamed = position.lsnProc === null ? txId : position.txId
      const own = snapshotOffset({ lsn: position.lsn, txId: streamed ?? txId, at, last, progress })
      return { ...position.offset(counts()), ...own }
    }
    this.#transaction = transaction
    this.#from = start.from
    this.#context = () => ({
      connection,
      tables: plan.tables,
      digest: plan.digest,
      moment: { lsn, txId, at, lastCommit: position.lsnCommit },
      sources,
      partition: { server: options.prefix },
      headers,
      user: options.connection.user,
      offset,
    })
    const names = plan.tables.map(t => t.shape.id)
    this.#tables = names
    this.summary = `snapshot of ${names.length} tables at ${formatLsn(lsn)}: ${names.slice(0, 50).join(', ')}`
  }

  /** Opens the transaction, describes the tables and locks them as configured. */
  static async open(start: SnapshotStart): Promise<Snapshot> {
    const { options, created, signal, catalog, shapes, tables } = start
    const transaction = await openTransaction(options, created, signal)
    try {
      const plan = await planTables(catalog, shapes, options, tables)
      await lockTables(transaction.connection, options, plan.tables, signal)
      return new Snapshot(transaction, start, plan)
    } catch (error) {
      void transaction.connection.close()
      throw error
    }
  }

  /** Returns whether the snapshot contains the changes of a transaction. */
  contains(txId: number): boolean {
    return this.#transaction.sees(txId)
  }

  /**
   * Returns the next rows: about `max` at most, and at least one unless the snapshot is complete.
   */
  read(max: number, signal: AbortSignal): Promise<SourceRecord[]> {
    return this.#started().read(max, signal)
  }

  get done(): boolean {
    return this.#started().done
  }

  get progress(): SnapshotProgress {
    return this.#started().progress
  }

  /**
   * The number of tables, the number of tables that are left, and the number of emitted rows by
   * table.
   */
  get counts(): { tables: number; remaining: number; rows: [table: string, rows: number][] } {
    const names = this.#tables
    const reader = this.#reader
    const at = reader?.done ? names.length : (reader?.progress.at ?? 0)
    const rows = reader?.tableRows ?? []
    return { tables: names.length, remaining: names.length - at, rows: names.map((name, i) => [name, rows[i] ?? 0]) }
  }

  /** The number of rows that were emitted. */
  get rows(): number {
    return this.#started().rows
  }

  /**
   * Returns the reader, and creates it at the first call. It cannot be created earlier, because its
   * first offset must be the offset of a stream that has caught up.
   */
  #started(): SnapshotReader {
    this.#reader ??= new SnapshotReader(this.#context(), this.#from)
    return this.#reader
  }

  close(): Promise<void> {
    return this.#transaction.connection.close()
  }
}
