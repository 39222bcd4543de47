import type { SourceRecord, Struct } from 'millrace/connect'
import { OffsetStorage } from 'millrace/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { after, createDatabase, eventually, ids, op } from './test-support/database.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'
import { StreamProxy } from './test-support/stream-proxy.ts'

const server: PostgresServer | null = await startPostgres({ own: true, settings: { max_replication_slots: '40' } })
afterAll(() => server?.stop())

describe.skipIf(server === null)('a restart', () => {
  test('a restart within a transaction, or within rows that share a position, emits each row once', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key, v int)')
    const offsets = new OffsetStorage()
    const props = propsFor(url, { 'max.batch.size': '7' })
    const first = await new TaskHarness(props, offsets).start()
    await first.snapshot()
    await db.query(
      'begin; insert into t values (0, 0); insert into t select g, 1 from generate_series(1, 50) g; update t set v = 2 where id = 0; commit',
    )
    await first.count(52)
    const seen: string[] = []
    for (const cut of [5, 6, 20, 21]) {
      const task = seen.length === 0 ? first : await new TaskHarness(props, offsets).start()
      await task.count(cut)
      seen.push(...ids(task.records.slice(0, cut)))
      await task.commit(cut)
      await task.stop()
    }
    expect(seen).toEqual(['c0', ...Array.from({ length: 50 }, (_, i) => `c${i + 1}`), 'u0'])
    await db.end()
  })

  test('a restart within a transaction continues the event counts of provide.transaction.metadata', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)')
    const offsets = new OffsetStorage()
    const props = propsFor(url, { 'provide.transaction.metadata': 'true', 'tombstones.on.delete': 'false' })
    const first = await new TaskHarness(props, offsets).start()
    await first.snapshot()
    await db.query('insert into t select g from generate_series(1, 6) g')
    // the start, six events and the end of the transaction
    await first.count(8)
    const orders: unknown[] = []
    const keep = (records: readonly SourceRecord[]) => {
      for (const r of records) {
        const block = (r.value as { transaction?: { total_order: number } }).transaction
        if (block) orders.push(Number(block.total_order))
      }
    }
    keep(first.records.slice(0, 3))
    await first.commit(3)
    await first.stop()
    const second = await new TaskHarness(props, offsets).start()
    await second.count(5)
    keep(second.records)
    expect(orders).toEqual([1, 2, 3, 4, 5, 6])
    expect(second.records.at(-1)!.value).toMatchObject({ status: 'END', event_count: 6 })
    await second.stop()
    await db.end()
  })

  test('a restart within a key change emits the delete again, so that the create is not lost', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)', 'insert into t values (1)')
    const offsets = new OffsetStorage()
    const first = await new TaskHarness(propsFor(url), offsets).start()
    await first.count(1)
    await db.query('update t set id = 2')
    expect(ids(await first.count(4))).toEqual(['r1', 'd1', 'tombstone1', 'c2'])
    await first.commit(2)
    await first.stop()
    const second = await new TaskHarness(propsFor(url), offsets).start()
    expect(ids(await second.count(3))).toEqual(['d1', 'tombstone1', 'c2'])
    await second.stop()
    await db.end()
  })

  test('a restart within a snapshot resumes after the last row, and emits the deletes that were made meanwhile', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key, v int)',
      'insert into t select g, 0 from generate_series(1, 1000) g',
    )
    const offsets = new OffsetStorage()
    const props = propsFor(url, { 'max.batch.size': '100' })
    const first = await new TaskHarness(props, offsets).start()
    await first.count(300)
    await first.commit(300)
    await first.stop()
    await db.query('delete from t where id = 10')
    await db.query('update t set v = 1 where id in (20, 900)')
    const second = await new TaskHarness(props, offsets).start()
    await second.snapshot()
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

describe.skipIf(server === null)('a snapshot that resumes', () => {
  test('a resumed snapshot reads a row only after the stream has emitted the changes to that row', async () => {
    const { url, db } = await createDatabase(
      server,
      'create table t (id int primary key, v int)',
      'insert into t select g, 0 from generate_series(1, 1000) g',
    )
    const offsets = new OffsetStorage()
    const first = await new TaskHarness(propsFor(url, { 'max.batch.size': '100' }), offsets).start()
    await first.count(300)
    await first.commit(300)
    await first.stop()

    const { hostname, port } = new URL(url)
    const proxy = await StreamProxy.start(hostname, Number(port))
    // The second attempt waits for this lock before its snapshot. Meanwhile a row changes, and the
    // proxy delays the events of the row.
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
      // a task that did not wait for the stream would read the row within this time
      await sleep(300)
      proxy.release()
      await second.snapshot()
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
