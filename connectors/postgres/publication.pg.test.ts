/**
 * A publication decides which changes are captured. Each excluded change must cause a warning or an
 * error.
 */

import type { Props, SourceRecord, Struct } from 'millrace/connect'
import { validateConnector } from 'millrace/testing'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { PostgresConnector } from './connector.ts'
import { parseLsn } from './lsn.ts'
import { createDatabase, dropSlot } from './test-support/database.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres()
afterAll(() => server?.stop())

const version = server?.version ?? 0

const PARTITIONED = [
  'create table p (id int, v text, primary key (id)) partition by range (id)',
  'create table p_1 partition of p for values from (0) to (10)',
  'create table p_2 partition of p for values from (10) to (20)',
  "insert into p values (1, 'a'), (11, 'b')",
]

const shown = (r: SourceRecord) => {
  const value = r.value as { op: string } | null
  return `${r.topic.replace('t.public.', '')} ${value?.op ?? '-'}${(r.key as Struct | null)?.['id'] ?? ''}`
}

async function streaming(url: string, more: Props = {}): Promise<TaskHarness> {
  const task = await new TaskHarness(propsFor(url, { 'status.update.interval.ms': '50', ...more })).start()
  await task.snapshot()
  return task
}

const members = async (db: pg.Client, name = 'dbz_publication') =>
  (
    await db.query<{ t: string }>(
      'select prrelid::regclass::text as t from pg_publication_rel join pg_publication p on p.oid = prpubid where pubname = $1 order by 1',
      [name],
    )
  ).rows.map(r => r.t)

const confirmed = async (db: pg.Client, url: string) =>
  (
    await db.query<{ lsn: string }>(
      'select confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name = $1',
      [propsFor(url)['slot.name']],
    )
  ).rows[0]!.lsn

async function errorsOf(props: Props): Promise<Record<string, string>> {
  const values = await validateConnector(new PostgresConnector(), props)
  return Object.fromEntries(values.filter(v => v.errors.length > 0).map(v => [v.name, v.errors.join(' | ')]))
}

describe.skipIf(version < 130_000)('a partitioned table', () => {
  const MODES = ['filtered', 'all_tables', 'no_tables', 'disabled']
  const cases = MODES.flatMap(mode => [false, true].map(viaRoot => [mode, viaRoot] as const))

  test.each(cases)(
    'a partitioned table is captured with publication.autocreate.mode=%s and publish.via.partition.root=%s',
    async (mode, viaRoot) => {
      const { url, db } = await createDatabase(server, ...PARTITIONED)
      const made = mode === 'no_tables' || mode === 'disabled'
      if (made)
        await db.query(`create publication dbz_publication for table p with (publish_via_partition_root = ${viaRoot})`)
      const task = await streaming(url, {
        'publication.autocreate.mode': mode,
        'publish.via.partition.root': String(viaRoot),
        'table.include.list': 'public.p.*',
      })
      await db.query('create table p_3 partition of p for values from (20) to (30)')
      await db.query("insert into p values (21, 'c')")
      // this update moves a row from one partition to another
      await db.query('update p set id = 22 where id = 1')
      const got = (await task.count(viaRoot ? 6 : 6)).map(shown)
      const name = (partition: string) => (viaRoot ? 'p' : partition)
      expect(got.slice(0, 2).sort()).toEqual([`${name('p_1')} r1`, `${name('p_2')} r11`])
      expect(got.slice(2)).toEqual([
        `${name('p_3')} c21`,
        `${name('p_1')} d1`,
        `${name('p_1')} -1`,
        `${name('p_3')} c22`,
      ])
      await task.stop()
      await db.end()
    },
  )

  test('a partitioned table is validated against an existing publication', async () => {
    const { url, db } = await createDatabase(server, ...PARTITIONED)
    const only = propsFor(url, { 'table.include.list': 'public.p' })
    expect(await errorsOf(only)).toEqual({
      'table.include.list': expect.stringMatching(
        /public\.p are published under the names of their partitions.*publish\.via\.partition\.root=true/s,
      ),
    })
    expect(await errorsOf({ ...only, 'publish.via.partition.root': 'true' })).toEqual({})
    expect(await errorsOf({ ...only, 'snapshot.mode': 'initial_only' })).toEqual({})
    // a partitioned table without partitions is valid
    await db.query('create table empty (id int primary key) partition by range (id)')
    expect(await errorsOf(propsFor(url, { 'table.include.list': 'public.empty.*' }))).toEqual({})
    await db.query('create publication dbz_publication for table p with (publish_via_partition_root = true)')
    expect(await errorsOf(only)).toEqual({})
    expect(await errorsOf(propsFor(url, { 'table.include.list': 'public.p_1' }))).toEqual({
      'table.include.list': expect.stringMatching(/changes to public\.p_1 have the name of their partitioned table/),
    })
    await db.end()
  })

  test('changes have the name of an intermediate partition if only that partition is published', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table r (id int, primary key (id)) partition by range (id)',
      'create table m partition of r for values from (0) to (100) partition by range (id)',
      'create table l partition of m for values from (0) to (50)',
      'create table other partition of r for values from (100) to (200)',
      'insert into r values (1), (101)',
      'create publication dbz_publication for table m with (publish_via_partition_root = true)',
    )
    const task = await streaming(url, { 'table.include.list': 'public.r,public.m,public.l,public.other' })
    await db.query('insert into r values (2), (102)')
    expect((await task.count(3)).map(shown).sort()).toEqual(['m c2', 'm r1', 'other r101'])
    expect(task.log.text()).toContain('does not contain them: public.other')
    await task.stop()
    await db.end()
  })
})

