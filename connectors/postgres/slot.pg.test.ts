import { OffsetStorage } from 'millrace/testing'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { parseLsn } from './lsn.ts'
import { createDatabase, dropSlot, eventually, ids, op, slotOf } from './test-support/database.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres({ own: true, settings: { max_replication_slots: '40' } })
afterAll(() => server?.stop())

describe.skipIf(server === null)('the slot', () => {
  test('the slot is confirmed up to the committed offset, and not past an uncommitted record', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key)',
      'create table other (id int)',
    )
    const task = await new TaskHarness(
      propsFor(url, { 'status.update.interval.ms': '50', 'table.include.list': 'public.t' }),
    ).start()
    await task.snapshot()
    await db.query('insert into t values (1)')
    await task.count(1)
    const before = (await slotOf(db, url)).confirmed
    // these changes are not captured, but the server sends keepalives because of them
    for (let i = 0; i < 20; i++) await db.query('insert into other select generate_series(1, 100)')
    await sleep(300)
    expect((await slotOf(db, url)).confirmed).toBe(before)
    await task.commit()
    const { rows } = await db.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    await eventually(
      () => slotOf(db, url),
      s => s.confirmed >= Number(parseLsn(rows[0]!.lsn)) - 1000,
    )
    await task.stop()
    await db.end()
  })

  test('the slot of an idle database is confirmed, so that the server can remove WAL', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key)',
      'create table other (id int)',
    )
    const task = await new TaskHarness(
      propsFor(url, { 'status.update.interval.ms': '50', 'table.include.list': 'public.t' }),
    ).start()
    await task.snapshot()
    await db.query('insert into other select generate_series(1, 1000)')
    const { rows } = await db.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    await eventually(
      () => slotOf(db, url),
      s => s.confirmed >= Number(parseLsn(rows[0]!.lsn)),
    )
    expect(task.records).toEqual([])
    await task.stop()
    await db.end()
  })

  test('a task waits while another connection uses the slot', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)')
    const first = await new TaskHarness(propsFor(url)).start()
    await first.until(() => first.log.text().includes('streaming from'))
    await eventually(
      () => slotOf(db, url),
      s => s.active,
    )
    const second = await new TaskHarness(propsFor(url)).start()
    await second.until(() => second.log.text().includes('is in use'))
    await first.stop()
    await db.query('insert into t values (1)')
    await second.until(r => r.length >= 1)
    await second.stop()
    await db.end()
  })

  test('a missing slot fails the task, or is recreated with snapshot.mode=when_needed', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)', 'insert into t values (1)')
    const offsets = new OffsetStorage()
    const first = await new TaskHarness(propsFor(url), offsets).start()
    await first.count(1)
    await first.commit()
    await first.stop()
    await dropSlot(db, propsFor(url)['slot.name']!)
    const second = await new TaskHarness(propsFor(url), offsets).start()
    const failure = await second.failure()
    expect(failure).toMatchObject({ code: 'MR_PG_SLOT_MISSING', retriable: false })
    expect(failure.message).toContain('snapshot.mode=when_needed')
    await second.stop()
    const third = await new TaskHarness(propsFor(url, { 'snapshot.mode': 'when_needed' }), offsets).start()
    expect(ids(await third.count(1))).toEqual(['r1'])
    await third.stop()
    await db.end()
  })

  test('a task that is stopped while it creates the slot leaves no slot, and another task waits for a slot that is being created', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)', 'insert into t values (1)')
    const name = propsFor(url)['slot.name']!
    const slots = async () =>
      (
        await db.query<{ active_pid: number }>('select active_pid from pg_replication_slots where slot_name = $1', [
          name,
        ])
      ).rows
    const other = new pg.Client(url)
    await other.connect()
    // the server creates a slot only after all transactions in progress have ended
    await other.query('begin; insert into t values (2)')
    const stopped = await new TaskHarness(propsFor(url)).start()
    await eventually(slots, s => s.length === 1)
    const pid = (await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid
    await stopped.until(() => stopped.source.waitingFor?.includes(`pid ${pid} (user postgres, `) ?? false)
    expect(stopped.log.text()).toMatch(
      /creating replication slot .* is taking long: it is waiting for the open transactions of pid/,
    )
    await stopped.stop()
    await eventually(slots, s => s.length === 0)

    const maker = new pg.Client({ connectionString: url, replication: 'database' } as pg.ClientConfig)
    await maker.connect()
    const making = maker
      .query(`CREATE_REPLICATION_SLOT ${name} LOGICAL pgoutput`)
      .catch((error: Error) => error.message)
    const [{ active_pid }] = (await eventually(slots, s => s.length === 1)) as [{ active_pid: number }]
    const task = await new TaskHarness(propsFor(url)).start()
    await task.until(() => task.log.text().includes('is being created'))
    await db.query('select pg_cancel_backend($1)', [active_pid])
    expect(await making).toContain('cancel')
    await other.query('commit')
    expect(ids(await task.count(2))).toEqual(['r1', 'r2'])
    await task.stop()
    for (const client of [maker, other, db]) await client.end()
  })

  test('a missing slot on a server with wal_level=replica causes an error that names wal_level', async () => {
    const own = await startPostgres({ own: true, settings: { wal_level: 'replica' } })
    const offsets = new OffsetStorage()
    offsets.set({ server: 't' }, { lsn: 100, lsn_commit: 100, lsn_proc: 100 })
    const task = await new TaskHarness(propsFor(await own!.createDatabase()), offsets).start()
    expect(await task.failure()).toMatchObject({ code: 'MR_PG_WAL_LEVEL' })
    await task.stop()
    await own!.stop()
  })

  test('with slot.drop.on.stop=true, the slot is dropped when the task stops', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)')
    const task = await new TaskHarness(propsFor(url, { 'slot.drop.on.stop': 'true' })).start()
    await task.until(() => task.log.text().includes('streaming from'))
    await task.stop()
    const { rows } = await db.query('select * from pg_replication_slots where slot_name = $1', [
      propsFor(url)['slot.name'],
    ])
    expect(rows).toEqual([])
    await db.end()
  })
})

