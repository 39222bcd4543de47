/**
 * Tests values that make Debezium's task fail or restart forever. This connector emits these values
 * in every mode.
 */

import type { CompleteSourceRecord, Struct } from 'millrace/connect'
import { configured } from 'millrace/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JsonConverter } from '../../../../converters/json/json-converter.ts'
import { type PostgresServer, startPostgres } from '../../../../test/services/postgres.ts'
import { propsFor, TaskHarness } from '../../test-support/harness.ts'
import { LONG_INTERVALS, REQUIRED_EXTREMES } from './columns.ts'
import { MODES } from './modes.ts'

const server: PostgresServer | null = await startPostgres()
afterAll(() => server?.stop())

const converter = new JsonConverter()
beforeAll(() => configured(converter, {}))

const after = (r: CompleteSourceRecord) => (r.value as { after: Struct }).after
/** Converts a record's value as the runtime does. Throws if the value does not fit its schema. */
const written = (r: CompleteSourceRecord) => converter.fromConnectData(r.topic, r.valueSchema, r.value, [])?.toString()

/**
 * Takes a snapshot of the tables that `setup` creates, then streams the changes of `stream`. Runs
 * all modes at once, and returns the records of each mode.
 */
async function inEveryMode(
  setup: readonly string[],
  stream: readonly string[],
): Promise<Map<string, CompleteSourceRecord[]>> {
  const url = await server!.createDatabase()
  const db = new pg.Client(url)
  await db.connect()
  for (const sql of setup) await db.query(sql)
  await db.query('create publication beyond for all tables')
  const read = setup.filter(sql => sql.startsWith('insert')).length
  const out = new Map<string, CompleteSourceRecord[]>()
  const tasks = await Promise.all(
    Object.entries(MODES).map(async ([mode, config]) => {
      const slot = { 'slot.name': `beyond_${mode.replace('-', '_')}`, 'slot.drop.on.stop': 'true' }
      const own = { 'publication.name': 'beyond', ...slot, ...config }
      return [mode, await new TaskHarness(propsFor(url, own)).start()] as const
    }),
  )
  try {
    for (const [, task] of tasks) await task.count(read)
    for (const sql of stream) await db.query(sql)
    for (const [mode, task] of tasks) out.set(mode, [...(await task.count(read + stream.length))])
    // Only a task without unacknowledged records is stopped regularly, and then drops its slot.
    for (const [, task] of tasks) await task.commit()
  } finally {
    for (const [, task] of tasks) await task.stop()
    await db.end()
  }
  return out
}

describe.skipIf(server === null)('values that Debezium cannot emit', () => {
  test('intervals with more hours than an int32 can represent, and infinite intervals, are emitted in every mode', async () => {
    const infinite = server!.version >= 170_000 ? ['infinity', '-infinity'] : []
    const insert = [...LONG_INTERVALS, ...infinite].map((v, i) => `insert into t values (${i}, '${v}')`)
    const create = 'create table t (id int primary key, i interval)'
    const modes = await inEveryMode(
      [create, ...insert],
      insert.map(sql => sql.replace('(', '(10 + ')),
    )
    const micros = [7_730_941_132_800_000_000n, 2n ** 63n - 1n, -(2n ** 63n) + 1n, -7_730_941_136_400_000_000n]
    const numeric = [...micros, ...(infinite.length > 0 ? [2n ** 63n - 1n, -(2n ** 63n)] : [])]
    expect(modes.get('adaptive')!.map(r => after(r)['i'])).toEqual([...numeric, ...numeric])
    const iso = ['P0Y0M0DT2147483648H0M0S', 'P0Y0M0DT2562047788H0M54.775807S', 'P0Y0M0DT-2562047788H0M-54.775807S']
    const text = [...iso, 'P0Y0M0DT-2147483649H0M0S', ...infinite]
    expect(modes.get('strings')!.map(r => after(r)['i'])).toEqual([...text, ...text])
    for (const records of modes.values()) expect(() => records.map(written)).not.toThrow()
  })

  test('names of cursors, the longest numbers, and numbers with a negative scale are emitted in every mode', async () => {
    const create = `create table t (id int primary key, c refcursor, n numeric, ${server!.version >= 150_000 ? 's numeric(3,-2)' : 's int'})`
    const insert = [
      `insert into t values (1, 'cur', ('1' || repeat('0', 131071))::numeric, 99900)`,
      `insert into t values (2, '', ('0.' || repeat('0', 16382) || '1')::numeric, -100)`,
    ]
    const modes = await inEveryMode(
      [create, ...insert],
      insert.map(sql => sql.replace('(', '(10 + ')),
    )
    for (const mode of ['strings', 'connect', 'microseconds']) {
      const [first, second] = modes.get(mode)!.map(r => after(r)['c'])
      const shown = { strings: 'Y3Vy', connect: '637572', microseconds: Buffer.from('cur') }[mode]
      expect([first, second]).toEqual([shown, mode === 'microseconds' ? Buffer.alloc(0) : ''])
    }
    const numbers = modes.get('strings')!.map(r => after(r)['n'])
    expect(numbers.slice(0, 2)).toEqual([`1${'0'.repeat(131_071)}`, `0.${'0'.repeat(16_382)}1`])
    expect(numbers.slice(2)).toEqual(numbers.slice(0, 2))
    for (const records of modes.values()) expect(() => records.map(written)).not.toThrow()
  })

  test('every value of a NOT NULL column, and the deletion of its row, are emitted in every mode', async () => {
    const columns = REQUIRED_EXTREMES.map(c => `${c.name} ${c.type} not null`)
    const rows = Math.max(...REQUIRED_EXTREMES.map(c => c.values.length))
    const insert = Array.from({ length: rows }, (_, i) => {
      const values = REQUIRED_EXTREMES.map(c => pg.escapeLiteral(c.values[i % c.values.length]!))
      return `insert into t values (${i}, ${values.join(', ')})`
    })
    const stream = [...insert.map(sql => sql.replace('(', '(100 + ')), 'delete from t where id = 100']
    const modes = await inEveryMode([`create table t (id int primary key, ${columns.join(', ')})`, ...insert], stream)
    for (const records of modes.values()) expect(() => records.map(written)).not.toThrow()
  })
})
