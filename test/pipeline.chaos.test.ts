/**
 * Tests a pipeline from Postgres to Elasticsearch and a file, under kill -9. The process is killed
 * at random moments of snapshot and streaming while the table changes, and indices are sometimes
 * closed. In the end, nothing is missing or stale, the changes of each key are in order, and every
 * double has its exact value.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, expect, inject, test } from 'vitest'
import { createConsumer } from '../core/client/index.ts'
import { sleep } from '../core/common/async/sleep.ts'
import { statusSays } from './faults/harness.ts'
import { eventually, Platform } from './platform.ts'
import { random } from './random.ts'
import { connectionSettings } from './services/connection-settings.ts'
import { type PostgresServer, startPostgres } from './services/postgres.ts'

const KILLS = Number(process.env['MILLRACE_KILLS'] ?? 20)
const ROWS = 20_000
const TOPIC = 'shop.public.item'
/** If nothing has changed for this many milliseconds, no further change is expected. */
const STILL_MS = 90_000
const elasticsearch = inject('elasticsearchUrl')
/**
 * A second topic of the same table, with flat records as JSON without schemas. In such JSON, only
 * the text of a number shows that it is a double.
 */
const FLAT = 'flat.public.item'
const INDICES = [TOPIC, FLAT]

const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const rng = random(seed)
const cleanup: (() => Promise<unknown> | unknown)[] = []
afterAll(async () => {
  for (const step of cleanup.reverse()) await step()
}, 120_000)

interface Item {
  readonly id: number
  readonly version: number
  readonly note: string
  readonly amount: number
}

/**
 * Doubles that are whole numbers, very large or very small. -0 is not included, because Connect's
 * JsonConverter reads it as 0.
 */
const AMOUNTS = [
  0,
  1,
  -7,
  0.1,
  123_456_789.125,
  1e7,
  2 ** 53 + 2,
  1e21,
  1e30,
  -1e300,
  Number.MAX_VALUE,
  1e-7,
  -1e-30,
  2.2250738585072014e-308,
  Number.MIN_VALUE,
]
const anAmount = () => AMOUNTS[rng.below(AMOUNTS.length)]!

/**
 * Inserts, updates and deletes rows, and changes keys, until `stop` is called. The `version` of a
 * row only grows.
 */
function changeUntilStopped(url: string): { stop(): Promise<void> } {
  let going = true
  let version = 1
  let next = ROWS + 1
  const done = (async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      while (going) {
        await client.query('begin')
        for (let n = 1 + rng.below(5); n > 0; n--) {
          const id = 1 + rng.below(next)
          const what = rng.below(100)
          version++
          const amount = anAmount()
          if (what < 30)
            await client.query('insert into item values ($1, $2, $3, $4)', [next++, version, `new ${version}`, amount])
          else if (what < 75)
            await client.query('update item set version = $2, note = $3, amount = $4 where id = $1', [
              id,
              version,
              `changed ${version}`,
              amount,
            ])
          else if (what < 95) await client.query('delete from item where id = $1', [id])
          else await client.query('update item set id = $2, version = $3 where id = $1', [id, next++, version])
        }
        // A transaction that is rolled back must have no effect.
        await client.query(rng.below(10) === 0 ? 'rollback' : 'commit')
        await sleep(rng.below(8))
      }
    } finally {
      await client.end()
    }
  })()
  return {
    async stop() {
      going = false
      return done
    },
  }
}

/**
 * The content of a destination: the last state of each key, and the size in bytes, which grows with
 * every write. For an index the size is 0.
 */
interface Read {
  readonly state: ReadonlyMap<number, Item>
  readonly size: number
}

async function tableOf(url: string): Promise<Map<number, Item>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Omit<Item, 'version'> & { version: string }>('select * from item')
    return new Map(rows.map(r => [r.id, { ...r, version: Number(r.version) }]))
  } finally {
    await client.end()
  }
}

interface Event {
  readonly key: number
  readonly after: Item | null
  readonly lsn: number
}

/** Returns the payload of a JSON message with a schema. */
function payload<T>(bytes: Buffer): T {
  return (JSON.parse(bytes.toString()) as { payload: T }).payload
}

/** Returns all events of the topic, in order. */
async function eventsOf(bootstrap: string): Promise<Event[]> {
  const consumer = createConsumer({
    bootstrapServers: [bootstrap],
    maxPollRecords: 10_000,
    maxPartitionFetchBytes: 8 << 20,
  })
  const at = { topic: TOPIC, partition: 0 }
  const events: Event[] = []
  try {
    consumer.assign([at])
    const [end = 0] = await consumer.endOffsets([at])
    consumer.seekToBeginning([at])
    while ((consumer.position(at) ?? 0) < end) {
      for (const batch of await consumer.poll(5000)) {
        for (const record of batch.records) {
          const key = payload<{ id: number }>(record.key!)
          const value = record.value && payload<{ after: Item | null; source: { lsn: number } }>(record.value)
          events.push({ key: key.id, after: value?.after ?? null, lsn: value?.source.lsn ?? -1 })
        }
      }
    }
    return events
  } finally {
    await consumer.close()
  }
}

