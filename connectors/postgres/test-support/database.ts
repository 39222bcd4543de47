import type { SourceRecord, Struct } from 'millrace/connect'
import pg from 'pg'
import { sleep } from '../../../core/common/async/sleep.ts'
import type { PostgresServer } from '../../../test/services/postgres.ts'
import { type Lsn, parseLsn } from '../lsn.ts'
import { propsFor } from './harness.ts'

export interface TestDatabase {
  readonly url: string
  readonly db: pg.Client
}

/** Creates a database and runs statements in it. */
export async function createDatabase(server: PostgresServer | null, ...sql: string[]): Promise<TestDatabase> {
  const url = await server!.createDatabase()
  const db = new pg.Client(url)
  // tests terminate connections, and the next query reports the lost connection
  db.on('error', () => {})
  await db.connect()
  for (const s of sql) await db.query(s)
  return { url, db }
}

/** Returns the operation of a record; `tombstone` for a record without a value. */
export const op = (r: SourceRecord): string => (r.value as { op: string } | null)?.op ?? 'tombstone'

/** Returns the new row of a record; null if the record does not have one. */
export const after = (r: SourceRecord): Struct | null => (r.value as { after: Struct | null } | null)?.after ?? null

/** Returns one text per record: its operation and the id in its key, such as `c1`. */
export const ids = (records: readonly SourceRecord[]): string[] =>
  records.map(r => `${op(r)}${(r.key as Struct)['id']}`)

/** Returns the state of the slot of `propsFor(url)`. */
export async function slotOf(db: pg.Client, url: string): Promise<{ confirmed: Lsn; active: boolean }> {
  const { rows } = await db.query<{ lsn: string; active: boolean }>(
    'select confirmed_flush_lsn::text as lsn, active from pg_replication_slots where slot_name = $1',
    [propsFor(url)['slot.name']],
  )
  return { confirmed: parseLsn(rows[0]!.lsn), active: rows[0]!.active }
}

/** Returns the current end of the WAL. */
export async function walEnd(db: pg.Client): Promise<Lsn> {
  const { rows } = await db.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
  return parseLsn(rows[0]!.lsn)
}

/** Calls `get` until `isDone` returns true for its value, and returns this value. */
export async function eventually<T>(get: () => Promise<T>, isDone: (value: T) => boolean, ms = 10_000): Promise<T> {
  const end = Date.now() + ms
  for (;;) {
    const value = await get()
    if (isDone(value)) return value
    if (Date.now() > end) throw new Error(`the condition is not true after ${ms} ms: ${JSON.stringify(value)}`)
    await sleep(20)
  }
}

/** Drops a slot as soon as no connection uses it. */
export async function dropSlot(db: pg.Client, name: string): Promise<void> {
  await eventually(
    async () => (await db.query('select active from pg_replication_slots where slot_name = $1', [name])).rows[0],
    row => row.active === false,
  )
  await db.query('select pg_drop_replication_slot($1)', [name])
}
