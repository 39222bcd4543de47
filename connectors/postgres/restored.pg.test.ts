/**
 * Tests a server that was restored to an older state, together with its slot. The committed offset
 * is past the restored data.
 */

import type { SourceRecord, Struct } from 'millrace/connect'
import { OffsetStorage } from 'millrace/testing'
import pg from 'pg'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { type Backup, type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { query } from '../../test/services/query.ts'
import { parseLsn } from './lsn.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres({ own: true, settings: { wal_keep_size: '64MB' } })
afterAll(() => server?.stop())

// each test restarts the server several times, which takes long on a busy machine
vi.setConfig({ testTimeout: 240_000 })

/** A timeout that is long enough for a busy machine. */
const PATIENT = { timeout: 40_000 }

const id = (r: SourceRecord) => (r.key as Struct)['id']
const opAndId = (r: SourceRecord) => `${(r.value as Struct)['op']}${id(r)}`

/**
 * Returns the operations without a repeated create of row 1. After a restore, streaming starts at
 * the slot, and the slot in the backup may not be confirmed past row 1.
 */
const withoutRepeatedRow1 = (ops: readonly string[]) => (ops[0] === 'c1' ? ops.slice(1) : ops)

const confirmed = async (url: string): Promise<string> =>
  (
    await query(
      url,
      `select confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name = '${propsFor(url)['slot.name']}'`,
    )
  ).rows[0].lsn

/**
 * Creates a database whose connector has captured rows 1 to 3, and a backup that contains only row
 * 1.
 */
async function restored(more: Record<string, string> = {}) {
  const url = await server!.createDatabase()
  await query(url, 'create table t (id int primary key, v text)', 'create table other (id int, v text)')
  const props = propsFor(url, { 'status.update.interval.ms': '50', 'table.include.list': 'public.t', ...more })
  const offsets = new OffsetStorage()
  const run = async () => new TaskHarness(props, offsets).start()
  const first = await run()
  await first.snapshot()
  await query(url, "insert into t values (1, 'a')")
  await first.count(1)
  await first.commit()
  await first.stop()
  await server!.halt('fast')
  const backup = server!.backUp()
  await server!.resume()
  const second = await run()
  await query(url, "insert into t values (2, 'b')", "insert into t values (3, repeat('c', 5000))")
  await second.count(2)
  await second.commit()
  return { url, props, offsets, run, backup, second }
}

async function goBack(backup: Backup, signal?: string): Promise<void> {
  await server!.halt('immediate')
  backup.restore(signal)
  // without an archive, recovery ends with the WAL of the backup, and starts a new timeline
  await server!.resume(signal ? { restore_command: 'false' } : {})
  await expect
    .poll(async () => (await query(server!.url, 'select pg_is_in_recovery() as r')).rows, PATIENT)
    .toEqual([{ r: false }])
}

describe.skipIf(server === null)('a server that was restored to an older state', () => {
  test('a restored server stops the connector, and no skipped change is confirmed', async () => {
    const { url, props, offsets, run, backup, second } = await restored()
    await second.stop()
    await goBack(backup)
    const before = await confirmed(url)
    const third = await run()
    const failure = await third.failure()
    expect(failure).toMatchObject({ code: 'MR_PG_OFFSET_STRAYED', retriable: false })
    expect(failure.message).toMatch(/WAL ends at .* before the offset .*snapshot\.mode=when_needed/)
    await query(url, "insert into t values (4, 'd')")
    await third.stop()
    expect(await confirmed(url)).toBe(before)

    const trusting = await new TaskHarness({ ...props, 'offset.mismatch.strategy': 'trust_slot' }, offsets).start()
    const trusted = await trusting.until(r => r.some(x => id(x) === 4))
    expect(withoutRepeatedRow1(trusted.map(opAndId))).toEqual(['c4'])
    await trusting.commit()
    await trusting.stop()
    // the next task runs without offset.mismatch.strategy=trust_slot
    await query(url, "insert into t values (5, 'e')")
    const again = await run()
    expect((await again.count(1)).map(id)).toEqual([5])
    await again.stop()
  })

  test('a restore stops a running connector, and snapshot.mode=when_needed takes a new snapshot', async () => {
    const { url, props, offsets, backup, second } = await restored()
    await goBack(backup)
    expect(await second.failure()).toMatchObject({ code: 'MR_PG_OFFSET_STRAYED' })
    await second.stop()
    await query(url, "insert into t values (4, 'd')")
    const third = await new TaskHarness({ ...props, 'snapshot.mode': 'when_needed' }, offsets).start()
    await third.snapshot()
    expect(withoutRepeatedRow1(third.records.map(opAndId))).toEqual(['c4', 'r1', 'r4'])
    expect(third.log.text()).toContain('rows that were deleted since the last event remain in the topics')
    await third.stop()
  })

  test('a restore is detected even if the WAL has since grown past the offset', async () => {
    const { url, run, backup, second } = await restored()
    await second.stop()
    await goBack(backup)
    const before = await confirmed(url)
    // many transactions, so that neither the WAL position nor the last transaction id reveals that
    // the server was restored
    for (let n = 0; n < 40; n++) await query(url, `insert into other values (${n}, repeat('x', 2000))`)
    await query(url, "insert into t values (4, 'd')")
    const third = await run()
    const failure = await third.failure()
    expect(failure).toMatchObject({ code: 'MR_PG_OFFSET_STRAYED' })
    expect(failure.message).toMatch(/has no transaction that ends at/)
    await third.stop()
    expect(await confirmed(url)).toBe(before)
  })

  test('a restore is detected if the WAL ends exactly at the offset', async () => {
    const { url, offsets, run, second } = await restored()
    await second.stop()
    // stops the background writer, because it writes to the WAL of an idle server
    const select = "select pid from pg_stat_activity where backend_type = 'background writer'"
    const writer: number = (await query(url, select)).rows[0].pid
    process.kill(writer, 'SIGSTOP')
    try {
      // a checkpoint, not a transaction, ends at this position
      const { rows } = await query(url, 'checkpoint', 'select pg_current_wal_flush_lsn()::text as lsn')
      const end = parseLsn(rows[0].lsn)
      const { lsn_idle: _, ...offset } = offsets.offset({ server: 't' })!
      offsets.set({ server: 't' }, { ...offset, lsn: end, lsn_proc: end, lsn_commit: end })
      const third = await run()
      const failure = await third.failure()
      expect(failure).toMatchObject({ code: 'MR_PG_OFFSET_STRAYED' })
      expect(failure.message).toContain(`has no transaction that ends at ${rows[0].lsn}`)
      await third.stop()
    } finally {
      process.kill(writer, 'SIGCONT')
    }
  })

  test('a crash after which the slot is behind the offset is not mistaken for a restore', async () => {
    const { url, run, second } = await restored()
    // the crash loses the slot's last position, which is written to disk only at a checkpoint
    await server!.halt('immediate')
    await server!.resume()
    await query(url, "insert into t values (4, 'd')")
    expect((await second.count(3)).map(id)).toEqual([2, 3, 4])
    await second.commit()
    await second.stop()
    await server!.halt('immediate')
    await server!.resume()
    const third = await run()
    await query(url, "insert into t values (5, 'e')")
    expect((await third.count(1)).map(id)).toEqual([5])
    await third.stop()
  })

  test('streaming continues if only WAL without captured changes was lost', async () => {
    const { url, run, second } = await restored({ 'publication.autocreate.mode': 'filtered' })
    await second.stop()
    await server!.halt('fast')
    const backup = server!.backUp()
    await server!.resume()
    const idle = await run()
    const before = await confirmed(url)
    for (let n = 0; n < 20; n++) await query(url, `insert into other values (${n}, repeat('x', 2000))`)
    await expect.poll(() => confirmed(url), PATIENT).not.toBe(before)
    await idle.stop()
    await goBack(backup)
    await query(url, "insert into t values (4, 'd')")
    for (let n = 0; n < 40; n++) await query(url, `insert into other values (${n}, repeat('x', 2000))`)
    const third = await run()
    expect((await third.count(1)).map(id)).toEqual([4])
    await third.stop()
  })
})

describe.skipIf(server === null)('a server that was recovered to a new timeline', () => {
  test('a new timeline that branched off before the offset stops the connector', async () => {
    const { url, run, backup, second } = await restored()
    await second.stop()
    await goBack(backup, 'recovery.signal')
    // makes the WAL longer than it was before the restore
    for (let n = 0; n < 40; n++) await query(url, `insert into other values (${n}, repeat('x', 2000))`)
    const third = await run()
    const failure = await third.failure()
    expect(failure).toMatchObject({ code: 'MR_PG_OFFSET_STRAYED' })
    expect(failure.message).toMatch(/is on timeline \d+, but the server's timeline \d+ branched off at /)
    await third.stop()
  })

  test('streaming continues on a new timeline that contains everything that was captured', async () => {
    const { url, offsets, run, second } = await restored()
    await second.stop()
    await server!.halt('fast')
    await goBack(server!.backUp(), 'recovery.signal')
    const third = await run()
    await query(url, "insert into t values (4, 'd')")
    expect((await third.count(1)).map(id)).toEqual([4])
    await third.commit()
    await third.stop()
    const { rows } = await query(url, 'select timeline_id::text as t from pg_control_checkpoint()')
    expect(offsets.offset({ server: 't' })!['wal_id']).toMatch(new RegExp(`/${rows[0].t}$`))
  })
})

describe.skipIf(server === null)('a slot', () => {
  const setUp = async () => {
    const url = await server!.createDatabase()
    await query(url, 'create table t (id int primary key)')
    const props = propsFor(url, { 'status.update.interval.ms': '50' })
    const offsets = new OffsetStorage()
    const run = async (more = {}) => new TaskHarness({ ...props, ...more }, offsets).start()
    const first = await run()
    await first.snapshot()
    await query(url, 'insert into t values (1)')
    await first.count(1)
    await first.commit()
    await first.stop()
    return { url, name: props['slot.name']!, run }
  }

  test.each(['advanced', 'recreated'])(
    'a slot that another client %s while the connector was stopped fails the task',
    async how => {
      const { url, name, run } = await setUp()
      await query(url, 'insert into t values (2)')
      if (how === 'advanced') await query(url, `select pg_replication_slot_advance('${name}', pg_current_wal_lsn())`)
      else {
        await query(url, `select pg_drop_replication_slot('${name}')`)
        await query(url, `select pg_create_logical_replication_slot('${name}', 'pgoutput')`)
      }
      const second = await run()
      const failure = await second.failure()
      expect(failure).toMatchObject({ code: 'MR_PG_OFFSET_MISMATCH', retriable: false })
      await second.stop()
      const trusting = await run({ 'offset.mismatch.strategy': 'trust_greater_lsn' })
      await trusting.until(() => trusting.log.text().includes('streaming from'))
      await query(url, 'insert into t values (3)')
      expect((await trusting.count(1)).map(id)).toEqual([3])
      await trusting.stop()
    },
  )

  test('a slot that another client advanced between two connections stops the connector', async () => {
    const { url, name, run } = await setUp()
    const task = await run()
    await task.until(() => task.log.text().includes('streaming from'))
    const db = new pg.Client(url)
    await db.connect()
    const database = new URL(url).pathname.slice(1)
    const { admin } = server!
    // rejects new connections until the slot is past row 2
    await admin.query(`alter database ${database} allow_connections false`)
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}' and application_name like 'millrace%'`,
    )
    await task.until(() => /not currently accepting connections/.test(task.log.text()))
    await db.query('insert into t values (2)')
    await expect
      .poll(
        async () => (await db.query(`select active from pg_replication_slots where slot_name = '${name}'`)).rows,
        PATIENT,
      )
      .toEqual([{ active: false }])
    await db.query(`select pg_replication_slot_advance('${name}', pg_current_wal_lsn())`)
    await db.end()
    await admin.query(`alter database ${database} allow_connections true`)
    const failure = await task.failure()
    expect(failure).toMatchObject({ code: 'MR_PG_OFFSET_MISMATCH' })
    await task.stop()
  })
})
