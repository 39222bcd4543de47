import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres({ own: true })
afterAll(() => server?.stop())

/**
 * Reads a value until it is as expected. The positions of the server are read every few seconds.
 */
async function eventually<T>(read: () => T, isGood: (value: T) => boolean): Promise<T> {
  for (const end = Date.now() + 40_000; ; await sleep(50)) {
    const value = read()
    if (isGood(value)) return value
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(value)}`)
  }
}

describe.skipIf(server === null)('the metrics', () => {
  test('count a snapshot and what is streamed, and measure the lag in bytes of WAL', async () => {
    const url = await server!.createDatabase()
    const db = new pg.Client(url)
    await db.connect()
    await db.query('create table a (id int primary key, v text)')
    await db.query("insert into a values (1, 'x'), (2, 'y'), (3, 'z')")
    await db.query('create table b (id int primary key)')
    const task = await new TaskHarness(propsFor(url, { 'status.update.interval.ms': '50' })).start()
    try {
      await task.count(3)
      await eventually(
        () => task.metric('SnapshotCompleted'),
        v => v === 1,
      )
      expect(task.metric('SnapshotRunning')).toBe(0)
      expect(task.metric('TotalTableCount')).toBe(2)
      expect(task.metric('RemainingTableCount')).toBe(0)
      expect(task.metric('RowsScanned public.a')).toBe(3)
      expect(task.metric('RowsScanned public.b')).toBe(0)
      expect(task.metric('TotalNumberOfEventsSeen')).toBe(0)
      expect(task.metric('MilliSecondsSinceLastEvent')).toBe(-1)
      expect(task.metric('Connected')).toBe(1)

      await db.query("begin; insert into a values (4, 'w'), (5, 'v'); update a set v = 'u' where id = 4; commit")
      await db.query('delete from a where id = 5')
      // the tombstone of a delete is not an event
      await task.count(3 + 5)
      expect(task.metric('TotalNumberOfEventsSeen')).toBe(4)
      expect(task.metric('TotalNumberOfCreateEventsSeen')).toBe(2)
      expect(task.metric('TotalNumberOfUpdateEventsSeen')).toBe(1)
      expect(task.metric('TotalNumberOfDeleteEventsSeen')).toBe(1)
      expect(task.metric('NumberOfCommittedTransactions')).toBeGreaterThanOrEqual(2)
      expect(task.metric('MilliSecondsBehindSource')).toBeGreaterThanOrEqual(0)
      expect(task.metric('MilliSecondsSinceLastEvent')).toBeLessThan(40_000)

      // a megabyte that is read but not committed: the slot lags, the reader does not
      await db.query('insert into a select i, repeat(md5(i::text), 32) from generate_series(100, 1099) i')
      await task.count(3 + 5 + 1000)
      const behind = await eventually(
        () => task.lag(),
        lag => lag !== null && lag.bytes! > 1_000_000,
      )
      expect(behind!.since === null || behind!.since > Date.now() - 60_000).toBe(true)
      expect(task.metric('slot_lag_bytes')).toBeGreaterThan(1_000_000)
      expect(task.metric('slot_retained_bytes')).toBeGreaterThan(1_000_000)
      await eventually(
        () => task.lag(),
        lag => lag?.since === null,
      )
      expect(task.metric('wal_lag_bytes')).toBeLessThan(1_000_000)

      task.commit()
      await eventually(
        () => task.lag(),
        lag => lag !== null && lag.bytes! < 1_000_000,
      )
      const slotLag = () => {
        // reading the lag also refreshes the positions
        task.lag()
        return task.metric('slot_lag_bytes')
      }
      await eventually(slotLag, bytes => bytes! < 1_000_000)
    } finally {
      await task.stop()
      await db.end()
    }
  })
})
