import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres({ own: true })
afterAll(() => server?.stop())

describe.skipIf(server === null)('the metrics', () => {
  test('the metrics count the rows of a snapshot and the streamed events, and measure the lag in bytes of WAL', async () => {
    const url = await server!.createDatabase()
    const db = new pg.Client(url)
    await db.connect()
    await db.query('create table a (id int primary key, v text)')
    await db.query("insert into a values (1, 'x'), (2, 'y'), (3, 'z')")
    await db.query('create table b (id int primary key)')
    const task = await new TaskHarness(propsFor(url, { 'status.update.interval.ms': '50' })).start()
    const { source } = task
    const debezium = (name: string, tags = {}) => source.metric(`debezium_metrics_${name}`, tags)
    const bytes = (name: string) => source.metric(`millrace_postgres_${name}_bytes`) ?? Number.NaN
    try {
      await task.count(3)
      await source.until(() => debezium('SnapshotCompleted') === 1)
      expect(debezium('SnapshotRunning')).toBe(0)
      expect(debezium('TotalTableCount')).toBe(2)
      expect(debezium('RemainingTableCount')).toBe(0)
      expect(debezium('RowsScanned', { table: 'public.a' })).toBe(3)
      expect(debezium('RowsScanned', { table: 'public.b' })).toBe(0)
      expect(debezium('TotalNumberOfEventsSeen')).toBe(0)
      expect(debezium('MilliSecondsSinceLastEvent')).toBe(-1)
      expect(debezium('Connected')).toBe(1)

      await db.query("begin; insert into a values (4, 'w'), (5, 'v'); update a set v = 'u' where id = 4; commit")
      await db.query('delete from a where id = 5')
      // the tombstone of a delete is not an event
      await task.count(3 + 5)
      await source.until(() => debezium('TotalNumberOfDeleteEventsSeen') !== 0)
      expect(debezium('TotalNumberOfEventsSeen')).toBe(4)
      expect(debezium('TotalNumberOfCreateEventsSeen')).toBe(2)
      expect(debezium('TotalNumberOfUpdateEventsSeen')).toBe(1)
      expect(debezium('TotalNumberOfDeleteEventsSeen')).toBe(1)
      expect(debezium('NumberOfCommittedTransactions')).toBeGreaterThanOrEqual(2)
      expect(debezium('MilliSecondsBehindSource')).toBeGreaterThanOrEqual(0)
      expect(debezium('MilliSecondsSinceLastEvent')).toBeLessThan(40_000)

      // a megabyte is read but not committed, so that only the confirmed position of the slot lags
      await db.query('insert into a select i, repeat(md5(i::text), 32) from generate_series(100, 1099) i')
      await task.count(3 + 5 + 1000)
      await source.until(() => (source.lag()?.bytes ?? 0) > 1_000_000)
      const { since } = source.lag()!
      expect(since === null || since > Date.now() - 60_000).toBe(true)
      expect(bytes('slot_lag')).toBeGreaterThan(1_000_000)
      expect(bytes('slot_retained')).toBeGreaterThan(1_000_000)
      await source.until(() => source.lag()?.since === null)
      expect(bytes('wal_lag')).toBeLessThan(1_000_000)

      await task.commit()
      await source.until(() => (source.lag()?.bytes ?? Number.POSITIVE_INFINITY) < 1_000_000)
      // the metrics may be older than the lag, because the positions are read only every few
      // seconds
      await source.until(() => bytes('slot_lag') < 1_000_000)
    } finally {
      await task.stop()
      await db.end()
    }
  })
})
