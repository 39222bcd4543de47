import type { Props } from 'millrace/connect'
import { validateConnector } from 'millrace/testing'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { PostgresConnector } from './connector.ts'
import { propsFor } from './test-support/harness.ts'

const server: PostgresServer | null = await startPostgres()
afterAll(() => server?.stop())

/** Returns the errors of a configuration, by key. */
async function errorsOf(props: Props): Promise<Record<string, string>> {
  const values = await validateConnector(new PostgresConnector(), props)
  return Object.fromEntries(values.filter(v => v.errors.length > 0).map(v => [v.name, v.errors.join(' | ')]))
}

describe.skipIf(server === null)('the validation of a configuration', () => {
  test('a valid configuration has no errors, and its validation creates nothing on the server', async () => {
    const url = await server!.createDatabase()
    expect(await errorsOf(propsFor(url))).toEqual({})
    const { rows } = await server!.admin.query('select * from pg_replication_slots')
    expect(rows).toEqual([])
  })

  test('the error of each key says what is wrong and what to do', async () => {
    const url = await server!.createDatabase()
    const base = propsFor(url)
    const cases: [Props, string, RegExp][] = [
      [
        { 'database.password': 'wrong' },
        'database.password',
        /rejected user postgres.*Correct database\.user and database\.password/s,
      ],
      [
        { 'database.hostname': 'nowhere.invalid' },
        'database.hostname',
        /cannot connect.*Check that the server is running/s,
      ],
      [{ 'database.port': '1' }, 'database.hostname', /ECONNREFUSED/],
      [{ 'database.dbname': 'absent' }, 'database.dbname', /database absent does not exist/],
      [{ 'database.sslmode': 'require' }, 'database.sslmode', /database\.sslmode=require/],
      [
        { 'table.include.list': 'public.absent' },
        'table.include.list',
        /no table.*table\.include\.list=public\.absent/,
      ],
      [
        { 'publication.autocreate.mode': 'disabled' },
        'publication.name',
        /dbz_publication does not exist.*CREATE PUBLICATION/,
      ],
    ]
    for (const [more, key, message] of cases) {
      const found = await errorsOf({ ...base, ...more })
      expect(Object.keys(found), JSON.stringify(more)).toEqual([key])
      expect(found[key]).toMatch(message)
      expect(found[key]).not.toContain("wrong'")
    }
  })

  test('the validation errors name the privileges that the user does not have', async () => {
    const url = await server!.createDatabase()
    const db = new pg.Client(url)
    await db.connect()
    const role = `weak_${Math.random().toString(36).slice(2, 8)}`
    await db.query(`create role ${role} login password 'pw'`)
    const found = await errorsOf({ ...propsFor(url), 'database.user': role, 'database.password': 'pw' })
    expect(found['database.user']).toMatch(new RegExp(`ALTER ROLE ${role} WITH REPLICATION`))
    expect(found['publication.autocreate.mode']).toMatch(/is not a superuser.*filtered/)
    await db.query(`drop role ${role}`)
    await db.end()
  })

  test('the validation rejects a physical slot', async () => {
    const url = await server!.createDatabase()
    const db = new pg.Client(url)
    await db.connect()
    const props = propsFor(url)
    await db.query(`select pg_create_physical_replication_slot('${props['slot.name']}')`)
    expect((await errorsOf(props))['slot.name']).toMatch(/is a physical slot/)
    await db.query(`select pg_drop_replication_slot('${props['slot.name']}')`)
    await db.end()
  })
})

describe('a server that cannot decode', () => {
  test('a server with wal_level=replica causes an error that names wal_level', async ctx => {
    const replica = await startPostgres({ own: true, settings: { wal_level: 'replica' } })
    if (!replica) return ctx.skip()
    try {
      const found = await errorsOf(propsFor(await replica.createDatabase()))
      expect(found['database.hostname']).toMatch(/wal_level is 'replica'.*ALTER SYSTEM SET wal_level = 'logical'/s)
    } finally {
      await replica.stop()
    }
  })
})
