import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { createAdmin } from '../../core/client/index.ts'
import { PEERS_HOME } from '../../test/peers/setup.ts'
import { freePort } from '../../test/services/elasticsearch.ts'
import { startPostgres } from '../../test/services/postgres.ts'
import { alternate, type Figures, type Summary } from '../lib/compare.ts'
import { JVM, startApache } from '../lib/kafka.ts'
import { launch, type Measured } from '../lib/process.ts'

const root = join(import.meta.dirname, '../..')
const ROWS = 300_000
const INSERTS = 100_000

/** A row of mixed types, about 200 bytes. */
const COLUMNS = `id bigint primary key, a int, b smallint, c numeric(12,2), d double precision, e text, f varchar(40), g boolean,
  h timestamptz, i timestamp, j date, k uuid, l jsonb`
const ROW = `n, n % 1000, n % 100, n * 1.01, n / 3.0, 'some text of row ' || n, 'code-' || n % 977, n % 2 = 0, now(), now()::timestamp,
  current_date, gen_random_uuid(), jsonb_build_object('n', n, 'tags', array['a', 'b'])`

interface Stack {
  readonly bootstrap: string
  readonly rest: number
  /** Whose memory is the worker's. */
  readonly worker: Measured
  stop(): Promise<void>
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** Counts at the destination: waits until the topic's end offset is there. */
async function reaches(bootstrap: string, topic: string, wanted: number): Promise<void> {
  const admin = createAdmin({ bootstrapServers: [bootstrap] })
  try {
    for (const end = Date.now() + 600_000; Date.now() < end; await setTimeout(20)) {
      const [described] = await admin.describeTopics([topic])
      if (!described) continue
      const [latest] = await admin.listOffsets([{ topic, partition: 0, timestamp: -1 }])
      if ((latest?.offset ?? 0) >= wanted) return
    }
    throw new Error(`${topic} did not reach ${wanted} records`)
  } finally {
    await admin.close()
  }
}

async function measure(stack: Stack, url: string, schemas: boolean, name: string): Promise<Figures> {
  const at = new URL(url)
  const config = {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': at.hostname,
    'database.port': at.port,
    'database.user': at.username,
    'database.password': at.password || 'unused',
    'database.dbname': at.pathname.slice(1),
    'topic.prefix': name,
    'table.include.list': 'public.bench',
    'plugin.name': 'pgoutput',
    'slot.name': name,
    'publication.name': name,
    'publication.autocreate.mode': 'filtered',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': String(schemas),
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': String(schemas),
  }
  const topic = `${name}.public.bench`
  try {
    const began = performance.now()
    const answer = await fetch(`http://127.0.0.1:${stack.rest}/connectors`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, config }),
    })
    if (!answer.ok) throw new Error(`POST: ${answer.status} ${await answer.text()}`)
    await reaches(stack.bootstrap, topic, ROWS)
    const snapshot = (performance.now() - began) / 1000
    // streaming has begun when a change arrives
    await query(url, `insert into bench select ${ROW} from generate_series(-1, -1) n`)
    await reaches(stack.bootstrap, topic, ROWS + 1)
    const streamed = performance.now()
    for (let from = 1; from <= INSERTS; from += 1000) {
      await query(url, `insert into bench select ${ROW} from generate_series(${ROWS + from}, ${ROWS + from + 999}) n`)
    }
    await reaches(stack.bootstrap, topic, ROWS + 1 + INSERTS)
    const streaming = (performance.now() - streamed) / 1000
    return {
      'snapshot rows/s': ROWS / snapshot,
      'streaming events/s': INSERTS / streaming,
      'worker peak MB': stack.worker.peakMb(),
    }
  } finally {
    await fetch(`http://127.0.0.1:${stack.rest}/connectors/${name}`, { method: 'DELETE' })
    await dropSlot(url, name)
  }
}

