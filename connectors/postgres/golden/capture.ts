/**
 * Creates the fixtures of this folder: runs every scenario with Debezium in Apache's Connect, and
 * writes the records of its topics. Only this capture needs Java, not the comparison
 * (golden.pg.test.ts). The arguments are the addresses of a broker, of a Connect worker with
 * Debezium, and of a PostgreSQL server with wal_level=logical. The names of scenarios may follow;
 * the default is all of them:
 *
 *   node --conditions=millrace-source connectors/postgres/golden/capture.ts 127.0.0.1:9092 \
 *     http://127.0.0.1:8083 postgresql://postgres:postgres@127.0.0.1:5432/postgres
 */
import { writeFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'
import pg from 'pg'
import { sleep } from '../../../core/common/async/sleep.ts'
import { type Captured, type CapturedRecord, encodeFixture, parseExact } from './captured.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'

const [bootstrap, rest, url, ...only] = process.argv.slice(2) as [string, string, string, ...string[]]
const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING })
const admin = kafka.admin()
const run = Date.now().toString(36)

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${rest}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return text === '' ? null : JSON.parse(text)
}

async function totals(topicPrefix: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for (const topic of (await admin.listTopics()).filter(t => t.startsWith(topicPrefix))) {
    const offsets = await admin.fetchTopicOffsets(topic)
    sizes.set(
      topic,
      offsets.reduce((sum, o) => sum + Number(o.high), 0),
    )
  }
  return sizes
}

/** Waits until no record has arrived for four seconds. */
async function untilQuiet(topicPrefix: string, atLeast: number): Promise<void> {
  let last = -1
  let quiet = 0
  for (let i = 0; i < 240 && quiet < 8; i++) {
    await sleep(500)
    const now = [...(await totals(topicPrefix)).values()].reduce((a, b) => a + b, 0)
    quiet = now === last && now >= atLeast ? quiet + 1 : 0
    last = now
  }
}

async function readAll(topics: Map<string, number>, group: string): Promise<CapturedRecord[]> {
  const out: CapturedRecord[] = []
  const consumer = kafka.consumer({ groupId: group })
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics.keys()], fromBeginning: true })
  const want = [...topics.values()].reduce((a, b) => a + b, 0)
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ topic, message }) => {
          const json = (b: Buffer | null) => (b === null ? null : parseExact(b.toString('utf8')))
          const headers = Object.entries(message.headers ?? {}).map(
            ([name, value]) => [name, parseExact(String(value))] as [string, unknown],
          )
          out.push({
            topic,
            offset: Number(message.offset),
            key: json(message.key),
            value: json(message.value),
            headers,
          })
          if (out.length === want) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return out
}

async function capture(scenario: Scenario): Promise<Captured> {
  const id = `${scenario.name.replace(/\W/g, '_')}_${run}`
  const prefix = `g_${id}`
  const root = new pg.Client(url)
  await root.connect()
  await root.query(`create database ${id}`)
  const address = new URL(url)
  const db = new pg.Client({ connectionString: Object.assign(new URL(url), { pathname: `/${id}` }).toString() })
  await db.connect()
  for (const sql of scenario.setup) await db.query(sql)
  const json = 'org.apache.kafka.connect.json.JsonConverter'
  await call('POST', '/connectors', {
    name: prefix,
    config: {
      'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
      'database.hostname': address.hostname,
      'database.port': address.port,
      'database.user': address.username,
      'database.password': address.password,
      'database.dbname': id,
      'plugin.name': 'pgoutput',
      'slot.name': id.replace(/\W/g, '_'),
      'topic.prefix': prefix,
      'key.converter': json,
      'value.converter': json,
      'header.converter': json,
      ...scenario.config,
    },
  })
  if (scenario.config['snapshot.mode'] === 'no_data') await sleep(12_000)
  else await untilQuiet(prefix, 1)
  const snapshot = await totals(prefix)
  for (const sql of scenario.stream) {
    await db.query(sql)
    await sleep(300)
  }
  await untilQuiet(prefix, 1)
  const status = (await call('GET', `/connectors/${prefix}/status`)) as { tasks: { state: string; trace?: string }[] }
  const failed = status.tasks.find(t => t.state !== 'RUNNING')
  if (failed) process.stderr.write(`${scenario.name}: ${failed.state} ${failed.trace?.slice(0, 3000)}\n`)
  await sleep(1500)
  const offsets = (await call('GET', `/connectors/${prefix}/offsets`)) as { offsets: unknown[] }
  const all = await totals(prefix)
  const extra = (await admin.listTopics()).filter(t => t.startsWith('__debezium-heartbeat') && t.endsWith(prefix))
  for (const t of extra)
    all.set(
      t,
      (await admin.fetchTopicOffsets(t)).reduce((s, o) => s + Number(o.high), 0),
    )
  const records = await readAll(all, `${prefix}-reader`)
  await call('DELETE', `/connectors/${prefix}`)
  await sleep(1000)
  await db.end()
  await root.query(
    `select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active`,
    [id],
  )
  await root.query(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1`, [id])
  await root.end()
  const order = [...all.keys()].sort()
  records.sort((a, b) => order.indexOf(a.topic) - order.indexOf(b.topic) || a.offset - b.offset)
  return {
    scenario: scenario.name,
    prefix,
    database: id,
    debezium: '3.7.0.Final',
    snapshot: Object.fromEntries(snapshot),
    offsets: offsets.offsets,
    records,
  }
}

await admin.connect()
for (const scenario of SCENARIOS) {
  if (only.length > 0 && !only.includes(scenario.name)) continue
  try {
    const captured = await capture(scenario)
    writeFileSync(new URL(`./${scenario.name}.json`, import.meta.url), encodeFixture(captured))
    process.stdout.write(`${scenario.name}: ${captured.records.length} records\n`)
  } catch (error) {
    process.stderr.write(`${scenario.name}: ${error instanceof Error ? error.stack : String(error)}\n`)
  }
}
await admin.disconnect()
