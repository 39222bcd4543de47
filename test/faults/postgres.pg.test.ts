/**
 * Tests faults of Postgres. The REST API reports them, another pipeline is not affected, and after
 * the repair nothing is lost.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createConsumer } from '../../core/client/index.ts'
import { sleep } from '../../core/common/async/sleep.ts'
import { eventually } from '../platform.ts'
import { random } from '../random.ts'
import { connectionSettings } from '../services/connection-settings.ts'
import { type PostgresServer, startPostgres } from '../services/postgres.ts'
import { query } from '../services/query.ts'
import { type Fixture, fixture, OtherPipeline, recovered, statusSays } from './harness.ts'

const server = await startPostgres({ own: true })
let f: Fixture
let otherPipeline: OtherPipeline
let count = 0

beforeAll(async () => {
  if (!server) return
  f = await fixture()
  f.cleanup.push(() => server.stop())
  await f.platform.start()
  otherPipeline = await new OtherPipeline(f.dir, f.platform).start()
})
afterAll(() => f?.close())

function configOf(url: string, name: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    ...connectionSettings(url),
    'topic.prefix': name,
    'table.include.list': 'public.t',
    'slot.name': name,
    'publication.name': name,
    'publication.autocreate.mode': 'filtered',
    'retriable.restart.connector.wait.ms': '500',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': 'false',
    ...more,
  }
}

interface Source {
  readonly name: string
  readonly url: string
  readonly config: Record<string, string>
}

/**
 * Creates a database with a table of `rows` rows. Returns the configuration of a connector for this
 * database.
 */
async function database(rows: number, on: PostgresServer = server!): Promise<Source> {
  const name = `src${++count}`
  const url = await on.createDatabase(`db_${name}`)
  await query(
    url,
    'create table t (id int primary key, v text)',
    `insert into t select n, 'v' from generate_series(1, ${rows}) n`,
  )
  return { name, url, config: configOf(url, name) }
}

/** Returns the ids in the topic, in order, without duplicates. */
async function ids(name: string): Promise<number[]> {
  const consumer = createConsumer({ bootstrapServers: [f.platform.bootstrap] })
  const at = { topic: `${name}.public.t`, partition: 0 }
  const found: number[] = []
  try {
    consumer.assign([at])
    const [end = 0] = await consumer.endOffsets([at])
    consumer.seekToBeginning([at])
    while ((consumer.position(at) ?? 0) < end)
      for (const batch of await consumer.poll(2000))
        for (const record of batch.records) found.push((JSON.parse(record.key!.toString()) as { id: number }).id)
    return [...new Set(found)]
  } finally {
    await consumer.close()
  }
}

async function arrived(name: string, last: number): Promise<void> {
  let found: number[] = []
  await eventually(
    async () => {
      found = await ids(name).catch(() => [])
      return found.length >= last
    },
    () => `${found.length} of ${last} rows of ${name}; ${f.platform.output.slice(-3000)}`,
    30_000,
  )
  expect(found.sort((a, b) => a - b)).toEqual(Array.from({ length: last }, (_, i) => i + 1))
}

async function refused(config: Record<string, string>): Promise<string> {
  const { status, body } = await f.platform.rest('POST', '/connectors', { name: 'refused', config })
  expect([status, body]).toEqual([400, expect.anything()])
  expect((await f.platform.rest('GET', '/connectors/refused')).status).toBe(404)
  return (body as { message: string }).message
}

