import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Decimal, type SourceRecord, type Struct } from 'millrace/connect'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { parseLsn } from './lsn.ts'
import { OffsetStore, propsFor, TaskHarness } from './test-support/harness.ts'
import { StreamProxy } from './test-support/stream-proxy.ts'

const server: PostgresServer | null = await startPostgres({ own: true, settings: { max_replication_slots: '80' } })
afterAll(() => server?.stop())

async function database(...sql: string[]): Promise<{ url: string; db: pg.Client }> {
  const url = await server!.createDatabase()
  const db = new pg.Client(url)
  db.on('error', () => {})
  await db.connect()
  for (const s of sql) await db.query(s)
  return { url, db }
}

const op = (r: SourceRecord) => (r.value as { op: string } | null)?.op ?? 'tombstone'
const after = (r: SourceRecord) => (r.value as { after: Struct | null } | null)?.after ?? null
const ids = (records: readonly SourceRecord[]) => records.map(r => `${op(r)}${(r.key as Struct)['id']}`)

async function slotOf(db: pg.Client, url: string): Promise<{ confirmed: number; active: boolean }> {
  const { rows } = await db.query<{ lsn: string; active: boolean }>(
    'select confirmed_flush_lsn::text as lsn, active from pg_replication_slots where slot_name = $1',
    [propsFor(url)['slot.name']],
  )
  return { confirmed: Number(parseLsn(rows[0]!.lsn)), active: rows[0]!.active }
}

async function eventually<T>(get: () => Promise<T>, good: (value: T) => boolean, ms = 10_000): Promise<T> {
  const end = Date.now() + ms
  for (;;) {
    const value = await get()
    if (good(value)) return value
    if (Date.now() > end) throw new Error(`not so after ${ms} ms: ${JSON.stringify(value)}`)
    await sleep(20)
  }
}

/** Drops a slot as soon as the server has noticed that nobody uses it. */
async function dropSlot(db: pg.Client, name: string): Promise<void> {
  await eventually(
    async () => (await db.query('select active from pg_replication_slots where slot_name = $1', [name])).rows[0],
    r => r.active === false,
  )
  await db.query('select pg_drop_replication_slot($1)', [name])
}

