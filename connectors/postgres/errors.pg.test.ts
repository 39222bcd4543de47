/** Causes each failure on a real server and checks the error. */

import type { MillraceError, Props } from 'millrace/connect'
import { validateConnector } from 'millrace/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { connectFailure, snapshotFailure, streamFailure } from './client/failure.ts'
import { PostgresConnector } from './connector.ts'
import type { ConnectionOptions } from './options.ts'
import { createDatabase, dropSlot } from './test-support/database.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'

const HBA = [
  'host all stranger 127.0.0.1/32 reject',
  'host nowhere outsider 127.0.0.1/32 scram-sha-256',
  'host all postgres,guest,ssl_replication_user,nologin,limited 127.0.0.1/32 scram-sha-256',
]
const server: PostgresServer | null = await startPostgres({
  own: true,
  settings: { max_replication_slots: '2', max_wal_senders: '3' },
})
if (server) {
  const { rows } = await server.admin.query<{ path: string }>("select current_setting('hba_file') as path")
  await server.admin.query(`copy (select unnest(array['${HBA.join("','")}'])) to '${rows[0]!.path}'`)
  await server.admin.query('select pg_reload_conf()')
}
afterAll(() => server?.stop())

const ROLES = ['stranger', 'outsider', 'guest', 'ssl_replication_user', 'limited']

/**
 * Returns the error with which a task fails. With `errors.max.retries=0`, an error that can be
 * retried fails the task too.
 */
async function failureOf(props: Props): Promise<MillraceError> {
  const task = await new TaskHarness({ ...props, 'errors.max.retries': '0' }).start()
  try {
    const failure = await task.failure()
    return failure.code === 'MR_PG_RETRIES_EXHAUSTED' ? (failure.cause as MillraceError) : failure
  } finally {
    await task.stop()
  }
}

async function errorsOf(props: Props): Promise<Record<string, string>> {
  const values = await validateConnector(new PostgresConnector(), props)
  return Object.fromEntries(values.filter(v => v.errors.length > 0).map(v => [v.name, v.errors.join(' | ')]))
}

describe.skipIf(server === null)('the error of a rejected connection', () => {
  let url: string
  beforeAll(async () => {
    const made = await createDatabase(server)
    url = made.url
    for (const role of ROLES) await made.db.query(`create role ${role} login replication password 'pw'`)
    await made.db.query("create role nologin password 'pw'")
    await made.db.query('alter role limited connection limit 0')
    await made.db.query(`revoke connect on database ${new URL(url).pathname.slice(1)} from public`)
    await made.db.query(`grant connect on database ${new URL(url).pathname.slice(1)} to limited`)
    await made.db.end()
  })

  const cases: [string, Props, string, string, RegExp][] = [
    [
      'no matching line in pg_hba.conf',
      { 'database.user': 'outsider' },
      'MR_PG_HBA',
      'database.user',
      /Add a line to pg_hba\.conf/,
    ],
    ['a reject line in pg_hba.conf', { 'database.user': 'stranger' }, 'MR_PG_HBA', 'database.user', /pg_hba\.conf/],
    [
      'a role without LOGIN',
      { 'database.user': 'nologin' },
      'MR_PG_LOGIN_DENIED',
      'database.user',
      /ALTER ROLE .* LOGIN/,
    ],
    ['a role without CONNECT', { 'database.user': 'guest' }, 'MR_PG_LOGIN_DENIED', 'database.user', /GRANT CONNECT/],
    [
      'a wrong password of a user with a misleading name',
      { 'database.user': 'ssl_replication_user', 'database.password': 'no' },
      'MR_PG_AUTH_FAILED',
      'database.password',
      /Correct database\.user and database\.password/,
    ],
    [
      'a connection limit of the role',
      { 'database.user': 'limited' },
      'MR_PG_TOO_MANY_CONNECTIONS',
      'database.hostname',
      /CONNECTION LIMIT/,
    ],
    [
      'an unknown host with a misleading name',
      { 'database.hostname': 'ssl-certificate.invalid' },
      'MR_PG_CONNECT_FAILED',
      'database.hostname',
      /database\.hostname and database\.port/,
    ],
    [
      'a failing statement in database.initial.statements',
      {
        'database.user': 'postgres',
        'database.password': 'postgres',
        'database.initial.statements': 'select nonsense',
      },
      'MR_PG_INITIAL_STATEMENTS',
      'database.initial.statements',
      /42703.*Correct database\.initial\.statements/,
    ],
  ]
  test.each(cases)('the error for %s names the cause and the key', async (_, more, code, key, message) => {
    const props = { ...propsFor(url), 'database.password': 'pw', ...more }
    const failure = await failureOf(props)
    expect([failure.code, failure.message]).toEqual([code, expect.stringMatching(message)])
    expect(failure.message).not.toContain("'pw'")
    const found = await errorsOf(props)
    expect(Object.keys(found)).toEqual([key])
    expect(found[key]).toContain(code)
  })
})