describe.skipIf(server === null)('a filtered publication', () => {
  test('captured tables are added to a filtered publication, and tables that others added are kept', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table a (id int primary key)',
      'create table b (id int primary key)',
      'create table foreign_to_us (id int primary key)',
      'create unlogged table u (id int primary key)',
      'insert into u values (7)',
      'create publication dbz_publication for table a, foreign_to_us',
    )
    const props = {
      'publication.autocreate.mode': 'filtered',
      'table.include.list': 'public.a,public.b,public.u,public.later',
    }
    const task = await streaming(url, props)
    expect(await members(db)).toEqual(['a', 'b', 'foreign_to_us'])
    // unlogged tables are in the snapshot, but their changes are not captured
    expect(task.records.map(shown)).toEqual(['u r7'])
    expect(task.log.text()).toMatch(
      /unlogged tables are included in snapshots, but their changes are not captured: public\.u/,
    )
    // a new table is added without a restart
    await db.query('create table later (id int primary key)')
    await task.until(() => /added captured tables to publication dbz_publication: public\.later/.test(task.log.text()))
    await db.query('insert into later values (1)')
    await task.until(r => r.some(x => shown(x) === 'later c1'))
    await task.stop()
    await db.end()
  })

  test('a publication that another connector creates at the same moment is used', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table a (id int primary key)',
      'create table b (id int primary key)',
    )
    await db.query('begin')
    await db.query('create publication dbz_publication for table b')
    const more = { 'publication.autocreate.mode': 'filtered', 'table.include.list': 'public.a' }
    const task = await new TaskHarness(propsFor(url, more)).start()
    // uses another connection, because a transaction sees only one state of pg_stat_activity
    const waits = "select from pg_stat_activity where query like 'CREATE PUBLICATION%' and wait_event_type = 'Lock'"
    const blocked = async () =>
      (await server!.admin.query(`${waits} and datname = $1`, [new URL(url).pathname.slice(1)])).rowCount
    await expect.poll(blocked, { timeout: 30_000 }).toBe(1)
    await db.query('commit')
    await task.snapshot()
    expect(await members(db)).toEqual(['a', 'b'])
    await task.stop()
    await db.end()
  })

  test('a lock on a new table does not block the stream', async () => {
    const { url, db } = await createDatabase(server, 'create table a (id int primary key)')
    const task = await streaming(url, { 'publication.autocreate.mode': 'filtered' })
    await db.query('create table b (id int primary key)')
    const other = new pg.Client(url)
    await other.connect()
    await other.query('begin')
    await other.query('lock table b in share update exclusive mode')
    await task.until(() => /canceled adding public\.b to publication/.test(task.log.text()))
    await db.query('insert into a values (1)')
    await task.until(r => r.length === 1)
    await other.query('commit')
    await task.until(() => /added captured tables to publication dbz_publication: public\.b/.test(task.log.text()))
    expect(task.log.text()).not.toContain('Retrying in')
    await task.stop()
    await other.end()
    await db.end()
  })

  test('a new table that cannot be added causes a warning, and the other tables are captured', async () => {
    const { url, db } = await createDatabase(server)
    const name = new URL(url).pathname.slice(1)
    const role = `cdc_${name}`
    await db.query(`create role ${role} login replication password 'pw'`)
    await db.query(`grant create on database ${name} to ${role}`)
    await db.query(`create schema own authorization ${role}`)
    await db.query(`create table own.a (id int primary key)`)
    await db.query(`alter table own.a owner to ${role}`)
    const as = { 'database.user': role, 'database.password': 'pw', 'publication.autocreate.mode': 'filtered' }
    const task = await streaming(url, as)
    // Another role owns this table. A statement that adds both tables would fail for both.
    await db.query('create table not_ours (id int primary key)')
    await db.query('create table own.b (id int primary key)')
    await db.query(`alter table own.b owner to ${role}`)
    await task.until(() => /added captured tables to publication dbz_publication: own\.b/.test(task.log.text()))
    expect(task.log.text()).toMatch(/denied adding public\.not_ours to publication/)
    // a reconnect must not fail because of the table that cannot be added
    await db.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'millrace t%'")
    await db.query('insert into own.a values (1)')
    await db.query('insert into own.b values (2)')
    await task.until(r => r.some(x => shown(x) === 't.own.b c2'))
    expect(task.records.map(shown)).toEqual(['t.own.a c1', 't.own.b c2'])
    await task.stop()
    await dropSlot(db, propsFor(url)['slot.name']!)
    await db.query(`drop owned by ${role} cascade`)
    await db.query(`drop role ${role}`)
    await db.end()
  })

  test('a table that the user may not add fails the task, but a complete publication is not changed', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table a (id int primary key)',
      'create table b (id int primary key)',
    )
    const role = `cdc_${Math.random().toString(36).slice(2, 8)}`
    await db.query(`create role ${role} login replication password 'pw'`)
    await db.query(`grant select on all tables in schema public to ${role}`)
    await db.query('create publication dbz_publication for table a')
    const props = propsFor(url, {
      'database.user': role,
      'database.password': 'pw',
      'publication.autocreate.mode': 'filtered',
      'table.include.list': 'public.a',
    })
    const fine = await new TaskHarness(props).start()
    await fine.until(() => /streaming from/.test(fine.log.text()))
    await fine.stop()
    const task = await new TaskHarness({ ...props, 'table.include.list': 'public.*' }).start()
    const failure = await task.failure()
    expect(failure).toMatchObject({ code: 'MR_PG_PERMISSION_DENIED' })
    expect(failure.message).toMatch(
      /adding public\.b to publication dbz_publication \(only the owner of both may do so\)/,
    )
    await task.stop()
    await db.query(`drop owned by ${role}`)
    await db.query(`drop role ${role}`)
    await db.end()
  })
})