describe.skipIf(server === null)('the slot', () => {
  test('is confirmed up to committed offsets, and not further while a record is open', async () => {
    const { url, db } = await database('create table t (id int primary key)', 'create table other (id int)')
    const task = await new TaskHarness(
      propsFor(url, { 'status.update.interval.ms': '50', 'table.include.list': 'public.t' }),
    ).start()
    await task.until(() => task.log.text().includes('snapshot complete'))
    await db.query('insert into t values (1)')
    await task.count(1)
    const before = (await slotOf(db, url)).confirmed
    // traffic that is not captured, and keepalives with it
    for (let i = 0; i < 20; i++) await db.query('insert into other select generate_series(1, 100)')
    await sleep(300)
    expect((await slotOf(db, url)).confirmed).toBe(before)
    task.commit()
    const { rows } = await db.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    await eventually(
      () => slotOf(db, url),
      s => s.confirmed >= Number(parseLsn(rows[0]!.lsn)) - 1000,
    )
    await task.stop()
    await db.end()
  })

  test('lets the WAL of an idle database go', async () => {
    const { url, db } = await database('create table t (id int primary key)', 'create table other (id int)')
    const task = await new TaskHarness(
      propsFor(url, { 'status.update.interval.ms': '50', 'table.include.list': 'public.t' }),
    ).start()
    await task.until(() => task.log.text().includes('snapshot complete'))
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

  test('that another connection holds is waited for', async () => {
    const { url, db } = await database('create table t (id int primary key)')
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

  test('that is gone ends the task with what to do, or is made anew where that is asked for', async () => {
    const { url, db } = await database('create table t (id int primary key)', 'insert into t values (1)')
    const offsets = new OffsetStore()
    const first = await new TaskHarness(propsFor(url), offsets).start()
    await first.count(1)
    first.commit()
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

  test('is not left behind by a task that is stopped while it is made, and is waited for while another makes it', async () => {
    const { url, db } = await database('create table t (id int primary key)', 'insert into t values (1)')
    const name = propsFor(url)['slot.name']!
    const slots = async () =>
      (
        await db.query<{ active_pid: number }>('select active_pid from pg_replication_slots where slot_name = $1', [
          name,
        ])
      ).rows
    const other = new pg.Client(url)
    await other.connect()
    // a slot is made when all that run have ended
    await other.query('begin; insert into t values (2)')
    const stopped = await new TaskHarness(propsFor(url)).start()
    await eventually(slots, s => s.length === 1)
    const pid = (await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid
    await stopped.until(() => stopped.waits.some(w => w.includes(`pid ${pid} (user postgres, `)))
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

  test('that went with wal_level=logical is not what is complained of first', async () => {
    const own = await startPostgres({ own: true, settings: { wal_level: 'replica' } })
    const offsets = new OffsetStore()
    offsets.set({ server: 't' }, { lsn: 100, lsn_commit: 100, lsn_proc: 100 })
    const task = await new TaskHarness(propsFor(await own!.createDatabase()), offsets).start()
    expect(await task.failure()).toMatchObject({ code: 'MR_PG_WAL_LEVEL' })
    await task.stop()
    await own!.stop()
  })

  test('is dropped at the stop where that is asked for', async () => {
    const { url, db } = await database('create table t (id int primary key)')
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

describe.skipIf(server === null)('a lost connection', () => {
  test('is made anew, with nothing lost and nothing given twice', async () => {
    const { url, db } = await database('create table t (id int primary key)')
    const task = await new TaskHarness(propsFor(url)).start()
    await task.until(() => task.log.text().includes('snapshot complete'))
    for (let i = 1; i <= 40; i++) {
      await db.query(`insert into t select ${i * 10} + g from generate_series(0, 9) g`)
      if (i % 8 === 0)
        await server!.admin.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name like 'millrace%'",
          [new URL(url).pathname.slice(1)],
        )
    }
    await task.count(400)
    expect(task.records.map(r => (r.key as Struct)['id'])).toEqual(Array.from({ length: 400 }, (_, i) => i + 10))
    // a connection that is terminated while it is being made fails with another code
    expect(task.log.text()).toMatch(/MR_PG_(CONNECTION_LOST|CONNECT_FAILED)\].*Retrying in/)
    await task.stop()
    await db.end()
  })

  test.each(['fast', 'immediate'] as const)('by a restart of the server (%s) is got over', async mode => {
    const own = await startPostgres({ own: true })
    const url = await own!.createDatabase()
    await own!.admin.query('select 1')
    const task = new TaskHarness(propsFor(url, { 'retriable.restart.connector.wait.ms': '200' }))
    try {
      const run = async (sql: string) => {
        const db = new pg.Client(url)
        await db.connect()
        await db.query(sql)
        await db.end()
      }
      await run('create table t (id int primary key)')
      await task.start()
      await task.until(() => task.log.text().includes('snapshot complete'))
      await run('insert into t values (1)')
      await task.count(1)
      task.commit()
      await own!.halt(mode)
      await own!.resume()
      await run('insert into t values (2)')
      expect(ids(await task.count(2))).toEqual(['c1', 'c2'])
    } finally {
      await task.stop()
      await own!.stop()
    }
  })

  test('that cannot be made anew ends the task after errors.max.retries', async () => {
    const task = await new TaskHarness({
      ...propsFor('postgresql://u:p@127.0.0.1:1/d'),
      'errors.max.retries': '2',
      'retriable.restart.connector.wait.ms': '10',
    }).start()
    expect(await task.failure()).toMatchObject({ code: 'MR_PG_RETRIES_EXHAUSTED' })
    await task.stop()
  })
})

test('a stop ends a connection that a mute server never answers', async () => {
  const sockets: Socket[] = []
  const mute = createServer(socket => sockets.push(socket))
  await new Promise<void>(resolve => mute.listen(0, '127.0.0.1', () => resolve()))
  const { port } = mute.address() as AddressInfo
  const task = await new TaskHarness(propsFor(`postgresql://u:p@127.0.0.1:${port}/d`)).start()
  await eventually(
    async () => sockets.length,
    n => n > 0,
  )
  await task.stop()
  expect(task.records).toEqual([])
  for (const socket of sockets) socket.destroy()
  await new Promise(resolve => mute.close(resolve))
})

describe.skipIf(server === null)('a slot whose WAL is gone', () => {
  test('fails at once with the cause', async ctx => {
    const own = await startPostgres({
      own: true,
      settings: { max_slot_wal_keep_size: '1MB', max_wal_size: '32MB', min_wal_size: '32MB' },
    })
    if (!own || own.version < 130_000) return ctx.skip()
    const url = await own.createDatabase()
    const db = new pg.Client(url)
    await db.connect()
    await db.query('create table t (id int primary key, v text)')
    const offsets = new OffsetStore()
    const first = await new TaskHarness(propsFor(url), offsets).start()
    await db.query("insert into t values (1, 'x')")
    await first.count(1)
    first.commit()
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

describe.skipIf(server === null)('a restart', () => {
  test('within a transaction, and within rows that share a position, gives each row once', async () => {
    const { url, db } = await database('create table t (id int primary key, v int)')
    const offsets = new OffsetStore()
    const props = propsFor(url, { 'max.batch.size': '7' })
    const first = await new TaskHarness(props, offsets).start()
    await first.until(() => first.log.text().includes('snapshot complete'))
    await db.query(
      'begin; insert into t values (0, 0); insert into t select g, 1 from generate_series(1, 50) g; update t set v = 2 where id = 0; commit',
    )
    await first.count(52)
    const seen: string[] = []
    for (const cut of [5, 6, 20, 21]) {
      const task = seen.length === 0 ? first : await new TaskHarness(props, offsets).start()
      await task.count(cut)
      seen.push(...ids(task.records.slice(0, cut)))
      task.commit(cut)
      await task.stop()
    }
    expect(seen).toEqual(['c0', ...Array.from({ length: 50 }, (_, i) => `c${i + 1}`), 'u0'])
    await db.end()
  })

  test('within a transaction continues to count its events (provide.transaction.metadata)', async () => {
    const { url, db } = await database('create table t (id int primary key)')
    const offsets = new OffsetStore()
    const props = propsFor(url, { 'provide.transaction.metadata': 'true', 'tombstones.on.delete': 'false' })
    const first = await new TaskHarness(props, offsets).start()
    await first.until(() => first.log.text().includes('snapshot complete'))
    await db.query('insert into t select g from generate_series(1, 6) g')
    // begin, six events, end
    await first.count(8)
    const orders: unknown[] = []
    const keep = (records: readonly SourceRecord[]) => {
      for (const r of records) {
        const block = (r.value as { transaction?: { total_order: number } }).transaction
        if (block) orders.push(Number(block.total_order))
      }
    }
    keep(first.records.slice(0, 3))
    first.commit(3)
    await first.stop()
    const second = await new TaskHarness(props, offsets).start()
    await second.count(5)
    keep(second.records)
    expect(orders).toEqual([1, 2, 3, 4, 5, 6])
    expect(second.records.at(-1)!.value).toMatchObject({ status: 'END', event_count: 6 })
    await second.stop()
    await db.end()
  })

  test('within a key change gives its delete again rather than lose its create', async () => {
    const { url, db } = await database('create table t (id int primary key)', 'insert into t values (1)')
    const offsets = new OffsetStore()
    const first = await new TaskHarness(propsFor(url), offsets).start()
    await first.count(1)
    await db.query('update t set id = 2')
    expect(ids(await first.count(4))).toEqual(['r1', 'd1', 'tombstone1', 'c2'])
    first.commit(2)
    await first.stop()
    const second = await new TaskHarness(propsFor(url), offsets).start()
    expect(ids(await second.count(3))).toEqual(['d1', 'tombstone1', 'c2'])
    await second.stop()
    await db.end()
  })

  test('of a snapshot goes on behind the last row, and rows deleted meanwhile end as deleted', async () => {
    const { url, db } = await database(
      'create table t (id int primary key, v int)',
      'insert into t select g, 0 from generate_series(1, 1000) g',
    )
    const offsets = new OffsetStore()
    const props = propsFor(url, { 'max.batch.size': '100' })
    const first = await new TaskHarness(props, offsets).start()
    await first.count(300)
    first.commit(300)
    await first.stop()
    await db.query('delete from t where id = 10')
    await db.query('update t set v = 1 where id in (20, 900)')
    const second = await new TaskHarness(props, offsets).start()
    await second.until(() => second.log.text().includes('snapshot complete'))
    const got = ids(second.records)
    expect(got.slice(0, 4)).toEqual(['d10', 'tombstone10', 'u20', 'u900'])
    const rows = second.records.filter(r => op(r) === 'r')
    expect(rows).toHaveLength(700)
    expect(after(rows.find(r => (r.key as Struct)['id'] === 900)!)).toEqual({ id: 900, v: 1 })
    expect((rows.at(-1)!.value as { source: Struct }).source['snapshot']).toBe('last')
    await second.stop()
    await db.end()
  })
})

describe.skipIf(server === null)('a snapshot that goes on', () => {
  test('reads no row before the stream has brought all that its rows hold', async () => {
    const { url, db } = await database(
      'create table t (id int primary key, v int)',
      'insert into t select g, 0 from generate_series(1, 1000) g',
    )
    const offsets = new OffsetStore()
    const first = await new TaskHarness(propsFor(url, { 'max.batch.size': '100' }), offsets).start()
    await first.count(300)
    first.commit(300)
    await first.stop()

    const { hostname, port } = new URL(url)
    const proxy = await StreamProxy.start(hostname, Number(port))
    // the second attempt waits before its snapshot, and meanwhile a row changes whose events are on
    // their way for long
    await db.query('select pg_advisory_lock(42)')
    const second = await new TaskHarness(
      propsFor(url, {
        'database.port': String(proxy.port),
        'database.initial.statements': `select pg_advisory_lock(42) where current_setting('application_name') like '% snapshot'`,
      }),
      offsets,
    ).start()
    try {
      await eventually(
        async () => (await db.query("select from pg_locks where locktype = 'advisory' and not granted")).rowCount,
        waiting => waiting === 1,
      )
      await eventually(
        async () => proxy.keepalives,
        n => n > 0,
      )
      proxy.hold()
      await db.query('update t set v = 1 where id = 900')
      await db.query('update t set v = 2 where id = 900')
      await db.query('select pg_advisory_unlock(42)')
      await second.until(() => second.log.text().includes('snapshot of 1 tables'))
      // it must wait now; what waits for nothing is caught by a moment, and no moment is too long
      await sleep(300)
      proxy.release()
      await second.until(() => second.log.text().includes('snapshot complete'))
      const seen = second.records.filter(r => (r.key as Struct)['id'] === 900).map(r => [op(r), after(r)?.['v']])
      expect(seen).toEqual([
        ['u', 1],
        ['u', 2],
        ['r', 2],
      ])
    } finally {
      await second.stop()
      proxy.close()
      await db.end()
    }
  })
})

describe.skipIf(server === null)('a snapshot', () => {
  test('is not bound by the time limits of its role', async () => {
    const { url, db } = await database(
      'create table t (id int primary key, v text)',
      "insert into t select g, repeat('x', 200) from generate_series(1, 20000) g",
    )
    const limit = 'statement_timeout = 50'
    await db.query(`alter role postgres in database ${new URL(url).pathname.slice(1)} set ${limit}`)
    const task = await new TaskHarness(propsFor(url, { 'max.queue.size.in.bytes': '4096' })).start()
    await task.count(20_000)
    await task.stop()
    await db.end()
  })

  test('reads another query where one is given, and the columns that are wanted', async () => {
    const { url, db } = await database(
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

  test('of a table that the user may not read fails, names the table, and leaves no connection open', async () => {
    const { url, db } = await database('create table t (id int primary key)')
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
    // before the task stops: a retry must not leave a transaction behind either
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
  const setup = () => database('create table t (id int primary key)', 'insert into t values (1)')

  test('initial_only reads and does not make a slot', async () => {
    const { url, db } = await setup()
    const task = await new TaskHarness(propsFor(url, { 'snapshot.mode': 'initial_only' })).start()
    await task.count(1)
    await task.until(() => task.log.text().includes('snapshot complete'))
    const { rows } = await db.query('select * from pg_replication_slots where slot_name = $1', [
      propsFor(url)['slot.name'],
    ])
    expect(rows).toEqual([])
    await task.stop()
    await db.end()
  })

  test('no_data only streams; always reads at each start', async () => {
    const { url, db } = await setup()
    const none = await new TaskHarness(propsFor(url, { 'snapshot.mode': 'no_data' })).start()
    await none.until(() => none.log.text().includes('streaming from'))
    await db.query('insert into t values (2)')
    expect(ids(await none.count(1))).toEqual(['c2'])
    await none.stop()
    const offsets = new OffsetStore()
    const props = propsFor(url, { 'snapshot.mode': 'always', 'slot.name': 'always_slot' })
    for (const round of [1, 2]) {
      const task = await new TaskHarness(props, offsets).start()
      await task.until(() => task.log.text().includes('snapshot complete'))
      expect(ids(task.records), `round ${round}`).toEqual(['r1', 'r2'])
      task.commit()
      await task.stop()
    }
    await dropSlot(db, 'always_slot')
    await db.end()
  })
})

describe.skipIf(server === null)('while streaming', () => {
  test('a label that an enumeration gets is in the schema of the first event that has it', async () => {
    const { url, db } = await database(
      "create type mood as enum ('sad')",
      'create table t (id int primary key, m mood)',
    )
    const task = await new TaskHarness(propsFor(url)).start()
    await task.until(() => task.log.text().includes('snapshot complete'))
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

  test('a transaction larger than what is read ahead passes in order', async () => {
    const { url, db } = await database('create table t (id int primary key, v text)')
    const task = await new TaskHarness(
      propsFor(url, { 'max.queue.size.in.bytes': '65536', 'max.batch.size': '500' }),
    ).start()
    await task.until(() => task.log.text().includes('snapshot complete'))
    await db.query("insert into t select g, repeat('x', 1000) from generate_series(1, 30000) g")
    await task.count(30_000, 60_000)
    expect(task.records.every((r, i) => (r.key as Struct)['id'] === i + 1)).toBe(true)
    await task.stop()
    await db.end()
  })

  test('a new table is captured without a restart, and a filtered publication takes in tables that match at the next start', async () => {
    const { url, db } = await database('create table a (id int primary key)')
    const offsets = new OffsetStore()
    const props = propsFor(url, {
      'publication.autocreate.mode': 'filtered',
      'table.include.list': 'public.a,public.b',
    })
    const first = await new TaskHarness(props, offsets).start()
    await first.until(() => first.log.text().includes('snapshot complete'))
    await db.query('insert into a values (1)')
    await first.count(1)
    first.commit()
    await first.stop()
    await db.query('create table b (id int primary key)')
    const second = await new TaskHarness(props, offsets).start()
    await second.until(() => second.log.text().includes('streaming from'))
    await db.query('insert into b values (2)')
    expect(ids(await second.count(1))).toEqual(['c2'])
    await second.stop()
    await db.end()
  })

  test('a change from before its key was renamed keeps the key that it had', async () => {
    const { url, db } = await database('create table t (a int, b int, v text, primary key (b, a))')
    const offsets = new OffsetStore()
    const first = await new TaskHarness(propsFor(url), offsets).start()
    await first.until(() => first.log.text().includes('snapshot complete'))
    await db.query("insert into t values (1, 2, 'x')")
    await first.count(1)
    first.commit()
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

  test('no event is lost when tables are truncated together, renamed, or get another replica identity', async () => {
    const { url, db } = await database(
      'create table t (id int primary key, v text)',
      'create table u (id int primary key references t)',
    )
    const task = await new TaskHarness(propsFor(url, { 'skipped.operations': 'none', 'max.batch.size': '1' })).start()
    await task.until(() => task.log.text().includes('snapshot complete'))
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

  test('updates that change nothing can be left out', async () => {
    const { url, db } = await database(
      'create table t (id int primary key, v numeric, j jsonb)',
      'alter table t replica identity full',
    )
    const task = await new TaskHarness(
      propsFor(url, { 'skip.messages.without.change': 'true', 'status.update.interval.ms': '50' }),
    ).start()
    await task.until(() => task.log.text().includes('snapshot complete'))
    await db.query("insert into t values (1, 1.5, '{}')")
    await db.query('update t set v = 1.5')
    await db.query('update t set v = 2')
    expect(ids(await task.count(2))).toEqual(['c1', 'u1'])
    task.commit()
    // and hold back no WAL
    await db.query('update t set v = 2')
    const { rows } = await db.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    await eventually(
      () => slotOf(db, url),
      s => s.confirmed >= Number(parseLsn(rows[0]!.lsn)),
    )
    await task.stop()
    await db.end()
  })

  test('a value that cannot be shown is null with a warning, or ends the task, as configured', async () => {
    const sql = [
      'create table t (id int primary key, n numeric, nn numeric(5,2) not null default 7, far timestamp not null, a numeric[])',
      "insert into t values (1, 'Infinity', 'NaN', '9999-01-01', '{NaN,NULL}')",
    ]
    const warned = await database(...sql)
    const nanos = { 'time.precision.mode': 'nanoseconds' }
    const task = await new TaskHarness(propsFor(warned.url, nanos)).start()
    await task.count(1)
    // a NOT NULL column has its default, or the nearest value that its type holds
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

  test('a heartbeat goes on when its query fails', async () => {
    const { url, db } = await database('create table t (id int primary key)')
    const task = await new TaskHarness(
      propsFor(url, { 'heartbeat.interval.ms': '50', 'heartbeat.action.query': 'insert into nowhere values (1)' }),
    ).start()
    await task.count(2)
    expect(task.log.text()).toContain('ERROR heartbeat.action.query failed')
    await task.stop()
    await db.end()
  })

  test('partitions are read as the publication shows them, whatever the configuration says of a new one', async () => {
    const { url, db } = await database(
      'create table p (id int primary key) partition by range (id)',
      'create table p1 partition of p for values from (0) to (10)',
      'create table left_out (id int primary key)',
      'insert into p values (1)',
      "create publication dbz_publication for table p with (publish_via_partition_root = true, publish = 'insert, delete')",
    )
    const task = await new TaskHarness(propsFor(url, { 'table.include.list': 'public.p.*,public.left_out' })).start()
    await task.until(() => task.log.text().includes('snapshot complete'))
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

  test('a replica identity that is as it should be is not set again', async () => {
    const { url, db } = await database(
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

  test('a mask that cannot hide what is no text says so', async () => {
    const { url, db } = await database('create table t (id int primary key, j jsonb)', "insert into t values (1, '{}')")
    const task = await new TaskHarness(propsFor(url, { 'column.mask.with.3.chars': 'public.t.j' })).start()
    await task.count(1)
    expect(task.log.text()).toContain('public.t.j of type jsonb is not hidden')
    await task.stop()
    await db.end()
  })

  test('a heartbeat runs its query, and replica identities are set', async () => {
    const { url, db } = await database('create table t (id int primary key)', 'create table beats (n int)')
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