async function dropSlot(url: string, name: string): Promise<void> {
  for (const end = Date.now() + 30_000; ; await setTimeout(200)) {
    try {
      await query(
        url,
        `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${name}'; drop publication if exists ${name}`,
      )
      return
    } catch (error) {
      // 55006: the connector is still letting go of it
      if ((error as { code?: string }).code !== '55006' || Date.now() > end) throw error
    }
  }
}

async function ready(rest: number): Promise<void> {
  for (const end = Date.now() + 90_000; Date.now() < end; await setTimeout(50)) {
    const answer = await fetch(`http://127.0.0.1:${rest}/connectors`).catch(() => null)
    if (answer?.ok) return
  }
  throw new Error('REST does not answer')
}

async function millrace(dir: string): Promise<Stack> {
  const [port, rest] = [await freePort(), await freePort()]
  mkdirSync(dir, { recursive: true })
  const worker = launch(
    'Millrace',
    process.execPath,
    [
      join(root, 'dist/cli/bin.js'),
      'start',
      '--data-dir',
      join(dir, 'data'),
      '--port',
      String(port),
      '--rest-port',
      String(rest),
    ],
    join(dir, 'log'),
  )
  await ready(rest)
  return { bootstrap: `127.0.0.1:${port}`, rest, worker, stop: () => worker.stop() }
}

async function debezium(dir: string): Promise<Stack> {
  const broker = await startApache(join(dir, 'broker'))
  const rest = await freePort()
  const file = join(dir, 'worker.properties')
  const topics = ['offset', 'config', 'status']
    .map(t => `${t}.storage.topic=connect-${t}s\n${t}.storage.replication.factor=1`)
    .join('\n')
  writeFileSync(
    file,
    `bootstrap.servers=${broker.bootstrap}
group.id=bench
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
${topics}
offset.flush.interval.ms=1000
listeners=http://127.0.0.1:${rest}
plugin.path=${PEERS_HOME}/connect/plugins
plugin.discovery=service_load
`,
  )
  const args = [
    '-Xms256m',
    '-Xmx2g',
    ...JVM,
    `-Dlog4j2.configurationFile=${join(root, 'test/peers/kafka/log4j2.xml')}`,
    '-cp',
    join(PEERS_HOME, 'connect/libs/*'),
  ]
  const worker = launch(
    'Connect',
    'java',
    [...args, 'org.apache.kafka.connect.cli.ConnectDistributed', file],
    join(dir, 'connect.log'),
  )
  await ready(rest)
  return {
    bootstrap: broker.bootstrap,
    rest,
    worker,
    async stop() {
      await worker.stop()
      await broker.stop()
    },
  }
}

/** Snapshot and streaming of one table, from POST to the last record in the topic; each run on stacks started anew. */
export async function postgresBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  const postgres = await startPostgres()
  if (!postgres) throw new Error('no Postgres')
  const results: { title: string; summaries: Summary[] }[] = []
  let n = 0
  const run = (start: (dir: string) => Promise<Stack>, schemas: boolean) => async (): Promise<Figures> => {
    const name = `bench${++n}`
    const home = join(dir, name)
    await query(
      postgres.url,
      `drop table if exists bench; create table bench (${COLUMNS}); insert into bench select ${ROW} from generate_series(1, ${ROWS}) n`,
    )
    const stack = await start(home)
    try {
      return await measure(stack, postgres.url, schemas, name)
    } finally {
      await stack.stop()
      rmSync(home, { recursive: true, force: true })
    }
  }
  try {
    for (const schemas of [false, true]) {
      const title = `Postgres snapshot (${ROWS} rows) and streaming (${INSERTS} inserts), JSON ${schemas ? 'with' : 'without'} schemas`
      say(title)
      const sides = [
        { name: 'Millrace', run: run(millrace, schemas) },
        { name: 'Debezium on Kafka', run: run(debezium, schemas) },
        { name: 'Millrace (control)', run: run(millrace, schemas) },
      ]
      results.push({ title, summaries: await alternate(sides, rounds, say) })
    }
  } finally {
    await postgres.stop()
  }
  return results
}