function topicState(events: readonly Event[]): Map<number, Item> {
  const state = new Map<number, Item>()
  for (const { key, after } of events) {
    if (after) state.set(key, after)
    else state.delete(key)
  }
  return state
}

/**
 * Returns the last state of each key in a file. Leaves out the last line, which may be incomplete.
 * Any other incomplete line fails the test, because it is not valid JSON.
 */
function fileState(path: string): Map<number, Item> {
  const state = new Map<number, Item>()
  if (!existsSync(path)) return state
  for (const line of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    const { __deleted, ...item } = JSON.parse(line) as Item & { __deleted: string }
    if (__deleted === 'true') state.delete(item.id)
    else state.set(item.id, item)
  }
  return state
}

/** Closes the indices that exist. Returns the number of closed indices. */
async function closeIndices(): Promise<number> {
  let closed = 0
  for (const index of INDICES) {
    const { status } = await fetch(`${elasticsearch}/${index}/_close`, { method: 'POST' })
    if (status === 200) closed++
  }
  return closed
}

async function openIndices(): Promise<void> {
  for (const index of INDICES) await fetch(`${elasticsearch}/${index}/_open`, { method: 'POST' })
}

async function mappingOf(index: string, field: string): Promise<string | undefined> {
  const answer = await fetch(`${elasticsearch}/${index}/_mapping`)
  const body = (await answer.json()) as Record<string, { mappings: { properties: Record<string, { type: string }> } }>
  return body[index]?.mappings.properties[field]?.type
}

