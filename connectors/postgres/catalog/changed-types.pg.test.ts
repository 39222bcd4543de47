import type { Schema, SourceRecord, Struct } from 'millrace/connect'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../test/services/postgres.ts'
import { propsFor, TaskHarness } from '../test-support/harness.ts'

const server: PostgresServer | null = await startPostgres()
afterAll(() => server?.stop())

const after = (r: SourceRecord) => (r.value as { after: Struct }).after
const fieldOf = (r: SourceRecord, name: string): Schema | undefined =>
  r.valueSchema!.fields!.find(f => f.name === 'after')!.schema.fields!.find(f => f.name === name)?.schema
const allowed = (schema: Schema | undefined) => (schema?.valueSchema ?? schema)?.parameters?.['allowed']

/** Runs `setup`, takes a snapshot, then runs `steps` one at a time. Returns all records. */
async function streamed(setup: readonly string[], steps: readonly string[], more = {}): Promise<SourceRecord[]> {
  const url = await server!.createDatabase()
  const db = new pg.Client(url)
  await db.connect()
  for (const sql of setup) await db.query(sql)
  const task = await new TaskHarness(propsFor(url, more)).start()
  try {
    await task.snapshot()
    for (const sql of steps) {
      const before = task.records.length
      await db.query(sql)
      if (sql.startsWith('insert')) await task.count(before + 1)
    }
    return [...task.records]
  } finally {
    await task.stop()
    await db.end()
  }
}

describe.skipIf(server === null)('a type that changes while the connector runs', () => {
  test('a column whose enum has no labels is captured, and its schema gets the labels that are added later', async () => {
    const records = await streamed(
      ['create type mood as enum ()', 'create table t (id int primary key, m mood)', 'insert into t values (1)'],
      ["alter type mood add value 'sad'", "insert into t values (2, 'sad')"],
    )
    expect(records.map(r => allowed(fieldOf(r, 'm')))).toEqual(['', 'sad'])
    expect(records.map(after)).toEqual([
      { id: 1, m: null },
      { id: 2, m: 'sad' },
    ])
  })

  test('a new enum label is in the schemas of the enum, of its domains and of its arrays', async () => {
    const records = await streamed(
      [
        "create type mood as enum ('sad')",
        'create domain feeling as mood',
        'create domain feelings as mood[]',
        'create table d (id int primary key, m feeling)',
        'create table a (id int primary key, m mood[])',
        'create table da (id int primary key, m feelings)',
        'create table ad (id int primary key, m feeling[])',
      ],
      [
        "alter type mood add value 'happy'",
        "insert into d values (1, 'happy')",
        "insert into a values (1, '{NULL,happy}')",
        "insert into da values (1, '{happy}')",
        "insert into ad values (1, '{happy,NULL}')",
      ],
    )
    expect(records.map(r => allowed(fieldOf(r, 'm')))).toEqual(Array(4).fill('sad,happy'))
    expect(records.map(r => after(r)['m'])).toEqual(['happy', [null, 'happy'], ['happy'], ['happy', null]])
  })

  test('after an enum label is renamed, the schema contains the new label', async () => {
    const records = await streamed(
      ["create type mood as enum ('sad', 'happy')", 'create table t (id int primary key, m mood)'],
      [
        "insert into t values (1, 'sad')",
        "alter type mood rename value 'sad' to 'blue'",
        "insert into t values (2, 'blue')",
      ],
    )
    expect(records.map(r => allowed(fieldOf(r, 'm')))).toEqual(['sad,happy', 'blue,happy'])
  })

  test('a column becomes optional when its domain is no longer NOT NULL', async () => {
    const records = await streamed(
      [
        'create domain needed as text not null',
        'create table t (id int primary key, a needed)',
        "insert into t values (1, 'a')",
      ],
      ['alter domain needed drop not null', 'insert into t values (2, null)', 'insert into t values (3, null)'],
    )
    expect(records.map(r => fieldOf(r, 'a')!.optional ?? false)).toEqual([false, true, true])
    expect(records.map(r => after(r)['a'])).toEqual(['a', null, null])
  })

  test('a composite type with a new attribute, and a new column of a new type, are captured', async () => {
    const records = await streamed(
      ['create type pair as (a int)', 'create table t (id int primary key, p pair)'],
      [
        'insert into t values (1, row(1))',
        'alter type pair add attribute b text',
        "insert into t values (2, row(2, 'x'))",
        "create type size as enum ('s')",
        'alter table t add column s size',
        "insert into t values (3, row(3, 'y'), 's')",
      ],
      { 'include.unknown.datatypes': 'true' },
    )
    expect(records.map(r => String(after(r)['p']))).toEqual(['(1)', '(2,x)', '(3,y)'])
    expect(after(records[2]!)['s']).toBe('s')
    expect(allowed(fieldOf(records[2]!, 's'))).toBe('s')
  })
})