describe.skipIf(server === null)('a slot whose WAL was removed', () => {
  test('a slot whose WAL was removed fails the task, or leads to a new snapshot with when_needed', async ctx => {
    const own = await startPostgres({
      own: true,
      settings: { max_slot_wal_keep_size: '1MB', max_wal_size: '32MB', min_wal_size: '32MB' },
    })
    if (!own || own.version < 130_000) return ctx.skip()
    const url = await own.createDatabase()
    const db = new pg.Client(url)
    await db.connect()
    await db.query('create table t (id int primary key, v text)')
    const offsets = new OffsetStorage()
    const first = await new TaskHarness(propsFor(url), offsets).start()
    await db.query("insert into t values (1, 'x')")
    await first.count(1)
    await first.commit()
    await first.stop()
    for (let i = 0; i < 8; i++) {
      await db.query(
        `insert into t select g, repeat('x', 500) from generate_series(${i * 10000 + 10}, ${i * 10000 + 9000}) g`,
      )
      await db.query('select pg_switch_wal()')
      await db.query('checkpoint')
    }
    const second = await new TaskHarness(propsFor(url), offsets).start()
    const failure = await second.failure()
    expect(failure).toMatchObject({ code: 'MR_PG_SLOT_INVALIDATED', retriable: false })
    expect(failure.message).toContain('max_slot_wal_keep_size')
    await second.stop()
    const third = await new TaskHarness(propsFor(url, { 'snapshot.mode': 'when_needed' }), offsets).start()
    await third.count(1000)
    expect(op(third.records[0]!)).toBe('r')
    await third.stop()
    await db.end()
    await own.stop()
  })
})