test.skipIf(!server)(
  'an invalid setting is rejected at creation, the error names its key, and nothing remains in the database',
  async () => {
    const { name, url, config } = await database(1)
    await query(
      url,
      `create role weak login password 'pw'`,
      'grant select on t to weak',
      'create role locked nologin',
    ).catch(() => undefined)
    for (const [more, key] of [
      [{ 'database.port': '1' }, /database\.hostname|database\.port/],
      [{ 'database.hostname': 'no.such.host.invalid' }, /database\.hostname/],
      [{ 'database.dbname': 'absent' }, /database\.dbname/],
      [{ 'database.user': 'absent' }, /database\.(user|password)/],
      [{ 'database.user': 'weak', 'database.password': 'pw' }, /REPLICATION/i],
      [{ 'table.include.list': 'public.absent' }, /table\.include\.list/],
      [{ 'table.include.list': '(' }, /table\.include\.list/],
      [{ 'publication.autocreate.mode': 'disabled' }, /CREATE PUBLICATION/],
      [{ 'slot.name': 'NOT OK' }, /slot\.name/],
      [{ 'plugin.name': 'nonsense' }, /plugin\.name/],
      [{ 'database.sslmode': 'verify-full' }, /sslmode/],
      [{ 'database.sslmode': 'what' }, /sslmode/],
      [{ 'database.port': 'x' }, /database\.port/],
    ] as const) {
      const message = await refused({ ...config, ...more })
      expect(message).toMatch(key)
    }
    const slots = await server!.admin.query('select 1 from pg_replication_slots where slot_name = $1', [name])
    expect(slots.rows).toEqual([])
    await otherPipeline.moves()
  },
)

test.skipIf(!server)(
  'while the server is down, the status says that the task waits; rows that are written later arrive',
  async () => {
    const own = (await startPostgres({ own: true }))!
    try {
      const source = await database(5, own)
      await f.platform.create(source.name, source.config)
      await arrived(source.name, 5)
      for (const mode of ['fast', 'immediate'] as const) {
        await own.halt(mode)
        await statusSays(f.platform, source.name, 'RUNNING', /MR_PG_/)
        await otherPipeline.moves()
        await own.resume()
        await query(source.url, 'insert into t select max(id) + 1 from t')
        await arrived(source.name, mode === 'fast' ? 6 : 7)
        await recovered(f.platform, source.name)
      }
      // The server is restarted without logical decoding.
      await f.platform.rest('PUT', `/connectors/${source.name}/stop`)
      await eventually(
        async () => (await f.platform.status(source.name)).connector.state === 'STOPPED',
        () => 'it does not stop',
      )
      await eventually(
        () =>
          query(source.url, `select pg_drop_replication_slot('${source.name}')`).then(
            () => true,
            () => false,
          ),
        () => 'the slot stays in use',
      )
      await own.halt('fast')
      await own.resume({ wal_level: 'replica' })
      await f.platform.rest('PUT', `/connectors/${source.name}/resume`)
      await statusSays(f.platform, source.name, 'FAILED', /MR_PG_/)
      const config = { ...source.config, 'snapshot.mode': 'when_needed' }
      expect(await f.platform.rest('PUT', `/connectors/${source.name}/config`, config)).toMatchObject({
        status: 400,
        body: { message: expect.stringMatching(/wal_level is 'replica'.*ALTER SYSTEM/) },
      })
      await otherPipeline.moves()
      await own.halt('fast')
      await own.resume({ wal_level: 'logical' })
      await query(source.url, 'insert into t select max(id) + 1 from t')
      await f.platform.rest('PUT', `/connectors/${source.name}/config`, config)
      await arrived(source.name, 8)
      await recovered(f.platform, source.name)
      await f.platform.rest('DELETE', `/connectors/${source.name}`)
    } finally {
      await own.stop()
    }
  },
)

test.skipIf(!server)(
  'the task waits for a slot that is in use, shows this in its status, and uses the slot when it is free',
  async () => {
    const source = await database(3)
    await f.platform.create(source.name, source.config)
    await arrived(source.name, 3)
    const twin = `${source.name}twin`
    await f.platform.create(twin, { ...source.config, 'topic.prefix': twin, 'snapshot.mode': 'no_data' })
    await statusSays(f.platform, twin, 'RUNNING', /MR_PG_SLOT_IN_USE/)
    await otherPipeline.moves()
    await f.platform.rest('DELETE', `/connectors/${source.name}`)
    await recovered(f.platform, twin)
    await f.platform.rest('DELETE', `/connectors/${twin}`)
  },
)

