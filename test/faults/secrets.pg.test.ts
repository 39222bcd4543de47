/** Tests that a password is in no response, log, trace or status topic, whatever error occurs. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../platform.ts'
import { connectionSettings } from '../services/connection-settings.ts'
import { startPostgres } from '../services/postgres.ts'
import { type Fixture, fixture } from './harness.ts'

const SECRET = 'tops3cr3t'
const server = await startPostgres({ own: true })
let f: Fixture
const seen: string[] = []

beforeAll(async () => {
  if (!server) return
  f = await fixture()
  f.cleanup.push(() => server.stop())
  await f.platform.start([], { MILLRACE_LOG_LEVEL: 'TRACE' })
})
afterAll(() => f?.close())

async function ask(method: string, path: string, body?: unknown): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${f.platform.restPort}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : {
          headers: { 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
  })
  const text = await answer.text()
  if (text.includes(SECRET)) seen.push(`${method} ${path}: ${text.slice(0, 2000)}`)
  return answer.status
}

test.skipIf(!server)('a password is in no response and no log line, and on disk only in the config topic', async () => {
  const url = new URL(await server!.createDatabase())
  await server!.admin.query(`create role keeper login superuser password '${SECRET}'`)
  const config = {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    ...connectionSettings(url),
    'database.user': 'keeper',
    'database.password': SECRET,
    'topic.prefix': 'secret',
    'slot.name': 'secret',
    'publication.name': 'secret',
  }
  const es = {
    'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
    topics: 'x',
    'connection.url': 'http://127.0.0.1:1',
    'connection.username': 'u',
    'connection.password': SECRET,
  }
  expect(await ask('POST', '/connectors', { name: 'pg', config })).toBe(201)
  const wrong: [string, unknown][] = [
    ['POST', { name: 'x', config: { ...config, 'database.user': 'absent' } }],
    ['POST', { name: 'x', config: { ...config, 'database.dbname': 'absent' } }],
    ['POST', { name: 'x', config: { ...config, 'database.port': '1' } }],
    ['POST', { name: 'x', config: { ...config, 'database.sslmode': 'verify-full' } }],
    ['POST', { name: 'x', config: { ...config, 'slot.name': '!' } }],
    ['POST', { name: 'x', config: { ...config, 'database.password': { nested: SECRET } } }],
    ['POST', { name: 'x', config: { 'connector.class': 'Nope', 'database.password': SECRET } }],
    ['POST', { name: 'x', config: { 'database.password': SECRET } }],
    [
      'POST',
      { name: 'other', config: { 'connector.class': 'FileStreamSink', topics: 't', 'database.password': SECRET } },
    ],
    ['POST', { name: 'es', config: es }],
    ['POST', { name: 'es2', config: { ...es, 'connection.url': `http://u:${SECRET}@127.0.0.1:1` } }],
    ['POST', { name: 'es3', config: { ...es, 'connection.url': `ftp://u:${SECRET}@127.0.0.1:1` } }],
    ['POST', `{"name":"x","config":{"database.password":"${SECRET}" ${SECRET}}}`],
    ['POST', `{"name":"x","config":{"database.password":${SECRET}}}`],
  ]
  for (const [method, body] of wrong) await ask(method, '/connectors', body)
  await ask('PUT', '/connector-plugins/PostgresConnector/config/validate', config)
  await ask('PUT', '/connector-plugins/PostgresConnector/config/validate', { ...config, 'database.port': '1' })
  // This configuration is accepted although Elasticsearch is unreachable.
  const elsewhere = { ...es, 'connection.url': `http://u:${SECRET}@127.0.0.1:1` }
  await ask('PUT', '/connector-plugins/ElasticsearchSinkConnector/config/validate', elsewhere)
  const file = { 'connector.class': 'FileStreamSink', topics: 't', note: `http://u:${SECRET}@127.0.0.1:1/x?y=z` }
  expect(await ask('POST', '/connectors', { name: 'in-url', config: file })).toBe(201)
  const shown = (await f.platform.rest('GET', '/connectors/in-url/config')).body as Record<string, string>
  expect(shown['note']).toBe('http://u:[hidden]@127.0.0.1:1/x?y=z')
  expect(await ask('PUT', '/connectors/in-url/config', { ...shown, more: '1' })).toBe(200)
  await ask('PATCH', '/connectors/pg/config', { 'database.password': SECRET })
  // The role may no longer log in, so the running task fails with an error that could contain its
  // password.
  await server!.admin.query('alter role keeper nologin')
  await server!.admin.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'keeper'")
  await eventually(
    async () => (await f.platform.status('pg')).tasks[0]?.state === 'FAILED',
    () => f.platform.output.slice(-2000),
  )
  const names = (await f.platform.rest('GET', '/connectors')).body as string[]
  for (const name of names)
    for (const path of ['', '/config', '/tasks', '/tasks/0/status', '/status', '/topics', '/offsets'])
      await ask('GET', `/connectors/${name}${path}`)
  await ask('GET', '/connectors?expand=info&expand=status')
  await ask('POST', '/connectors/pg/restart?includeTasks=true')
  const logged = f.platform.output.split('\n').filter(line => line.includes(SECRET))
  for (const name of names) await ask('DELETE', `/connectors/${name}`)
  await f.platform.stop()
  const logs = join(f.dir, 'data/logs')
  const stored = readFileSync(join(logs, 'connect-configs-0/00000000000000000000.log')).toString('latin1')
  // A request with the masked password in the URL must keep the stored password.
  expect(stored.split(`http://u:${SECRET}@127.0.0.1:1/x?y=z`).length).toBeGreaterThan(2)
  const topics = readdirSync(logs, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.log') && !path.startsWith('connect-configs'))
    .filter(path => readFileSync(join(logs, path)).includes(SECRET))
  expect({ seen, logged, topics }).toEqual({ seen: [], logged: [], topics: [] })
})
