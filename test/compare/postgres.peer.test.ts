/**
 * Runs Debezium in Apache Connect and Millrace's connector on the same database, each with its own
 * slot. Keys, values, headers and the offsets topic must have the same bytes, apart from times,
 * positions and ids. Each connector also resumes from the offsets of the other.
 */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findKafkaLibs, skipWithout } from '../peers/tools.ts'
import { connectionSettings } from '../services/connection-settings.ts'
import { type PostgresServer, startPostgres } from '../services/postgres.ts'
import { DDL, DML, MARKER, ROWS, TABLES } from './postgres-workload.ts'
import { type Raw, type Stack, startApache, startMillrace } from './stacks.ts'

const T = 'org.apache.kafka.connect.transforms'
const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'
const unwrap = { 'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState' }
const plain = {
  'key.converter': JSON_CONVERTER,
  'key.converter.schemas.enable': 'false',
  'value.converter': JSON_CONVERTER,
  'value.converter.schemas.enable': 'false',
}

const CONNECTORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  full: { 'skipped.operations': 'none', 'provide.transaction.metadata': 'true' },
  plain: {
    ...plain,
    'decimal.handling.mode': 'string',
    'time.precision.mode': 'connect',
    'tombstones.on.delete': 'false',
  },
  flat: {
    transforms: 'unwrap,drop,static,mask',
    ...unwrap,
    'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite-with-tombstone',
    'transforms.unwrap.add.fields': 'op,table,source.snapshot',
    'transforms.unwrap.add.headers': 'db',
    'transforms.static.type': `${T}.InsertField$Value`,
    'transforms.static.static.field': 'origin',
    'transforms.static.static.value': 'shop',
    'transforms.mask.type': `${T}.MaskField$Value`,
    'transforms.mask.fields': 'email',
    'transforms.mask.replacement': '***',
    'transforms.mask.predicate': 'people',
    'transforms.drop.type': `${T}.Filter`,
    'transforms.drop.predicate': 'tombstone',
    'transforms.static.predicate': 'tombstone',
    'transforms.static.negate': 'true',
    predicates: 'people,tombstone',
    'predicates.people.type': `${T}.predicates.TopicNameMatches`,
    'predicates.people.pattern': '.*people',
    'predicates.tombstone.type': `${T}.predicates.RecordIsTombstone`,
    'table.include.list': 'public.people,public.orders,public.marker',
  },
}

/** Replaces the parts of a value that differ in each run. Everything else is compared exactly. */
function timeless(text: string | null): string | null {
  return (
    text
      ?.replace(/"(ts_ms|ts_us|ts_ns|lsn|txId|xmin)":-?\d+/g, '"$1":0')
      .replace(/"sequence":"(?:[^"\\]|\\.)*"/g, s => s.replace(/\d+/g, 'N'))
      .replace(/"version":"[^"]*"/g, '"version":""')
      .replace(/"id":"\d+:\d+"/g, '"id":"TX"') ?? null
  )
}

const comparable = (records: readonly Raw[]) =>
  records.map(r => ({
    ...r,
    key: timeless(r.key),
    value: timeless(r.value),
    headers: r.headers.map(([k, v]) => [k, k.endsWith('runId') ? '' : v]),
  }))

const server: { pg: PostgresServer | null } = { pg: null }
let url: URL
let apache: Stack
let ours: Stack

function config(name: string, side: string, prefix = name): Record<string, string> {
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'tasks.max': '1',
    'plugin.name': 'pgoutput',
    ...connectionSettings(url),
    'topic.prefix': prefix,
    'slot.name': `${name}_${side}`,
    'publication.name': `pub_${name}`,
    'publication.autocreate.mode': 'filtered',
    'table.include.list': 'public.*',
    'lsn.flush.mode': 'connector',
    ...CONNECTORS[name],
  }
}

async function run(statements: readonly string[]): Promise<void> {
  const client = new pg.Client(url.toString())
  await client.connect()
  try {
    for (const sql of statements) await client.query(sql).catch(error => Promise.reject(new Error(`${error}: ${sql}`)))
  } finally {
    await client.end()
  }
}

const topicOf = (name: string, table: string) => `${name}.public.${table.replace(/[^\w.-]/g, '_')}`

/** Waits until all initial rows are in the topics. */
async function snapshot(stack: Stack, name: string): Promise<void> {
  for (const [table, rows] of TABLES) {
    if (CONNECTORS[name]!['table.include.list']?.includes(`public.${table}`) ?? true)
      await stack.arrived(topicOf(name, table), rows, 120_000)
  }
  await stack.state(name, 'RUNNING')
}

const prefixed = async (stack: Stack, name: string) => (await stack.topics()).filter(t => t.startsWith(`${name}.`))

