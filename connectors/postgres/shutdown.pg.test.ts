/**
 * Tests the shutdown of a server. The server waits until all of its WAL is confirmed. In every
 * state and with every setting, the connector must not block the shutdown.
 */

import type { SourceRecord, Struct } from 'millrace/connect'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { query } from '../../test/services/query.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres({ own: true })
afterAll(() => server?.stop())

const ids = (records: readonly SourceRecord[]) => records.map(r => (r.key as Struct)['id'])

describe.skipIf(server === null)('a fast shutdown of the server', () => {
  test.each([
    ['connector', 'committed'],
    ['manual', 'committed'],
    // these records stay uncommitted, as when the broker accepts no records
    ['connector_and_driver', 'not committed'],
  ])('a shutdown ends while a connector streams with lsn.flush.mode=%s and its records are %s', async (mode, state) => {
    const url = await server!.createDatabase()
    await query(url, 'create table t (id int primary key)', 'create table other (id int)')
    const more = { 'table.include.list': 'public.t', 'retriable.restart.connector.wait.ms': '200' }
    const task = await new TaskHarness(propsFor(url, { ...more, 'lsn.flush.mode': mode })).start()
    await task.snapshot()
    await query(url, 'insert into t values (1)', 'insert into other values (1)')
    await task.count(1)
    if (state === 'committed') await task.commit()
    await server!.halt('fast')
    await server!.resume()
    await query(url, 'insert into t values (2)')
    expect(ids(await task.count(2))).toEqual([1, 2])
    await task.stop()
    await query(server!.url, `select pg_drop_replication_slot('${propsFor(url)['slot.name']}')`)
  })
})
