import pg from 'pg'
import { createConsumer } from '../../core/client/index.ts'
import { sleep } from '../../core/common/async/sleep.ts'
import { connectionSettings } from '../../test/services/connection-settings.ts'
import { startPostgres } from '../../test/services/postgres.ts'
import type { Figures, Summary } from '../lib/compare.ts'
import { post, reaches, remove, type Stack } from '../lib/stack.ts'
import { compareWarm, onWarmStacks, StackMeter } from '../lib/warm.ts'

const ROWS = 300_000
const INSERTS = 100_000
/** To measure the latency, this number of rows is inserted. Each row is one transaction. */
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
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    ...connectionSettings(url),
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

/**
 * Measures one connector on a running stack: first from the POST of the connector to the end of the
 * snapshot, then the streaming of inserts.
 */
async function throughput(stack: Stack, url: string, schemas: boolean, name: string): Promise<Figures> {
  const topic = `${name}.public.bench`
  const fill = `insert into bench select ${ROW} from generate_series(1, ${ROWS}) n`
  await query(url, `drop table if exists bench; create table bench (${COLUMNS}); ${fill}`)
  const snapshot = new StackMeter(stack)
  await post(stack.rest, name, connector(url, name, schemas))
  await reaches(stack.bootstrap, topic, ROWS)
  const rows = snapshot.read(ROWS, 'snapshot rows')
  // When this change arrives, the connector has begun to stream.
  await query(url, `insert into bench select ${ROW} from generate_series(-1, -1) n`)
  await reaches(stack.bootstrap, topic, ROWS + 1)
  const streaming = new StackMeter(stack)
  for (let from = 1; from <= INSERTS; from += 1000) {
    await query(url, `insert into bench select ${ROW} from generate_series(${ROWS + from}, ${ROWS + from + 999}) n`)
  }
  await reaches(stack.bootstrap, topic, ROWS + 1 + INSERTS)
  const events = streaming.read(INSERTS, 'streamed events')
  await remove(stack, name, { topic })
  await dropSlot(url, name)
  return { ...rows, ...events }
}

/**
 * Measures the time from an INSERT (its clock_timestamp) until a consumer has the record. Both
 * times are from the same clock.
 */
async function latency(stack: Stack, url: string, name: string): Promise<Figures> {
  const topic = `${name}.public.bench`
  await query(url, `drop table if exists bench; create table bench (${COLUMNS})`)
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
        if (ahead > 1) await sleep(ahead)
      }
    })()
    const delays: number[] = []
    while (delays.length < PACED) {
      for (const batch of await consumer.poll(10_000)) {
        const now = performance.timeOrigin + performance.now()
        for (const record of batch.records) {
          const value = JSON.parse(record.value!.toString()) as { after: { id: number; h: string } }
          // The first second is the warm-up.
          if (value.after.id > PACED_PER_SECOND) delays.push(now - Date.parse(value.after.h))
          else delays.push(Number.NaN)
        }
      }
    }
    await inserting
    await remove(stack, name, { topic })
    await dropSlot(url, name)
    const sorted = delays.filter(d => !Number.isNaN(d)).sort((a, b) => a - b)
    const quantile = (q: number) => sorted[Math.floor(q * (sorted.length - 1))]!
    const [p50, p99] = [quantile(0.5), quantile(0.99)]
    return { 'p50 ms': p50, 'p99 ms': p99 }
  } finally {
    await client.end()
    await consumer.close()
  }
}

async function dropSlot(url: string, name: string): Promise<void> {
  const sql = `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${name}'; drop publication if exists ${name}`
  for (const end = Date.now() + 30_000; ; await sleep(200)) {
    try {
      return await query(url, sql)
    } catch (error) {
      // 55006 (object in use): the server has not noticed yet that the connector has disconnected.
      if ((error as { code?: string }).code !== '55006' || Date.now() > end) throw error
    }
  }
}

/**
 * Measures the snapshot, the streaming and the latency of one table, on stacks that keep running.
 * Each round has a new connector.
 */
export async function postgresBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  const postgres = await startPostgres()
  if (!postgres) throw new Error('this benchmark needs Postgres')
  const { url } = postgres
  try {
    return await onWarmStacks(dir, 'Debezium on Kafka', async sides => {
      const results: { title: string; summaries: Summary[] }[] = []
      for (const schemas of [false, true]) {
        const title = `Postgres snapshot (${ROWS} rows) and streaming (${INSERTS} inserts), JSON ${schemas ? 'with' : 'without'} schemas`
        const run = (stack: Stack, n: number) => throughput(stack, url, schemas, `bench_${schemas ? 's' : 'p'}${n}`)
        results.push(await compareWarm({ title, leading: 'snapshot rows/s', run }, sides, { rounds, say }))
      }
      const title = `Postgres: from the insert to the consumer, ${PACED_PER_SECOND} rows/s, one row per transaction`
      const run = (stack: Stack, n: number) => latency(stack, url, `bench_l${n}`)
      results.push(await compareWarm({ title, leading: null, run }, sides, { rounds, say }))
      return results
    })
  } finally {
    await postgres.stop()
  }
}