describe.skipIf(skipWithout('Apache Kafka', findKafkaLibs() !== null))('Postgres compared with Debezium', () => {
  beforeAll(async () => {
    server.pg = await startPostgres({ own: true })
    if (!server.pg) throw new Error('PostgreSQL is not available')
    url = new URL(await server.pg.createDatabase('compare'))
    await run([...DDL, ...ROWS])
    for (const [side, start] of [
      ['apache', startApache],
      ['ours', startMillrace],
    ] as const) {
      const stack = await start()
      if (side === 'apache') apache = stack
      else ours = stack
      for (const name of Object.keys(CONNECTORS)) await stack.create(name, config(name, side))
      for (const name of Object.keys(CONNECTORS)) await snapshot(stack, name)
    }
    await run(DML)
    await run([MARKER])
    for (const stack of [apache, ours])
      for (const name of Object.keys(CONNECTORS)) await stack.arrived(`${name}.public.marker`, 2, 120_000)
  }, 420_000)

  afterAll(async () => {
    await ours?.stop()
    await apache?.stop()
    await server.pg?.stop()
  })

  test.each(Object.keys(CONNECTORS))('%s: the topics are the same', async name => {
    const topics = await prefixed(apache, name)
    expect(await prefixed(ours, name)).toEqual(topics)
    expect(topics).toHaveLength({ full: TABLES.size + 1, plain: TABLES.size, flat: 3 }[name]!)
  })

  test.each(Object.keys(CONNECTORS))(
    '%s: keys, values and headers are the same, in the same order',
    async name => {
      for (const topic of await prefixed(apache, name)) {
        const theirs = await apache.read(topic, await apache.count(topic))
        const mine = await ours.read(topic, Math.min(theirs.length, await ours.count(topic)))
        expect(comparable(mine), topic).toEqual(comparable(theirs))
      }
    },
    120_000,
  )

  test.each(Object.keys(CONNECTORS))(
    '%s: the offsets have the same keys and types',
    async name => {
      const forms = await Promise.all(
        [apache, ours].map(async stack => {
          await stack.stopConnector(name)
          const stored = [...(await stack.storedOffsets(name))]
          // Millrace adds one key, `wal_id`: the identity of the WAL to which the positions belong.
          const form = (value: string | null) => value?.replace(/\d+/g, '0').replace(',"wal_id":"0/0"', '') ?? ''
          return stored.map(([key, o]) => ({ key, partition: o.partition, form: form(o.value) }))
        }),
      )
      if (CONNECTORS[name]?.['provide.transaction.metadata']) {
        // The keys of Debezium's offset are in the order of a Java hash map, which depends on the
        // names of tables.
        const parsed = forms.map(offsets => offsets.map(o => ({ ...o, form: JSON.parse(o.form) })))
        expect(parsed[1]).toEqual(parsed[0])
      } else expect(forms[1]).toEqual(forms[0])
      expect(forms[0]).toHaveLength(1)
    },
    120_000,
  )

  test("Millrace resumes from Debezium's offset and slot, Debezium from Millrace's, and every change arrives once", async () => {
    const topic = 'full.public.people'
    const insert = (id: number) => `insert into people (id, name, email) values (${id}, 'moved', 'x')`
    const moved = async (from: Stack, fromName: string, to: Stack, toName: string) => {
      const { body } = await from.rest('GET', `/connectors/${fromName}/offsets`)
      const answer = await to.rest('PATCH', `/connectors/${toName}/offsets`, body)
      expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 200 })
      const before = await to.count(topic)
      await to.rest('PUT', `/connectors/${toName}/resume`)
      return before
    }
    const idsFrom = async (stack: Stack, before: number, count: number) => {
      await stack.arrived(topic, before + count, 60_000)
      const records = (await stack.read(topic, before + count)).slice(before)
      return records.map(r => {
        const { payload } = JSON.parse(r.value!)
        return [payload.op, payload.after.id]
      })
    }
    await run([insert(901), insert(902)])
    await ours.create('moved', config('full', 'apache'), { initial_state: 'STOPPED' })
    const before = await moved(apache, 'full', ours, 'moved')
    await run([insert(903)])
    const first = await idsFrom(ours, before, 3)
    await ours.stopConnector('moved')
    expect(first).toEqual([
      ['c', 901],
      ['c', 902],
      ['c', 903],
    ])
    await run([insert(904)])
    const back = await moved(ours, 'moved', apache, 'full')
    await run([insert(905)])
    const second = await idsFrom(apache, back, 2)
    await apache.stopConnector('full')
    expect(second).toEqual([
      ['c', 904],
      ['c', 905],
    ])
  }, 240_000)
})