async function indexState(index: string): Promise<Map<number, Item>> {
  await fetch(`${elasticsearch}/${index}/_refresh`, { method: 'POST' })
  const state = new Map<number, Item>()
  let after: unknown[] | null = null
  for (;;) {
    const query = { size: 10_000, sort: [{ id: 'asc' }], ...(after && { search_after: after }) }
    const answer = await fetch(`${elasticsearch}/${index}/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(query),
    })
    const { hits } = ((await answer.json()) as { hits: { hits: { _source: Item; sort: unknown[] }[] } }).hits
    if (hits.length === 0) return state
    for (const hit of hits) state.set(hit._source.id, hit._source)
    after = hits.at(-1)!.sort
  }
}

function difference(actual: ReadonlyMap<number, Item>, wanted: ReadonlyMap<number, Item>): string[] {
  const wrong: string[] = []
  for (const [id, item] of wanted) {
    const found = actual.get(id)
    if (!found) wrong.push(`${id} is missing`)
    else if (found.version !== item.version || found.note !== item.note || found.amount !== item.amount)
      wrong.push(`${id} is stale: ${JSON.stringify(found)}, not ${JSON.stringify(item)}`)
  }
  for (const id of actual.keys()) if (!wanted.has(id)) wrong.push(`${id} is a ghost`)
  return wrong.slice(0, 20)
}

/**
 * Waits until a destination has the expected content. Throws if the content is wrong and no longer
 * changes. A snapshot that starts again after a kill first writes rows that are already there, so a
 * growing `size` counts as a change too.
 */
async function becomes(
  what: string,
  wanted: ReadonlyMap<number, Item>,
  read: () => Promise<Read> | Read,
): Promise<void> {
  let last = ''
  for (let since = Date.now(); ; await sleep(200)) {
    const { state, size } = await read()
    const wrong = difference(state, wanted)
    if (wrong.length === 0) return
    const now = `${size} ${state.size} ${[...state.values()].reduce((sum, item) => sum + item.version, 0)}`
    if (now !== last) since = Date.now()
    last = now
    if (Date.now() > since + STILL_MS) throw new Error(`the ${what} still differs from the table: ${wrong.join('; ')}`)
  }
}

/**
 * Returns the events that are out of order. The version of a key may decrease only if the WAL was
 * read again after a kill, which the LSNs show.
 */
function disorder(events: readonly Event[]): string[] {
  const last = new Map<number, { version: number; lsn: number }>()
  const wrong: string[] = []
  for (const { key, after, lsn } of events) {
    if (!after) continue
    const before = last.get(key)
    if (before && after.version < before.version && lsn > before.lsn)
      wrong.push(`${key}: version ${after.version} at ${lsn} after ${before.version} at ${before.lsn}`)
    last.set(key, { version: after.version, lsn })
  }
  return wrong.slice(0, 20)
}

async function setUp(platform: Platform, postgres: PostgresServer): Promise<void> {
  const source = {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    ...connectionSettings(postgres.url),
    'table.include.list': 'public.item',
    'plugin.name': 'pgoutput',
    'publication.autocreate.mode': 'filtered',
  }
  await platform.create('source', {
    ...source,
    'topic.prefix': 'shop',
    'slot.name': 'chaos',
    'publication.name': 'chaos',
  })
  if (!elasticsearch) return
  await platform.create('flat', {
    ...source,
    'topic.prefix': 'flat',
    'slot.name': 'chaos_flat',
    'publication.name': 'chaos_flat',
    transforms: 'unwrap',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    'transforms.unwrap.delete.tombstone.handling.mode': 'tombstone',
    ...SCHEMALESS,
  })
}

const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'
const SCHEMALESS = {
  'key.converter': JSON_CONVERTER,
  'key.converter.schemas.enable': 'false',
  'value.converter': JSON_CONVERTER,
  'value.converter.schemas.enable': 'false',
}

/**
 * Creates the sinks. They read the same topic with schemas, so that the unwrap transformation
 * recognises the envelope.
 */
async function setUpSinks(platform: Platform, file: string): Promise<void> {
  const unwrap = {
    transforms: 'unwrap',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    'consumer.override.auto.offset.reset': 'earliest',
  }
  await platform.create('file', {
    'connector.class': 'FileStreamSink',
    topics: TOPIC,
    file,
    format: 'json',
    ...unwrap,
    'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
  })
  if (!elasticsearch) return
  const sink = {
    'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
    'connection.url': elasticsearch,
    'behavior.on.null.values': 'delete',
    // The errors of a closed index must not count as malformed documents.
    'behavior.on.malformed.documents': 'ignore',
    'schema.ignore': 'true',
    'consumer.override.auto.offset.reset': 'earliest',
    transforms: 'key',
    'transforms.key.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
    'transforms.key.field': 'id',
  }
  await platform.create('flat-index', { ...sink, topics: FLAT, ...SCHEMALESS })
  await platform.create('index', {
    ...sink,
    ...unwrap,
    topics: TOPIC,
    transforms: 'unwrap,key',
    'transforms.unwrap.delete.tombstone.handling.mode': 'tombstone',
  })
}

test(`after ${KILLS} kills at random moments, the table, the topic, the index and the file agree`, {
  timeout: 15 * 60_000,
}, async ({ skip }) => {
  console.log(`MILLRACE_SEED=${seed}`)
  const postgres = await startPostgres()
  if (!postgres) return skip('no Postgres')
  cleanup.push(() => postgres.stop())
  const dir = mkdtempSync(join(tmpdir(), 'millrace-chaos-'))
  cleanup.push(() => rmSync(dir, { recursive: true, force: true }))
  if (elasticsearch) for (const index of INDICES) await fetch(`${elasticsearch}/${index}`, { method: 'DELETE' })

  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  await client.query(
    'create table item (id int primary key, version bigint not null, note text not null, amount float8 not null)',
  )
  const amounts = `('{${AMOUNTS.join()}}'::float8[])[n % ${AMOUNTS.length} + 1]`
  await client.query(`insert into item select n, 1, 'first ' || n, ${amounts} from generate_series(1, ${ROWS}) n`)
  await client.end()

  const file = join(dir, 'items.jsonl')
  const platform = await Platform.create(join(dir, 'data'))
  cleanup.push(() => platform.kill())
  await platform.start()
  await setUp(platform, postgres)
  await setUpSinks(platform, file)
  const changes = changeUntilStopped(postgres.url)
  for (let n = 0; n < KILLS; n++) {
    // The index may be closed during a kill and the next start.
    if (elasticsearch && rng.below(3) === 0) await closeIndices()
    // The first kills are early, so that they interrupt the snapshot.
    await sleep(n < KILLS / 4 ? rng.below(600) : 200 + rng.below(2500))
    await platform.kill()
    if (rng.below(3) === 0) await sleep(rng.below(500))
    platform.launch()
    // Some kills happen during the start.
    if (rng.below(4) !== 0) await platform.serves()
    if (elasticsearch && rng.below(2) === 0) await openIndices()
  }
  if (elasticsearch) {
    // The index is also closed once without a kill, until the status shows it.
    await openIndices()
    await platform.serves()
    await eventually(
      async () => (await closeIndices()) === INDICES.length,
      () => 'the indices are not there',
      60_000,
    )
    for (const name of ['index', 'flat-index']) await statusSays(platform, name, 'RUNNING', /index_closed_exception/)
    await openIndices()
  }
  await sleep(1000)
  await changes.stop()
  await platform.serves()

  const wanted = await tableOf(postgres.url)
  expect(wanted.size).toBeGreaterThan(1000)

  let events: Event[] = []
  await becomes('topic', wanted, async () => {
    events = await eventsOf(platform.bootstrap)
    return { state: topicState(events), size: events.length }
  })
  expect(disorder(events)).toEqual([])
  await becomes('file', wanted, () => ({ state: fileState(file), size: existsSync(file) ? statSync(file).size : 0 }))
  if (elasticsearch) {
    for (const index of INDICES) {
      await becomes(`index ${index}`, wanted, async () => ({ state: await indexState(index), size: 0 }))
      expect(await mappingOf(index, 'amount')).toBe('double')
    }
  }
  for (const name of elasticsearch ? ['source', 'file', 'flat', 'index', 'flat-index'] : ['source', 'file'])
    await platform.running(name)
  expect(await platform.stop()).toBe(0)
})
