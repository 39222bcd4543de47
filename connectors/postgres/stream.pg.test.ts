import { Decimal, type Struct } from 'millrace/connect'
import { OffsetStorage } from 'millrace/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { parseLsn } from './lsn.ts'
import { after, createDatabase, dropSlot, eventually, ids, op, slotOf } from './test-support/database.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres({ own: true, settings: { max_replication_slots: '40' } })
afterAll(() => server?.stop())

describe.skipIf(server === null)('while streaming', () => {
  test('a new enum label is in the schema of the first event that contains the label', async () => {
    const { url, db } = await createDatabase(
      server,
      "create type mood as enum ('sad')",
      'create table t (id int primary key, m mood)',
    )
    const task = await new TaskHarness(propsFor(url)).start()
    await task.snapshot()
    await db.query("insert into t values (1, 'sad')")
    await task.count(1)
    await db.query("alter type mood add value 'happy'")
    await db.query("insert into t values (2, 'happy')")
    await task.count(2)
    const allowed = task.records.map(r => {
      const row = r.valueSchema!.fields!.find(f => f.name === 'after')!.schema
      return row.fields!.find(f => f.name === 'm')!.schema.parameters!['allowed']
    })
    expect(allowed).toEqual(['sad', 'sad,happy'])
    expect(after(task.records[1]!)).toEqual({ id: 2, m: 'happy' })
    await task.stop()
    await db.end()
  })

  test('a transaction larger than max.queue.size.in.bytes is emitted in order', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key, v text)')
    const props = propsFor(url, { 'max.queue.size.in.bytes': '65536', 'max.batch.size': '500' })
    const task = await new TaskHarness(props, new OffsetStorage(), { acknowledges: true }).start()
    await task.snapshot()
    await db.query("insert into t select g, repeat('x', 1000) from generate_series(1, 30000) g")
    await task.count(30_000)
    expect(task.records.every((r, i) => (r.key as Struct)['id'] === i + 1)).toBe(true)
    await task.stop()
    await db.end()
  })

  test('a new table that matches the include list is added to a filtered publication at the next start', async () => {
    const { url, db } = await createDatabase(server, 'create table a (id int primary key)')
    const offsets = new OffsetStorage()
    const props = propsFor(url, {
      'publication.autocreate.mode': 'filtered',
      'table.include.list': 'public.a,public.b',
    })
    const first = await new TaskHarness(props, offsets).start()
    await first.snapshot()
    await db.query('insert into a values (1)')
    await first.count(1)
    await first.commit()
    await first.stop()
    await db.query('create table b (id int primary key)')
    const second = await new TaskHarness(props, offsets).start()
    await second.until(() => second.log.text().includes('streaming from'))
    await db.query('insert into b values (2)')
    expect(ids(await second.count(1))).toEqual(['c2'])
    await second.stop()
    await db.end()
  })

  test('a change that was made before a key column was renamed has the old key', async () => {
    const { url, db } = await createDatabase(server, 'create table t (a int, b int, v text, primary key (b, a))')
    const offsets = new OffsetStorage()
    const first = await new TaskHarness(propsFor(url), offsets).start()
    await first.snapshot()
    await db.query("insert into t values (1, 2, 'x')")
    await first.count(1)
    await first.commit()
    await first.stop()
    await db.query("insert into t values (3, 4, 'y')")
    await db.query('alter table t rename column a to aa')
    await db.query("insert into t values (5, 6, 'z')")
    await db.query('drop table t')
    const second = await new TaskHarness(propsFor(url), offsets).start()
    await second.count(2)
    expect([...first.records, ...second.records].map(r => r.key)).toEqual([
      { b: 2, a: 1 },
      { a: 3, b: 4 },
      { aa: 5, b: 6 },
    ])
    await second.stop()
    await db.end()
  })

  test('no event is lost when tables are truncated, renamed, or get another replica identity', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key, v text)',
      'create table u (id int primary key references t)',
    )
    const task = await new TaskHarness(propsFor(url, { 'skipped.operations': 'none', 'max.batch.size': '1' })).start()
    await task.snapshot()
    await db.query("insert into t values (1, 'a')")
    await db.query('insert into u values (1)')
    await db.query('truncate t, u')
    await db.query("insert into t values (2, 'b')")
    await db.query('alter table t replica identity full')
    await db.query("update t set v = 'c'")
    await db.query('alter table t rename to renamed')
    await db.query("update renamed set v = 'd'")
    await db.query('alter table renamed replica identity default')
    await task.count(7)
    await db.query('alter table renamed drop constraint t_pkey cascade')
    await db.query("insert into renamed values (3, 'e')")
    await task.count(8)
    const shown = task.records.map(r => {
      const value = r.value as { op: string; before: Struct | null }
      return [
        r.topic.slice('t.public.'.length),
        value.op,
        (r.key as Struct | null)?.['id'] ?? null,
        value.before?.['v'] ?? null,
      ]
    })
    expect(shown).toEqual([
      ['t', 'c', 1, null],
      ['u', 'c', 1, null],
      ['t', 't', null, null],
      ['u', 't', null, null],
      ['t', 'c', 2, null],
      ['t', 'u', 2, 'b'],
      ['renamed', 'u', 2, 'c'],
      ['renamed', 'c', null, null],
    ])
    await task.stop()
    await db.end()
  })

  test('with skip.messages.without.change=true, an update that changes nothing is skipped', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key, v numeric, j jsonb)',
      'alter table t replica identity full',
    )
    const task = await new TaskHarness(
      propsFor(url, { 'skip.messages.without.change': 'true', 'status.update.interval.ms': '50' }),
    ).start()
    await task.snapshot()
    await db.query("insert into t values (1, 1.5, '{}')")
    await db.query('update t set v = 1.5')
    await db.query('update t set v = 2')
    expect(ids(await task.count(2))).toEqual(['c1', 'u1'])
    await task.commit()
    // a skipped update must not stop the slot from advancing
    await db.query('update t set v = 2')
    const { rows } = await db.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    await eventually(
      () => slotOf(db, url),
      s => s.confirmed >= Number(parseLsn(rows[0]!.lsn)),
    )
    await task.stop()
    await db.end()
  })

  test('a value that cannot be represented is null with a warning, or fails the task', async () => {
    const sql = [
      'create table t (id int primary key, n numeric, nn numeric(5,2) not null default 7, far timestamp not null, a numeric[])',
      "insert into t values (1, 'Infinity', 'NaN', '9999-01-01', '{NaN,NULL}')",
    ]
    const warned = await createDatabase(server, ...sql)
    const nanos = { 'time.precision.mode': 'nanoseconds' }
    const task = await new TaskHarness(propsFor(warned.url, nanos)).start()
    await task.count(1)
    // a NOT NULL column has its default, or the nearest value that its type can represent
    const nn = new Decimal(700n, 2)
    const row = { id: 1, n: null, nn, far: 2n ** 63n - 1n, a: [null, null] }
    expect(after(task.records[0]!)).toEqual(row)
    await warned.db.query("insert into t values (2, 'Infinity', 'NaN', '9999-01-01', '{NaN,NULL}')")
    await task.count(2)
    expect(after(task.records[1]!)).toEqual({ ...row, id: 2 })
    for (const column of ['n', 'nn', 'far', 'a']) expect(task.log.text()).toContain(`value of public.t.${column} `)
    expect(task.log.text()).toContain('MR_PG_VALUE_REPLACED')
    await task.stop()
    const failing = await new TaskHarness(
      propsFor(warned.url, { 'event.converting.failure.handling.mode': 'fail', 'slot.name': 'failing' }),
    ).start()
    expect(await failing.failure()).toMatchObject({ code: 'MR_PG_VALUE' })
    await failing.stop()
    await dropSlot(warned.db, 'failing')
    await warned.db.end()
  })

  test('heartbeats continue when heartbeat.action.query fails', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)')
    const task = await new TaskHarness(
      propsFor(url, { 'heartbeat.interval.ms': '50', 'heartbeat.action.query': 'insert into nowhere values (1)' }),
    ).start()
    await task.count(2)
    expect(task.log.text()).toContain('ERROR heartbeat.action.query failed')
    await task.stop()
    await db.end()
  })

  test('partitions are captured under the name that an existing publication gives to their changes', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table p (id int primary key) partition by range (id)',
      'create table p1 partition of p for values from (0) to (10)',
      'create table left_out (id int primary key)',
      'insert into p values (1)',
      "create publication dbz_publication for table p with (publish_via_partition_root = true, publish = 'insert, delete')",
    )
    const task = await new TaskHarness(propsFor(url, { 'table.include.list': 'public.p.*,public.left_out' })).start()
    await task.snapshot()
    await db.query('insert into p values (2)')
    expect((await task.count(2)).map(r => [r.topic, op(r)])).toEqual([
      ['t.public.p', 'r'],
      ['t.public.p', 'c'],
    ])
    expect(task.log.text()).toContain('does not publish update:')
    expect(task.log.text()).toContain('does not contain them: public.left_out')
    await task.stop()
    await db.end()
  })

  test('a replica identity is set only if the table has a different one', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key, code text not null)',
      'create unique index t_code on t (code)',
    )
    const props = propsFor(url, { 'replica.identity.autoset.values': 'public.t:INDEX t_code' })
    for (const sets of [true, false]) {
      const task = await new TaskHarness(props).start()
      await task.until(() => task.log.text().includes('streaming from'))
      expect(task.log.text().includes('becomes USING INDEX')).toBe(sets)
      await task.stop()
    }
    await db.end()
  })

  test('a mask on a column that is not text causes a warning', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key, j jsonb)',
      "insert into t values (1, '{}')",
    )
    const task = await new TaskHarness(propsFor(url, { 'column.mask.with.3.chars': 'public.t.j' })).start()
    await task.count(1)
    expect(task.log.text()).toContain('public.t.j of type jsonb is not hidden')
    await task.stop()
    await db.end()
  })

  test('heartbeats run heartbeat.action.query, and replica identities are set', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key)',
      'create table beats (n int)',
    )
    const task = await new TaskHarness(
      propsFor(url, {
        'heartbeat.interval.ms': '50',
        'heartbeat.action.query': 'insert into beats values (1)',
        'table.include.list': 'public.t',
        'replica.identity.autoset.values': 'public.t:FULL',
      }),
    ).start()
    await task.until(r => r.filter(x => x.topic === '__debezium-heartbeat.t').length >= 2)
    await task.stop()
    const { rows } = await db.query(
      "select (select count(*)::int from beats) as beats, relreplident from pg_class where relname = 't'",
    )
    expect(rows[0].beats).toBeGreaterThan(0)
    expect(rows[0].relreplident).toBe('f')
    await db.end()
  })
})