const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const rng = random(seed)

test.skipIf(!server)(
  `nothing is lost if connections are cut repeatedly, during the snapshot and after it (seed ${seed})`,
  async () => {
    console.log(`MILLRACE_SEED=${seed}`)
    for (let round = 0; round < 4; round++) {
      const source = await database(2000)
      await f.platform.create(source.name, source.config)
      for (let n = 0; n < 20; n++) {
        await sleep(rng.below(40))
        await query(source.url, 'insert into t select max(id) + 1 from t')
        await server!.admin.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
          [`db_${source.name}`],
        )
      }
      await arrived(source.name, 2020)
      await recovered(f.platform, source.name)
      await f.platform.rest('DELETE', `/connectors/${source.name}`)
    }
  },
)

test.skipIf(!server)('a dropped slot makes the task FAILED, and the message says what to do', async () => {
  const source = await database(3)
  await f.platform.create(source.name, source.config)
  await arrived(source.name, 3)
  await eventually(
    async () => {
      const { rows } = await server!.admin.query(
        `select active_pid from pg_replication_slots where slot_name = '${source.name}'`,
      )
      if (rows.length === 0) return true
      await server!.admin.query(
        `select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '${source.name}' and active`,
      )
      await server!.admin.query(`select pg_drop_replication_slot('${source.name}')`).catch(() => undefined)
      return false
    },
    () => 'the slot cannot be dropped',
  )
  await statusSays(f.platform, source.name, 'FAILED', /MR_PG_SLOT_MISSING/)
  await otherPipeline.moves()
  await f.platform.rest('PUT', `/connectors/${source.name}/config`, {
    ...source.config,
    'snapshot.mode': 'when_needed',
  })
  await query(source.url, 'insert into t values (4)')
  await arrived(source.name, 4)
  await recovered(f.platform, source.name)
  await f.platform.rest('DELETE', `/connectors/${source.name}`)
})

test.skipIf(!server)('rows arrive while their table is altered, dropped and recreated', async () => {
  const source = await database(3)
  await f.platform.create(source.name, source.config)
  await arrived(source.name, 3)
  await query(
    source.url,
    'alter table t add column w int default 7',
    'insert into t values (4)',
    'alter table t drop column v',
    'insert into t values (5)',
    'alter table t alter column w type text',
    'insert into t values (6)',
  )
  await arrived(source.name, 6)
  await query(
    source.url,
    'drop table t',
    'create table t (id int primary key)',
    `alter publication ${source.name} add table t`,
    'insert into t values (7)',
  )
  await arrived(source.name, 7)
  await recovered(f.platform, source.name)
  await f.platform.rest('DELETE', `/connectors/${source.name}`)
})

test.skipIf(!server)(
  'a role that may no longer log in fails the running task, which resumes after a restart',
  async () => {
    const source = await database(3)
    await query(source.url, `create role changing login superuser password 'first-secret'`)
    await f.platform.create(source.name, {
      ...source.config,
      'database.user': 'changing',
      'database.password': 'first-secret',
    })
    await arrived(source.name, 3)
    await query(source.url, `alter role changing nologin`)
    await server!.admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'changing'`)
    await statusSays(f.platform, source.name, 'FAILED', /MR_PG_LOGIN_DENIED/)
    await otherPipeline.moves()
    await query(source.url, `alter role changing login`, 'insert into t values (4)')
    await f.platform.rest('POST', `/connectors/${source.name}/restart?includeTasks=true&onlyFailed=true`)
    await arrived(source.name, 4)
    expect(f.platform.output).not.toContain('first-secret')
    await f.platform.rest('DELETE', `/connectors/${source.name}`)
  },
)
