import pg from 'pg'
import { createConsumer } from '../../../../core/client/index.ts'
import { sleep } from '../../../../core/common/async/sleep.ts'
import { MODES } from './modes.ts'
import { type Observed, observe } from './observed.ts'
import { type ExtremeTable, expectedEvents, setupStatements, streamStatements, TABLES } from './tables.ts'

/**
 * The addresses of a broker, of a Connect worker with Debezium, and of a PostgreSQL server in which
 * databases can be created.
 */
export interface Peers {
  readonly bootstrap: string
  readonly rest: string
  readonly url: string
}

async function call(peers: Peers, method: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(`${peers.rest}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
}

/**
 * Returns the values of a topic. Stops after `count` values, or when no value has arrived for
 * `quietMs`.
 */
async function values(peers: Peers, topic: string, count: number, quietMs: number): Promise<string[]> {
  const consumer = createConsumer({ bootstrapServers: [peers.bootstrap], autoOffsetReset: 'earliest' })
  const out: string[] = []
  try {
    for (let end = Date.now() + quietMs; out.length < count && Date.now() < end; ) {
      const partitions = await consumer.partitionsFor(topic)
      if (partitions.length === 0) {
        await sleep(500)
        continue
      }
      consumer.assign(partitions)
      consumer.seekToBeginning(partitions)
      while (out.length < count && Date.now() < end) {
        const batches = await consumer.poll(500)
        const found = batches.flatMap(b => b.records.map(r => r.value)).filter(v => v !== null)
        out.push(...found.map(v => Buffer.from(v).toString()))
        if (found.length > 0) end = Date.now() + quietMs
      }
    }
  } finally {
    await consumer.close()
  }
  return out
}

/** Runs Debezium on the tables in each mode. Returns what Debezium wrote, by mode. */
export async function captureExtremes(
  peers: Peers,
  modes: readonly string[] = Object.keys(MODES),
  tables: readonly ExtremeTable[] = TABLES,
): Promise<Record<string, Observed>> {
  const run = `x${Date.now().toString(36)}`
  const root = new pg.Client(peers.url)
  await root.connect()
  await root.query(`create database ${run}`)
  const address = new URL(peers.url)
  const db = new pg.Client(Object.assign(new URL(peers.url), { pathname: `/${run}` }).toString())
  await db.connect()
  const names = new Map(modes.map(mode => [mode, `${run}_${mode.replace(/\W/g, '_')}`]))
  const out: Record<string, Observed> = {}
  try {
    for (const sql of setupStatements(tables)) await db.query(sql)
    await db.query('create publication extremes for all tables')
    const json = 'org.apache.kafka.connect.json.JsonConverter'
    for (const [mode, name] of names) {
      await call(peers, 'PUT', `/connectors/${name}/config`, {
        'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
        'database.hostname': address.hostname,
        'database.port': address.port,
        'database.user': address.username,
        'database.password': address.password,
        'database.dbname': run,
        'plugin.name': 'pgoutput',
        'slot.name': name,
        'publication.name': 'extremes',
        'topic.prefix': name,
        'tombstones.on.delete': 'false',
        'key.converter': json,
        'value.converter': json,
        ...MODES[mode],
      })
    }
    const topic = (name: string, t: ExtremeTable) => `${name}.public.${t.name}`
    for (const name of names.values()) {
      for (const t of tables) await values(peers, topic(name, t), expectedEvents([t]).snapshot, 60_000)
    }
    // Debezium starts to stream shortly after the last row of its snapshot
    await sleep(3000)
    const statements = streamStatements(tables)
    const isLast = (sql: string) => sql.startsWith('delete')
    for (const sql of statements.filter(sql => !isLast(sql))) await db.query(sql)
    for (const [mode, name] of names) {
      const own: Observed = (out[mode] = {})
      for (const t of tables) {
        const count = expectedEvents([t]).all - t.stream.filter(isLast).length
        for (const text of await values(peers, topic(name, t), count, 60_000)) observe(own, text)
      }
    }
    // deletes run last, because in one mode Debezium's task fails at a delete
    for (const sql of statements.filter(isLast)) await db.query(sql)
    for (const [mode, name] of names) {
      for (const t of tables.filter(t => t.stream.some(isLast))) {
        for (const text of await values(peers, topic(name, t), expectedEvents([t]).all, 10_000))
          observe(out[mode]!, text)
      }
    }
  } finally {
    for (const name of names.values()) await call(peers, 'DELETE', `/connectors/${name}`).catch(() => undefined)
    await sleep(2000)
    await db.end()
    await root.query(
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1 and not active`,
      [run],
    )
    await root.query(`drop database if exists ${run} with (force)`)
    await root.end()
  }
  return out
}