describe.skipIf(server === null)('a slot that cannot be used', () => {
  test('a physical slot and a slot of another database are rejected', async () => {
    const { url, db } = await createDatabase(server)
    const other = await createDatabase(server)
    const props = propsFor(url)
    await db.query(`select pg_create_physical_replication_slot('${props['slot.name']}')`)
    expect(await failureOf(props)).toMatchObject({
      code: 'MR_PG_SLOT_WRONG',
      message: expect.stringContaining('it is a physical slot'),
    })
    await dropSlot(db, props['slot.name']!)
    await other.db.query(`select pg_create_logical_replication_slot('${props['slot.name']}', 'pgoutput')`)
    const failure = await failureOf(props)
    expect(failure.message).toContain(`it is a slot of database ${new URL(other.url).pathname.slice(1)}.`)
    expect((await errorsOf(props))['slot.name']).toContain('MR_PG_SLOT_WRONG')
    await dropSlot(other.db, props['slot.name']!)
    await db.end()
    await other.db.end()
  })

  test('a slot that would exceed max_replication_slots causes MR_PG_SLOTS_EXHAUSTED', async () => {
    const { url, db } = await createDatabase(server)
    for (const name of ['one', 'two']) await db.query(`select pg_create_physical_replication_slot('${name}')`)
    expect(await failureOf(propsFor(url))).toMatchObject({ code: 'MR_PG_SLOTS_EXHAUSTED' })
    for (const name of ['one', 'two']) await dropSlot(db, name)
    await db.end()
  })

  test('a user without REPLICATION causes MR_PG_NO_REPLICATION_PRIVILEGE', async () => {
    const { url, db } = await createDatabase(server, 'create publication dbz_publication for all tables')
    await db.query('alter role guest noreplication')
    const failure = await failureOf({ ...propsFor(url), 'database.user': 'guest', 'database.password': 'pw' })
    expect(failure).toMatchObject({ code: 'MR_PG_NO_REPLICATION_PRIVILEGE' })
    await db.end()
  })
})

describe.skipIf(server === null)('a query that fails', () => {
  test('bytes that are not valid UTF-8 fail the snapshot and the stream with an error that names the encoding', async () => {
    await server!.admin.query(
      "create database ascii encoding 'SQL_ASCII' template template0 lc_collate 'C' lc_ctype 'C'",
    )
    const url = Object.assign(new URL(server!.url), { pathname: '/ascii' }).toString()
    const db = new pg.Client(url)
    await db.connect()
    await db.query('create table t (id int primary key, v text)')
    const props = propsFor(url)
    const task = await new TaskHarness(props).start()
    await task.snapshot()
    await db.query("insert into t values (1, E'\\xff')")
    const streamed = await task.failure()
    expect(streamed).toMatchObject({ code: 'MR_PG_ENCODING', retriable: false })
    expect(streamed.message).toMatch(/cannot send a change as UTF-8.*SQL_ASCII.*column list in the publication/)
    await task.stop()
    await dropSlot(db, props['slot.name']!)
    const read = await failureOf({ ...props, 'snapshot.mode': 'initial_only' })
    expect(read).toMatchObject({ code: 'MR_PG_ENCODING', retriable: false })
    expect(read.message).toMatch(/a row of table public\.t as UTF-8.*column\.exclude\.list/)
    const without = await new TaskHarness({
      ...props,
      'snapshot.mode': 'initial_only',
      'column.exclude.list': 'public.t.v',
    }).start()
    await without.count(1)
    await without.stop()
    await db.end()
  })

  test('the error of a failed override query names the key of the override', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)')
    const failure = await failureOf(
      propsFor(url, {
        'snapshot.mode': 'initial_only',
        'snapshot.select.statement.overrides': 'public.t',
        'snapshot.select.statement.overrides.public.t': 'select nonsense from public.t',
      }),
    )
    expect(failure).toMatchObject({ code: 'MR_PG_SNAPSHOT_OVERRIDE' })
    expect(failure.message).toContain('snapshot.select.statement.overrides.public.t failed with 42703')
    await db.end()
  })

  test('a snapshot query is retried if a timeout from database.initial.statements cancels it', async () => {
    const { url, db } = await createDatabase(server, 'create table t (id int primary key)')
    const failure = await failureOf(
      propsFor(url, {
        'snapshot.mode': 'initial_only',
        'database.initial.statements': 'set statement_timeout = 50',
        'snapshot.select.statement.overrides': 'public.t',
        'snapshot.select.statement.overrides.public.t': 'select 1 as id from pg_sleep(1)',
      }),
    )
    expect(failure).toMatchObject({ code: 'MR_PG_CANCELED', retriable: true })
    expect(failure.message).toMatch(/snapshot of table public\.t.*statement_timeout.*database\.initial\.statements/)
    await db.end()
  })
})

