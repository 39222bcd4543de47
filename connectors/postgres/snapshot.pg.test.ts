import { OffsetStorage } from 'millrace/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { after, createDatabase, dropSlot, eventually, ids } from './test-support/database.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres({ own: true, settings: { max_replication_slots: '40' } })
afterAll(() => server?.stop())

describe.skipIf(server === null)('a snapshot', () => {
  test('a snapshot is not limited by the timeouts of its role', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key, v text)',
      "insert into t select g, repeat('x', 200) from generate_series(1, 20000) g",
    )
    const limit = 'statement_timeout = 50'
    await db.query(`alter role postgres in database ${new URL(url).pathname.slice(1)} set ${limit}`)
    const props = propsFor(url, { 'max.queue.size.in.bytes': '4096' })
    const task = await new TaskHarness(props, new OffsetStorage(), { acknowledges: true }).start()
    await task.count(20_000)
    await task.stop()
    await db.end()
  })

  test('a snapshot reads an override query, and only the captured columns', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key, v text, secret text)',
      "insert into t select g, 'v' || g, 's' from generate_series(1, 10) g",
    )
    const task = await new TaskHarness(
      propsFor(url, {
        'snapshot.select.statement.overrides': 'public.t',
        'snapshot.select.statement.overrides.public.t': 'select * from public.t where id > 8 order by id;',
        'column.exclude.list': 'public.t.secret',
      }),
    ).start()
    expect((await task.count(2)).map(after)).toEqual([
      { id: 9, v: 'v9' },
      { id: 10, v: 'v10' },
    ])
    await task.stop()
    await db.end()
  })

  test('a snapshot of a table that the user may not read fails, names the table, and leaves no connection open', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)')
    const role = `reader_${Math.random().toString(36).slice(2, 8)}`
    await db.query(`create role ${role} login replication password 'pw'`)
    await db.query('create publication dbz_publication for all tables')
    const props = { ...propsFor(url), 'database.user': role, 'database.password': 'pw' }
    const task = await new TaskHarness(props).start()
    const failure = await task.failure()
    expect(failure).toMatchObject({ code: 'MR_PG_SNAPSHOT_DENIED' })
    expect(failure.message).toContain('public.t')
    await task.stop()
    const locking = await new TaskHarness({ ...props, 'snapshot.locking.mode': 'shared' }).start()
    expect(await locking.failure()).toMatchObject({ code: 'MR_PG_PERMISSION_DENIED' })
    // checked before the task stops, because a failed attempt must close its connection too
    await eventually(
      async () => (await server!.admin.query('select from pg_stat_activity where usename = $1', [role])).rowCount,
      connections => connections === 0,
    )
    await locking.stop()
    await dropSlot(db, propsFor(url)['slot.name']!)
    await db.query(`drop role ${role}`)
    await db.end()
  })
})

describe.skipIf(server === null)('snapshot modes', () => {
  const setup = () => createDatabase(server, 'create table t (id int primary key)', 'insert into t values (1)')

  test('snapshot.mode=initial_only reads the tables and does not create a slot', async () => {
    const { url, db } = await setup()
    const task = await new TaskHarness(propsFor(url, { 'snapshot.mode': 'initial_only' })).start()
    await task.count(1)
    await task.snapshot()
    const { rows } = await db.query('select * from pg_replication_slots where slot_name = $1', [
      propsFor(url)['slot.name'],
    ])
    expect(rows).toEqual([])
    await task.stop()
    await db.end()
  })

  test('snapshot.mode=no_data only streams, and snapshot.mode=always reads the tables at each start', async () => {
    const { url, db } = await setup()
    const none = await new TaskHarness(propsFor(url, { 'snapshot.mode': 'no_data' })).start()
    await none.until(() => none.log.text().includes('streaming from'))
    await db.query('insert into t values (2)')
    expect(ids(await none.count(1))).toEqual(['c2'])
    await none.stop()
    const offsets = new OffsetStorage()
    const props = propsFor(url, { 'snapshot.mode': 'always', 'slot.name': 'always_slot' })
    for (const round of [1, 2]) {
      const task = await new TaskHarness(props, offsets).start()
      await task.snapshot()
      expect(ids(task.records), `round ${round}`).toEqual(['r1', 'r2'])
      await task.commit()
      await task.stop()
    }
    await dropSlot(db, 'always_slot')
    await db.end()
  })
})
