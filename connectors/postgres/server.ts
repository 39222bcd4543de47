import type { MillraceError } from 'millrace/connect'
import type { Catalog } from './catalog/catalog.ts'
import { quoted } from './catalog/tables.ts'
import { codeOf } from './client/failure.ts'
import { cancelWork, openClient } from './client/open.ts'
import { type ServerError, WireConnection } from './client/wire.ts'
import { errors } from './errors.ts'
import { type Lsn, parseLsn } from './lsn.ts'
import type { PostgresOptions } from './options.ts'

export interface ServerInfo {
  /** The version as in server_version_num, such as 150004 for 15.4. */
  readonly version: number
  readonly walLevel: string
  readonly canReplicate: boolean
}

/** Returns the version and `wal_level` of the server, and whether the user may use replication. */
export async function serverInfo(catalog: Catalog): Promise<ServerInfo> {
  const [row] = await catalog.rows(`
    select current_setting('server_version_num') as version, current_setting('wal_level') as wal,
           (select r.rolreplication or r.rolsuper or exists (
                     select from pg_catalog.pg_roles g where g.rolname in ('rds_replication', 'rds_superuser', 'azure_pg_admin', 'cloudsqlsuperuser')
                        and pg_catalog.pg_has_role(r.oid, g.oid, 'member'))
              from pg_catalog.pg_roles r where r.rolname = current_user)::text as replication`)
  return {
    version: Number(row?.['version'] ?? 0),
    walLevel: row?.['wal'] ?? '',
    canReplicate: row?.['replication'] === 'true',
  }
}

/** A replication slot on the server. */
export interface SlotState {
  readonly plugin: string
  readonly database: string
  readonly active: boolean
  readonly restartLsn: Lsn | null
  readonly confirmedLsn: Lsn | null
  /** Why the slot can no longer be used; null if it can. */
  readonly lost: string | null
  readonly xmin: number | null
}

const lsnOrNull = (text: string | null | undefined): Lsn | null => (text ? parseLsn(text) : null)

/** Whether another connection is creating the slot. */
export const isBeingCreated = (slot: SlotState): boolean =>
  slot.plugin === 'pgoutput' && slot.active && slot.confirmedLsn === null && slot.lost === null

export async function slotState(catalog: Catalog, name: string): Promise<SlotState | null> {
  // with to_jsonb, columns that older servers do not have are null
  const [row] = await catalog.rows(
    'select to_jsonb(s)::text as slot from pg_catalog.pg_replication_slots s where slot_name = $1',
    [name],
  )
  if (!row) return null
  const s = JSON.parse(row['slot'] ?? '{}') as Record<string, string | boolean | null>
  const text = (key: string) => (typeof s[key] === 'string' ? s[key] : null)
  const reason = text('invalidation_reason') ?? (s['conflicting'] === true ? 'conflict with recovery' : null)
  const lost = reason ?? (s['wal_status'] === 'lost' ? 'the WAL that it needs was removed' : null)
  const xmin = s['catalog_xmin'] ?? s['xmin']
  return {
    plugin: text('plugin') ?? '',
    database: text('database') ?? '',
    active: s['active'] === true,
    restartLsn: lsnOrNull(text('restart_lsn')),
    confirmedLsn: lsnOrNull(text('confirmed_flush_lsn')),
    lost,
    xmin: xmin === null || xmin === undefined ? null : Number(xmin),
  }
}

/** Returns why a slot cannot be used for this connector; null if it can. */
export function wrongSlot(options: PostgresOptions, slot: SlotState): MillraceError | null {
  const { database } = options.connection
  if (slot.plugin === 'pgoutput' && slot.database === database) return null
  const logical = slot.plugin === 'pgoutput' ? '' : ` with the plugin ${slot.plugin}`
  const what = slot.plugin === '' ? 'a physical slot' : `a slot of database ${slot.database}${logical}`
  return errors.create('MR_PG_SLOT_WRONG', { slot: options.slot.name, database, what })
}

/** A new slot. Its snapshot can be used until `release` is called. */
export interface CreatedSlot {
  readonly lsn: Lsn
  readonly snapshotName: string
  release(): void
}

const FAILOVER_SINCE = 170_000

/**
 * Creates the slot, and exports a snapshot at the slot's first position. Waits until the
 * transactions in progress have ended.
 */
export async function createSlot(options: PostgresOptions, version: number, signal: AbortSignal): Promise<CreatedSlot> {
  const name = `millrace ${options.prefix} slot`
  const client = await openClient(options.connection, { replication: true, name, signal })
  const connection = new WireConnection(client, options.maxQueueBytes)
  const failover = options.slot.failover && version >= FAILOVER_SINCE
  const how = failover ? "(SNAPSHOT 'export', FAILOVER true)" : 'EXPORT_SNAPSHOT'
  try {
    const sql = `CREATE_REPLICATION_SLOT ${quoted(options.slot.name)} LOGICAL pgoutput ${how}`
    const [row] = await connection.rows(sql, signal)
    return {
      lsn: parseLsn(row!['consistent_point']!),
      snapshotName: row!['snapshot_name']!,
      release: () => void connection.close(),
    }
  } catch (error) {
    // cancels the statement, which would otherwise create a slot that is never used
    if (signal.aborted) await cancelWork(options.connection, client)
    await connection.close()
    const { code, message } = error as ServerError
    if (code === '53400' || code === '53300')
      throw errors.create('MR_PG_SLOTS_EXHAUSTED', { cause: message }, { cause: error })
    if (code === '42501')
      throw errors.create('MR_PG_NO_REPLICATION_PRIVILEGE', { user: options.connection.user }, { cause: error })
    throw error
  }
}

export async function dropSlot(catalog: Catalog, name: string): Promise<void> {
  await catalog.rows(
    'select pg_catalog.pg_drop_replication_slot(slot_name) from pg_catalog.pg_replication_slots where slot_name = $1 and not active',
    [name],
  )
}

export async function denied<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    const message = cause instanceof Error ? cause.message : String(cause)
    if (codeOf(cause) === '42501') throw errors.create('MR_PG_PERMISSION_DENIED', { what, cause: message }, { cause })
    throw error
  }
}
