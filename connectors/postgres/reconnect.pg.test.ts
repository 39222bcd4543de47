import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Struct } from 'millrace/connect'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { createDatabase, eventually, ids } from './test-support/database.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres({ own: true, settings: { max_replication_slots: '40' } })
afterAll(() => server?.stop())

describe.skipIf(server === null)('a lost connection', () => {
  test('a lost connection is reopened, and no record is lost or emitted twice', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)')
    const task = await new TaskHarness(propsFor(url)).start()
    await task.snapshot()
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
    // a connection that is terminated while it is being opened fails with MR_PG_CONNECT_FAILED
    expect(task.log.text()).toMatch(/MR_PG_(CONNECTION_LOST|CONNECT_FAILED)\].*Retrying in/)
    await task.stop()
    await db.end()
  })

  test.each(['fast', 'immediate'] as const)(
    'the connection is reopened after a restart of the server (%s)',
    async mode => {
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
        await task.snapshot()
        await run('insert into t values (1)')
        await task.count(1)
        await task.commit()
        await own!.halt(mode)
        await own!.resume()
        await run('insert into t values (2)')
        expect(ids(await task.count(2))).toEqual(['c1', 'c2'])
      } finally {
        await task.stop()
        await own!.stop()
      }
    },
  )

  test('a connection that cannot be opened fails the task after errors.max.retries', async () => {
    const task = await new TaskHarness({
      ...propsFor('postgresql://u:p@127.0.0.1:1/d'),
      'errors.max.retries': '2',
      'retriable.restart.connector.wait.ms': '10',
    }).start()
    expect(await task.failure()).toMatchObject({ code: 'MR_PG_RETRIES_EXHAUSTED' })
    await task.stop()
  })
})

test('a stop closes a connection to a server that never responds', async () => {
  const sockets: Socket[] = []
  const silent = createServer(socket => sockets.push(socket))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', () => resolve()))
  const { port } = silent.address() as AddressInfo
  const task = await new TaskHarness(propsFor(`postgresql://u:p@127.0.0.1:${port}/d`)).start()
  await eventually(
    async () => sockets.length,
    n => n > 0,
  )
  await task.stop()
  expect(task.records).toEqual([])
  for (const socket of sockets) socket.destroy()
  await new Promise(resolve => silent.close(resolve))
})
