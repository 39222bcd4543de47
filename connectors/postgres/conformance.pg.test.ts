import { sourceConformance } from 'millrace/testing'
import pg from 'pg'
import { afterAll, describe, test } from 'vitest'
import { startPostgres } from '../../test/services/postgres.ts'
import { query } from '../../test/services/query.ts'
import { PostgresConnector } from './connector.ts'
import { dropSlot } from './test-support/database.ts'
import { propsFor } from './test-support/harness.ts'

const server = await startPostgres({ own: true })
afterAll(() => server?.stop())

const ROWS = 8

describe.skipIf(server === null)('the conformance suite', () => {
  const checks = sourceConformance({
    connector: PostgresConnector,
    fixture: async () => {
      const url = await server!.createDatabase()
      const slot = `slot_${new URL(url).pathname.slice(1)}`
      await query(url, 'create table t (id int primary key)')
      await query(url, 'create publication dbz_publication for table t')
      // The slot exists before the rows, so that the rows are streamed. A snapshot could not be
      // resumed at every row.
      await query(url, `select pg_create_logical_replication_slot('${slot}', 'pgoutput')`)
      let count = 0
      const produce = async (more: number) => {
        for (let n = 0; n < more; n++) await query(url, `insert into t values (${count++})`)
      }
      await produce(ROWS)
      return {
        config: propsFor(url, {
          'snapshot.mode': 'no_data',
          'retriable.restart.connector.wait.ms': '100',
          'status.update.interval.ms': '50',
        }),
        records: ROWS,
        produce,
        dispose: async () => {
          const db = new pg.Client(url)
          await db.connect()
          await dropSlot(db, slot)
          await db.end()
        },
      }
    },
    timeoutMs: 8000,
    identify: ({ key }) => JSON.stringify(key),
    produces: true,
    invalid: [
      { config: { 'database.port': 'x' }, key: 'database.port' },
      { config: { 'database.dbname': 'does_not_exist' }, key: 'database.dbname' },
    ],
    failing: { 'database.port': '1', 'database.password': 'geheim-123' },
    stopWithinMs: 15_000,
  })
  for (const check of checks) test(check.name, check.run)
})
