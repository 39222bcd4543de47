import { createHash } from 'node:crypto'
import { matchesAny, qualified } from '../../cdc/index.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { literal, quotedTable, type TableEntry } from '../catalog/tables.ts'
import { SNAPSHOT, type SnapshotRow, seesOf } from '../catalog/visibility.ts'
import { openClient } from '../client/open.ts'
import { WireConnection } from '../client/wire.ts'
import { type Lsn, parseLsn } from '../lsn.ts'
import type { PostgresOptions } from '../options.ts'
import type { ShapeCache } from '../shape-cache.ts'
import type { SnapshotTable } from './snapshot-reader.ts'

/** Tables with fewer pages than this are always read in the order of their key. */
const SMALL_PAGES = 1000
/**
 * If the correlation between the key and the order of the rows on disk is at least this value,
 * reading in the order of the key costs no more than reading in the order on disk.
 */
const ORDERED = 0.95

/** Returns the tables to read, in order, and a digest of this list. */
export async function planTables(
  catalog: Catalog,
  shapes: ShapeCache,
  options: PostgresOptions,
  captured: readonly TableEntry[],
): Promise<{ tables: SnapshotTable[]; digest: string }> {
  const { include, order, overrides } = options.snapshot
  let entries = options.selection.sortTables(captured.filter(t => !include || matchesAny(include, qualified(t))))
  const sign = { disabled: 0, ascending: 1, descending: -1 }[order]
  if (sign !== 0) entries = entries.toSorted((a, b) => sign * (a.rows - b.rows))
  const described = await catalog.describe(entries.map(t => t.oid))
  const tables: SnapshotTable[] = []
  for (const entry of entries) {
    const found = described.get(entry.oid)
    // the table was dropped after the list was read
    if (!found) continue
    const shape = shapes.get(found.input)
    const override = overrides.get(shape.id) ?? null
    const { key, isPrimary } = found.table
    const ordered =
      override === null && isPrimary && (entry.pages < SMALL_PAGES || (await isOrdered(catalog, entry, key[0]!)))
    tables.push({ shape, override, order: ordered ? key : null })
  }
  const list = tables.map(t => [t.shape.id, t.order, t.override])
  return { tables, digest: createHash('sha1').update(JSON.stringify(list)).digest('hex').slice(0, 16) }
}

async function isOrdered(catalog: Catalog, table: TableEntry, column: string): Promise<boolean> {
  const correlation = await catalog.correlation(table, column)
  return correlation !== null && Math.abs(correlation) >= ORDERED
}

/** A transaction that reads one snapshot of the database. */
export interface SnapshotTransaction {
  readonly connection: WireConnection
  readonly txId: number
  readonly lsn: Lsn
  /** Whether the snapshot contains the changes of a transaction. */
  readonly sees: (txId: number) => boolean
}

const ISOLATION: Readonly<Record<string, string>> = {
  serializable: 'SERIALIZABLE, READ ONLY, DEFERRABLE',
  repeatable_read: 'REPEATABLE READ, READ ONLY',
  read_committed: 'READ COMMITTED, READ ONLY',
  read_uncommitted: 'READ UNCOMMITTED, READ ONLY',
}

const STATE = `select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end)::text as lsn`

/** Opens a transaction on the snapshot that a new slot has exported, or on a new snapshot. */
export async function openTransaction(
  options: PostgresOptions,
  exported: { readonly snapshotName: string; readonly lsn: Lsn } | null,
  signal: AbortSignal,
): Promise<SnapshotTransaction> {
  const name = `millrace ${options.prefix} snapshot`
  const client = await openClient(options.connection, { name, signal })
  const connection = new WireConnection(client, options.maxQueueBytes)
  try {
    const level = exported ? 'REPEATABLE READ, READ ONLY' : ISOLATION[options.snapshot.isolation]!
    const adopt = exported ? `; SET TRANSACTION SNAPSHOT ${literal(exported.snapshotName)}` : ''
    await connection.execute(`BEGIN; SET TRANSACTION ISOLATION LEVEL ${level}${adopt}`, signal)
    const [row] = await connection.rows(STATE, signal)
    const seen = (await connection.rows(SNAPSHOT, signal))[0] as unknown as SnapshotRow
    return {
      connection,
      txId: Number(BigInt(seen.xmax) & 0xffffffffn),
      lsn: exported?.lsn ?? parseLsn(row!['lsn']!),
      sees: seesOf(seen),
    }
  } catch (error) {
    void connection.close()
    throw error
  }
}

/** With `snapshot.locking.mode=shared`, locks the tables against changes of their structure. */
export async function lockTables(
  connection: WireConnection,
  options: PostgresOptions,
  tables: readonly SnapshotTable[],
  signal: AbortSignal,
): Promise<void> {
  if (!options.snapshot.lock || tables.length === 0) return
  const list = tables.map(t => quotedTable(t.shape.name)).join(', ')
  const sql = `SET lock_timeout = ${options.snapshot.lockTimeoutMs}; LOCK TABLE ${list} IN ACCESS SHARE MODE`
  await connection.execute(sql, signal)
}