describe.skipIf(version < 150_000)('a publication that restricts tables', () => {
  test('each restriction of a publication causes a warning', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table a (id int primary key, v text)',
      'create table b (id int primary key)',
      'create table keyless (v int)',
      'create schema s',
      'create table s.c (id int primary key)',
      `create publication dbz_publication for table a (id), b where (id > 5), keyless, tables in schema s with (publish = 'insert, update')`,
    ).catch(async () => {
      // PostgreSQL 15 cannot combine a column list with a schema
      return createDatabase(
        server,
        'create table a (id int primary key, v text)',
        'create table b (id int primary key)',
        'create table keyless (v int)',
        'create schema s',
        'create table s.c (id int primary key)',
        `create publication dbz_publication for table a (id), b where (id > 5), keyless with (publish = 'insert, update')`,
      )
    })
    const task = await streaming(url, { 'publication.autocreate.mode': 'disabled', 'snapshot.mode': 'initial' })
    const log = task.log.text()
    expect(log).toMatch(/does not publish delete: such changes are not captured/)
    expect(log).toMatch(/publishes only the columns id of public\.a/)
    expect(log).toMatch(/publishes only changes to rows of public\.b where \(id > 5\)/)
    expect(log).toMatch(/rejects every UPDATE and DELETE of these tables.*: public\.keyless\. Set one: .*FULL/)
    await expect(db.query('update keyless set v = 1')).rejects.toThrow(/does not have a replica identity/)
    await db.query('insert into a values (1, $$x$$)')
    await db.query('insert into b values (1), (6)')
    await task.count(2)
    expect(task.records.map(shown)).toEqual(['a c1', 'b c6'])
    await task.stop()
    await db.end()
  })
})

describe.skipIf(server === null)('a publication that changes while it is streamed', () => {
  test('a captured table that leaves the publication causes a warning, and a dropped publication fails the task', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table a (id int primary key)',
      'create table b (id int primary key)',
      'create publication dbz_publication for table a, b',
    )
    const task = await streaming(url, { 'publication.autocreate.mode': 'disabled' })
    await db.query('alter publication dbz_publication drop table b')
    await task.until(() => /does not contain them: public\.b/.test(task.log.text()))
    await task.stop()
    // the next periodic check of this task is due after the end of the test
    const slow = await new TaskHarness(propsFor(url, { 'publication.autocreate.mode': 'disabled' })).start()
    await slow.snapshot()
    await db.query('drop publication dbz_publication')
    const { rows } = await db.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    await db.query('insert into a values (1)')
    const failure = await slow.failure()
    expect(failure).toMatchObject({ code: 'MR_PG_PUBLICATION_MISSING' })
    await slow.stop()
    expect(Number(parseLsn(await confirmed(db, url)))).toBeLessThanOrEqual(Number(parseLsn(rows[0]!.lsn)))
    await db.end()
  })
})

test.skipIf(server === null)(
  'an include list that matches no tables causes an error that names the relations it matches',
  async () => {
    const { url, db } = await createDatabase(server, 'create table a (id int)', 'create view v as select * from a')
    expect((await errorsOf(propsFor(url, { 'table.include.list': 'public.v' })))['table.include.list']).toMatch(
      /not tables: public\.v \(view\)/,
    )
    await db.end()
  },
)
