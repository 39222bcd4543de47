/**
 * Tests offsets that look as if they belonged to another server. These offsets are valid and must
 * not cause an error.
 */

import type { Props, SourceRecord, Struct } from 'millrace/connect'
import { OffsetStorage } from 'millrace/testing'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { query } from '../../test/services/query.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres({ own: true })
afterAll(() => server?.stop())

const ids = (records: readonly SourceRecord[]) => records.map(r => (r.key as Struct)['id'])

/**
 * Creates a database with one table, and captures row 1. The slot's position is behind the offset.
 */
async function captured(more: Props = {}) {
  const url = await server!.createDatabase()
  await query(url, 'create table t (id int primary key)')
  const offsets = new OffsetStorage()
  const props = propsFor(url, { 'retriable.restart.connector.wait.ms': '200', 'lsn.flush.mode': 'connector', ...more })
  const run = async (changed: Props = {}) => new TaskHarness({ ...props, ...changed }, offsets).start()
  const task = await run()
  await task.snapshot()
  await query(url, 'insert into t values (1)')
  await task.count(1)
  return { url, offsets, run, task }
}

/**
 * Stops the task and commits the last offset, like a worker that stops before the server receives
 * the confirmation.
 */
async function commitWithoutConfirmation(task: TaskHarness, offsets: OffsetStorage): Promise<void> {
  await task.stop()
  const last = task.records.at(-1)!
  offsets.set(last.sourcePartition!, last.sourceOffset!)
}

describe.skipIf(server === null)('an offset of the same server', () => {
  test('streaming resumes after a standby was promoted while the connector streamed from it', async ctx => {
    // older standbys do not support logical decoding
    if (server!.version < 160_000) return ctx.skip()
    const { url, offsets, run, task } = await captured()
    await task.commit()
    await task.stop()
    await server!.halt('fast')
    server!.backUp().restore('standby.signal')
    await server!.resume({ restore_command: 'false' })
    const standby = await run()
    await standby.until(() => standby.log.text().includes('streaming from'))
    await server!.admin.query('select pg_promote()')
    await query(url, 'insert into t values (2)', 'insert into t values (3)')
    await standby.until(r => ids(r).includes(3))
    await commitWithoutConfirmation(standby, offsets)
    await query(url, 'insert into t values (4)')
    const promoted = await run()
    expect(ids(await promoted.until(r => ids(r).includes(4)))).toEqual([4])
    await promoted.commit()
    await promoted.stop()
    // the offset now belongs to the new timeline
    expect(offsets.offset({ server: 't' })!['wal_id']).toMatch(/\/2$/)
  })

  test('streaming resumes at an offset whose transaction still waits for a synchronous standby', async () => {
    const { url, offsets, run, task } = await captured()
    const { admin } = server!
    const set = async (to: string) => {
      await admin.query(`alter system set synchronous_standby_names = '${to}'`)
      await admin.query('select pg_reload_conf()')
      await expect
        .poll(async () => (await query(url, 'show synchronous_standby_names')).rows[0])
        .toEqual({
          synchronous_standby_names: to,
        })
    }
    await set('nobody')
    const db = new pg.Client(url)
    await db.connect()
    try {
      const waiting = db.query('insert into t values (2)')
      await task.count(2)
      await commitWithoutConfirmation(task, offsets)
      const again = await run()
      await again.until(() => again.log.text().includes('streaming from'))
      await set('')
      await waiting
      await query(url, 'insert into t values (3)')
      expect(ids(await again.count(1))).toEqual([3])
      await again.stop()
    } finally {
      await set('')
      await db.end()
    }
  })

  test('an offset that is older than the publication is not reported as invalid', async () => {
    const { url, offsets, run, task } = await captured()
    await query(url, 'insert into t values (2)')
    await task.count(2)
    await commitWithoutConfirmation(task, offsets)
    await query(url, 'create publication newer for all tables', 'insert into t values (3)')
    const again = await run({ 'publication.name': 'newer' })
    if (server!.version < 180_000) {
      // before version 18, the server cannot decode changes that are older than the publication
      expect(await again.failure()).toMatchObject({ code: 'MR_PG_PUBLICATION_MISSING' })
    } else {
      expect(ids(await again.count(1))).toEqual([3])
    }
    await again.stop()
  })
})
