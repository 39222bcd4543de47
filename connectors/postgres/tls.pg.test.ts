import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSettings } from 'millrace/testing'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { endClient, openClient } from './client/open.ts'
import { postgresConfig } from './config.ts'
import { parseOptions } from './options.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const tls = join(import.meta.dirname, 'fixtures/tls')
const file = (name: string) => join(tls, name)

async function serverWith(certificate: string): Promise<PostgresServer | null> {
  const read = (name: string) => readFileSync(file(name), 'utf8')
  return startPostgres({
    own: true,
    settings: { ssl: 'on', ssl_cert_file: '../server.crt', ssl_key_file: '../server.key' },
    files: { 'server.crt': read(`${certificate}.crt`), 'server.key': read(`${certificate}.key`) },
  })
}

const right = await serverWith('server')
const wrong = await serverWith('elsewhere')
const plain = await startPostgres({ own: true })
afterAll(async () => {
  for (const server of [right, wrong, plain]) await server?.stop()
})

/** Returns `encrypted`, `plain`, or the code of the error that rejects the connection. */
async function connect(server: PostgresServer, mode: string, root?: string): Promise<string> {
  const props = {
    ...propsFor(server.url),
    'database.sslmode': mode,
    ...(root ? { 'database.sslrootcert': file(root) } : {}),
  }
  const { connection } = parseOptions(parseSettings(postgresConfig, props), props)
  let client: pg.Client
  try {
    client = await openClient(connection, { name: 'test', replication: false })
  } catch (error) {
    return (error as { code: string }).code
  }
  const { rows } = await client.query<{ ssl: string }>('select ssl::text from pg_stat_ssl where pid = pg_backend_pid()')
  await endClient(client)
  return rows[0]!.ssl === 'true' ? 'encrypted' : 'plain'
}

describe.skipIf(right === null)('database.sslmode', () => {
  test.each([
    ['disable', 'plain', 'plain'],
    ['allow', 'plain', 'plain'],
    ['prefer', 'encrypted', 'plain'],
    ['require', 'encrypted', 'MR_PG_SSL'],
  ])(
    'database.sslmode=%s leads to %s if the server has TLS, and to %s if it does not',
    async (mode, withTls, without) => {
      expect([await connect(right!, mode), await connect(plain!, mode)]).toEqual([withTls, without])
    },
  )

  test('database.sslmode applies to the snapshot and the stream', async () => {
    const url = await right!.createDatabase()
    const db = new pg.Client(url)
    await db.connect()
    await db.query('create table t (id int primary key)')
    await db.query('insert into t values (1)')
    const task = await new TaskHarness(propsFor(url, { 'database.sslmode': 'require' })).start()
    await task.count(1)
    await db.query('insert into t select g from generate_series(2, 5000) g')
    await task.count(5000)
    const { rows } = await db.query<{ ssl: boolean }>(
      "select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name like 'millrace%'",
    )
    expect(rows.map(r => r.ssl)).toEqual([true, true])
    await task.stop()
    await db.end()
  })

  test('verify-ca checks the certificate authority, and verify-full also checks the host name', async () => {
    expect(await connect(right!, 'verify-ca', 'server.crt')).toBe('encrypted')
    expect(await connect(right!, 'verify-full', 'server.crt')).toBe('encrypted')
    expect(await connect(right!, 'verify-ca', 'other-ca.crt')).toBe('MR_PG_SSL')
    expect(await connect(wrong!, 'verify-ca', 'elsewhere.crt')).toBe('encrypted')
    expect(await connect(wrong!, 'verify-full', 'elsewhere.crt')).toBe('MR_PG_SSL')
    expect(await connect(right!, 'verify-full', 'absent.crt')).toBe('MR_PG_SSL')
  })
})