describe('a server error', () => {
  const answer = (code: string, message: string, routine = '') => Object.assign(new Error(message), { code, routine })
  const o = { host: 'h', port: 1, user: 'u', database: 'd', sslMode: 'prefer' } as ConnectionOptions
  const snapshot = (e: Error, isOverride = false) => snapshotFailure(e, { table: 't', user: 'u', isOverride })

  test('a SQLSTATE with several possible causes is converted to the error of the actual cause', () => {
    // SQLSTATE 53400 can also mean that temporary files, not slots, exceed their limit
    expect(streamFailure(answer('53400', 'temporary file size exceeds "temp_file_limit" (1kB)'), 's').code).toBe(
      'MR_PG_UNAVAILABLE',
    )
    expect(streamFailure(answer('53400', 'all replication slots are in use', 'ReplicationSlotCreate'), 's').code).toBe(
      'MR_PG_SLOTS_EXHAUSTED',
    )
    expect(streamFailure(answer('53100', 'could not extend file: No space left on device'), 's')).toMatchObject({
      code: 'MR_PG_UNAVAILABLE',
      retriable: true,
    })
    expect(streamFailure(answer('57P01', 'terminating connection due to administrator command'), 's')).toMatchObject({
      code: 'MR_PG_CONNECTION_LOST',
      retriable: true,
    })
    // the connector's error does not depend on the language of the server's messages
    expect(
      streamFailure(answer('42704', 'Replikations-Slot »s« existiert nicht', 'ReplicationSlotAcquire'), 's').code,
    ).toBe('MR_PG_SLOT_MISSING')
    expect(streamFailure(answer('42704', 'Publikation »p« existiert nicht', 'get_publication_oid'), 's').code).toBe(
      'MR_PG_PUBLICATION_MISSING',
    )
    expect(
      connectFailure(answer('42501', 'keine Berechtigung für Datenbank »d«', 'CheckMyDatabase'), o, true).code,
    ).toBe('MR_PG_LOGIN_DENIED')
    expect(connectFailure(answer('53300', 'sorry, too many clients already'), o, false).code).toBe(
      'MR_PG_TOO_MANY_CONNECTIONS',
    )
    expect(
      connectFailure(
        answer('53300', 'number of requested standby connections exceeds "max_wal_senders" (currently 1)'),
        o,
        true,
      ).code,
    ).toBe('MR_PG_SLOTS_EXHAUSTED')
  })

  test('a failed snapshot query gets the error of its SQLSTATE, and is retried if the table has changed', () => {
    for (const code of ['42P01', '42703', '3F000'])
      expect(snapshot(answer(code, 'gone'))).toMatchObject({ code: 'MR_PG_SNAPSHOT_CHANGED', retriable: true })
    expect(snapshot(answer('42P01', 'gone'), true)).toMatchObject({ code: 'MR_PG_SNAPSHOT_OVERRIDE', retriable: false })
    expect(snapshot(answer('57014', 'canceling statement due to user request'))).toMatchObject({
      code: 'MR_PG_CANCELED',
    })
    expect(snapshot(answer('57P01', 'terminating'))).toMatchObject({ code: 'MR_PG_CONNECTION_LOST' })
    expect(snapshot(answer('22012', 'division by zero'))).toMatchObject({ code: 'MR_PG_SNAPSHOT_QUERY' })
  })
})
