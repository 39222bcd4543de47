import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { createConsumer } from '../../core/client/index.ts'
import { startPostgres } from '../../test/services/postgres.ts'
import { alternate, type Figures, type Side, type Summary } from '../lib/compare.ts'
import {
  type Prepare,
  post,
  prepareApacheStack,
  prepareMillrace,
  reachable,
  reaches,
  type Stack,
} from '../lib/stack.ts'

const ROWS = 300_000
const INSERTS = 100_000
/** Latency: this many rows, one a transaction, at this rate. */
const PACED = 3_000
const PACED_PER_SECOND = 300

/** A row of mixed types, about 200 bytes. */
const COLUMNS = `id bigint primary key, a int, b smallint, c numeric(12,2), d double precision, e text, f varchar(40), g boolean,
  h timestamptz, i timestamp, j date, k uuid, l jsonb`
const ROW = `n, n % 1000, n % 100, n * 1.01, n / 3.0, 'some text of row ' || n, 'code-' || n % 977, n % 2 = 0, clock_timestamp(), now()::timestamp,
  current_date, gen_random_uuid(), jsonb_build_object('n', n, 'tags', array['a', 'b'])`

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

function connector(url: string, name: string, schemas: boolean): Record<string, string> {
  const at = new URL(url)
  return {
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
}

async function throughput(stack: Stack, url: string, schemas: boolean, name: string): Promise<Figures> {
  const topic = `${name}.public.bench`
  // the worker is up before the clock starts
  await reachable(stack.rest)
  const began = performance.now()
  await post(stack.rest, name, connector(url, name, schemas))
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
}

/** From the statement that inserts a row (its own clock_timestamp) to the record in a consumer's hands; one machine, one clock. */
async function latency(stack: Stack, url: string, name: string): Promise<Figures> {
  const topic = `${name}.public.bench`
  await post(stack.rest, name, connector(url, name, false))
  await query(url, `insert into bench select ${ROW} from generate_series(0, 0) n`)
  await reaches(stack.bootstrap, topic, 1)
  const consumer = createConsumer({ bootstrapServers: [stack.bootstrap], fetchMaxWaitMs: 500, fetchMinBytes: 1 })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const at = { topic, partition: 0 }
    consumer.assign([at])
    consumer.seekToEnd([at])
    await consumer.poll(1000)
    const inserting = (async () => {
      const began = performance.now()
      for (let n = 1; n <= PACED; n++) {
        await client.query(`insert into bench select ${ROW} from generate_series(${n}, ${n}) n`)
        const ahead = began + (n * 1000) / PACED_PER_SECOND - performance.now()
        if (ahead > 1) await setTimeout(ahead)
      }
    })()
    const delays: number[] = []
    while (delays.length < PACED) {
      for (const batch of await consumer.poll(10_000)) {
        const now = performance.timeOrigin + performance.now()
        for (const record of batch.records) {
          const value = JSON.parse(record.value!.toString()) as { after: { id: number; h: string } }
          // the first second is for warming up
          if (value.after.id > PACED_PER_SECOND) delays.push(now - Date.parse(value.after.h))
          else delays.push(Number.NaN)
        }
      }
    }
    await inserting
    const sorted = delays.filter(d => !Number.isNaN(d)).sort((a, b) => a - b)
    const quantile = (q: number) => sorted[Math.floor(q * (sorted.length - 1))]!
    return { 'p50 ms': quantile(0.5), 'p99 ms': quantile(0.99) }
  } finally {
    await client.end()
    await consumer.close()
  }
}

async function dropSlot(url: string, name: string): Promise<void> {
  const sql = `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${name}'; drop publication if exists ${name}`
  for (const end = Date.now() + 30_000; ; await setTimeout(200)) {
    try {
      return await query(url, sql)
    } catch (error) {
      // 55006: the server has not noticed yet that the connector is gone
      if ((error as { code?: string }).code !== '55006' || Date.now() > end) throw error
    }
  }
}

/** Snapshot, streaming and latency of one table; each run on stacks started anew. */
export async function postgresBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  const postgres = await startPostgres()
  if (!postgres) throw new Error('no Postgres')
  const results: { title: string; summaries: Summary[] }[] = []
  let n = 0
  const run =
    (prepare: Prepare, rows: number, measure: (stack: Stack, name: string) => Promise<Figures>) => async () => {
      const name = `bench${++n}`
      const home = join(dir, name)
      const fill = `insert into bench select ${ROW} from generate_series(1, ${rows}) n`
      await query(postgres.url, `drop table if exists bench; create table bench (${COLUMNS}); ${fill}`)
      const stack = await (await prepare(home))()
      try {
        return await measure(stack, name)
      } finally {
        await stack.stop()
        await dropSlot(postgres.url, name)
        rmSync(home, { recursive: true, force: true })
      }
    }
  const compare = async (title: string, rows: number, measure: (stack: Stack, name: string) => Promise<Figures>) => {
    say(title)
    const sides: Side[] = [
      { name: 'Millrace', run: run(prepareMillrace, rows, measure) },
      { name: 'Debezium on Kafka', run: run(prepareApacheStack, rows, measure) },
      { name: 'Millrace (control)', run: run(prepareMillrace, rows, measure) },
    ]
    results.push({ title, summaries: await alternate(sides, rounds, say) })
  }
  try {
    for (const schemas of [false, true]) {
      const title = `Postgres snapshot (${ROWS} rows) and streaming (${INSERTS} inserts), JSON ${schemas ? 'with' : 'without'} schemas`
      await compare(title, ROWS, (stack, name) => throughput(stack, postgres.url, schemas, name))
    }
    const paced = `Postgres insert to consumer, ${PACED_PER_SECOND} rows/s, one a transaction`
    await compare(paced, 0, (stack, name) => latency(stack, postgres.url, name))
  } finally {
    await postgres.stop()
  }
  return results
}
