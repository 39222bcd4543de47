/**
 * Micro-benchmark of the Postgres connector: snapshot and streaming, without converters and without
 * a broker. Starts its own Postgres.
 *
 *   node --conditions=millrace-source bench/micro/postgres.ts [rows=1000000] [events=300000]
 */

import type { SourceOffset } from 'millrace/connect'
import { MemoryLogger, parseSettings } from 'millrace/testing'
import pg from 'pg'
import { postgresConfig } from '../../connectors/postgres/config.ts'
import { PostgresTask } from '../../connectors/postgres/task.ts'
import { propsFor } from '../../connectors/postgres/test-support/harness.ts'
import { startPostgres } from '../../test/services/postgres.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const events = Number(process.argv[3] ?? 300_000)

const server = await startPostgres({ own: true, settings: { shared_buffers: '512MB', max_wal_size: '4GB' } })
if (!server) process.exit(1)

const MIXED = `id bigint primary key, name text not null, email varchar(80), age int, balance numeric(12,2), active boolean not null,
  created timestamptz not null, updated timestamp, born date, score double precision, tag uuid, data jsonb`
const row = (
  i: string,
) => `${i}, 'name ' || ${i}, 'user' || ${i} || '@example.com', ${i} % 90, ${i} / 7.0, ${i} % 2 = 0,
  '2024-01-01 00:00:00+00'::timestamptz + ${i} * interval '1 second', '2024-01-01'::timestamp + ${i} * interval '1 millisecond',
  '1970-01-01'::date + (${i} % 20000)::int, ${i} * 0.5, md5(${i}::text)::uuid, jsonb_build_object('a', ${i}, 'b', 'text ' || ${i})`

async function started(
  url: string,
  offset: SourceOffset | null,
  more: Record<string, string>,
): Promise<{ task: PostgresTask; abort: AbortController }> {
  const abort = new AbortController()
  const task = new PostgresTask()
  const props = propsFor(url, more)
  task.context = {
    configs: props,
    version: 'bench',
    logger: new MemoryLogger(),
    signal: abort.signal,
    connector: 'bench',
    taskId: 0,
    offsets: { offset: async () => offset, offsets: async p => p.map(() => offset) },
  }
  await task.start(parseSettings(postgresConfig, props))
  return { task, abort }
}

async function take(
  task: PostgresTask,
  count: number,
): Promise<{ seconds: number; first: number; offset: SourceOffset | null }> {
  const begin = performance.now()
  let n = 0
  let first = 0
  let offset: SourceOffset | null = null
  while (n < count) {
    const records = await task.poll()
    if (!records) continue
    if (n === 0) first = performance.now() - begin
    n += records.length
    offset = records.at(-1)!.sourceOffset ?? null
  }
  return { seconds: (performance.now() - begin) / 1000, first, offset }
}

const report = (what: string, n: number, seconds: number, extra = '') =>
  process.stdout.write(
    `${what}: ${Math.round(n / seconds).toLocaleString('en')} /s (${n} in ${seconds.toFixed(2)} s)${extra}\n`,
  )

try {
  const url = await server.createDatabase()
  const db = new pg.Client(url)
  await db.connect()
  await db.query(`create table mixed (${MIXED})`)
  await db.query(`insert into mixed select ${row('i')} from generate_series(1, ${rows}) i`)
  await db.query(`create table narrow (id bigint primary key, v int)`)
  await db.query('vacuum analyze')
  await db.query('checkpoint')

  const cpu = process.cpuUsage()
  const { task, abort } = await started(url, null, { 'table.include.list': 'public.mixed' })
  const snapshot = await take(task, rows)
  const used = process.cpuUsage(cpu)
  report(
    'snapshot of mixed rows',
    rows,
    snapshot.seconds,
    `, first after ${snapshot.first.toFixed(0)} ms, own CPU ${((used.user + used.system) / 1e6).toFixed(2)} s, rss ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
  )

  // The connector is not polled while these rows are inserted. It then has to read all of them, as
  // fast as it can.
  await db.query(`insert into mixed select ${row('i')} from generate_series(${rows + 1}, ${rows + events}) i`)
  const cpu2 = process.cpuUsage()
  const stream = await take(task, events)
  const used2 = process.cpuUsage(cpu2)
  report(
    'streaming of mixed inserts (one transaction)',
    events,
    stream.seconds,
    `, own CPU ${((used2.user + used2.system) / 1e6).toFixed(2)} s, rss ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
  )

  await db.query(`update mixed set age = age + 1 where id <= ${Math.min(rows, 100_000)}`)
  const updates = await take(task, Math.min(rows, 100_000))
  report('streaming of updates', Math.min(rows, 100_000), updates.seconds)

  // Measures the latency from the commit to the record, with one row at a time.
  const times: number[] = []
  for (let i = 0; i < 300; i++) {
    const polled = take(task, 1)
    await db.query(`update mixed set age = ${i} where id = 1`)
    const committed = performance.now()
    await polled
    times.push(performance.now() - committed)
  }
  times.sort((a, b) => a - b)
  process.stdout.write(`commit to record: p50 ${times[150]!.toFixed(2)} ms, p99 ${times[297]!.toFixed(2)} ms\n`)
  abort.abort(new Error('done'))
  await task.stop()
  await db.end()
} finally {
  await server.stop()
}
