import fc from 'fast-check'
import { millisOf } from 'millrace/connect'
import { epochDay } from 'millrace/connect/java'
import { describe, expect, test } from 'vitest'
import { ColumnRules, type RuleColumn, wrongRule } from './column-rules.ts'
import { Heartbeat } from './heartbeat.ts'
import { KeyColumns, wrongKeyColumns } from './key-columns.ts'
import { adjustFieldName, adjustSchemaName } from './name-adjuster.ts'
import { splitPatterns, wrongPattern } from './patterns.ts'
import { uuidV7 } from './record-headers.ts'
import { Selection } from './selection.ts'
import { timestampFormat } from './temporal.ts'
import { sanitizeTopic, TopicNaming } from './topic-naming.ts'
import { TransactionMetadata } from './transaction-metadata.ts'

const NONE = {
  tableInclude: null,
  tableExclude: null,
  schemaInclude: null,
  schemaExclude: null,
  columnInclude: null,
  columnExclude: null,
}
const name = (id: string) => ({ schema: id.split('.')[0]!, table: id.split('.')[1]! })

describe('lists of regular expressions', () => {
  test('a list is split at commas that are not escaped', () => {
    expect(splitPatterns(String.raw` a\.b , c\,d,,e{1\,2} `)).toEqual([String.raw`a\.b`, 'c,d', 'e{1,2}'])
    expect(wrongPattern('a.b,(')).toContain("'('")
  })

  test('an expression matches only whole names and ignores case', () => {
    const s = new Selection({ ...NONE, tableInclude: 'public.order' }, null)
    expect(s.hasTable(name('PUBLIC.Order'))).toBe(true)
    expect(s.hasTable(name('public.orders'))).toBe(false)
  })

  test('expressions have the syntax of Java', () => {
    const s = new Selection({ ...NONE, tableInclude: String.raw`\Qp.a_1\E,p\.b\-\d++,(?-i)p\.C\z` }, null)
    const names = ['p.a_1', 'P.A_1', 'p.axb', 'p.b-12', 'p.b-', 'p.C', 'p.c']
    expect(names.filter(n => s.hasTable(name(n)))).toEqual(['p.a_1', 'P.A_1', 'p.b-12', 'p.C'])
  })

  test('a column is selected by its full name', () => {
    const s = new Selection({ ...NONE, columnExclude: String.raw`.*\.secret` }, null)
    expect([s.hasColumn(name('a.b'), 'secret'), s.hasColumn(name('a.b'), 'open')]).toEqual([false, true])
  })

  test('the include list defines the order of the tables', () => {
    const s = new Selection({ ...NONE, tableInclude: String.raw`p\.z,p\..*` }, null)
    expect(s.sortTables(['p.b', 'p.a', 'p.z'].map(name)).map(t => t.table)).toEqual(['z', 'a', 'b'])
  })
})

describe('names of topics, schemas and fields', () => {
  const naming = (unicode: boolean) =>
    new TopicNaming({
      prefix: 'p',
      delimiter: '.',
      transaction: 'tx',
      heartbeatPrefix: 'hb',
      heartbeatName: null,
      unicode,
    })

  test('topic names are valid for any table name', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (schema, table) => {
        for (const unicode of [false, true])
          expect(naming(unicode).table({ schema, table })).toMatch(/^[A-Za-z0-9._-]{1,249}$/)
      }),
    )
    expect([sanitizeTopic('.'), sanitizeTopic('..')]).toEqual(['_', '__'])
    expect(naming(false).heartbeat()).toBe('hb.p')
    expect(naming(true).table(name('s.a_b é'))).toBe('p.s.a_u005fb_u0020_u00e9')
  })

  test('adjusted schema and field names are valid in Avro', () => {
    expect(adjustSchemaName('my-app.1st.Täb', 'avro')).toBe('my_app.1st.T_b')
    expect(adjustSchemaName('1a.b', 'avro')).toBe('_1a.b')
    expect(adjustFieldName('1st.x', 'avro')).toBe('_1st_x')
    expect(adjustFieldName('a_b', 'avro_unicode')).toBe('a_u005fb')
    expect(adjustFieldName('a-b', 'none')).toBe('a-b')
  })

  test('with avro_unicode, two different field names never become equal', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        fc.pre(a !== b)
        expect(adjustFieldName(a, 'avro_unicode')).not.toBe(adjustFieldName(b, 'avro_unicode'))
      }),
    )
  })
})

test('message.key.columns can name other columns than the primary key', () => {
  const keys = new KeyColumns(String.raw`public.a:x,y;(.*)\.b:z`)
  expect(keys.keyOf(name('public.a'), ['z', 'y', 'x'])).toEqual(['x', 'y'])
  expect(keys.keyOf(name('other.b'), ['z'])).toEqual(['z'])
  expect(keys.keyOf(name('other.a'), ['x'])).toBeNull()
  expect(wrongKeyColumns('public.a')).toContain('must look like')
})

describe('column rules', () => {
  const column = (more: Partial<RuleColumn> = {}): RuleColumn => ({
    name: 'c',
    typeName: 'text',
    length: 2_147_483_647,
    scale: 0,
    isText: true,
    comment: null,
    ...more,
  })
  const rule = (props: Record<string, string>, more: Partial<RuleColumn> = {}) =>
    new ColumnRules(props, 'db').forColumn(name('s.t'), column(more))

  test('v2 hashes the salt and the string; v1 hashes the salt and the string as Java serializes it', () => {
    // This is the SHA-256 hash of 'abc' + 'Ann' that Debezium 3.7 computes.
    const v2 = rule({ 'column.mask.hash.v2.SHA-256.with.salt.abc': 's.t.c' })!
    expect(v2.change!('Ann')).toBe('4f0a92be43a237e81701a468f77f3c85103300091d3ebf1ee939b5e3f7599d5d')
    const cut = rule({ 'column.mask.hash.v2.SHA-256.with.salt.abc': 's.t.c' }, { length: 10 })!
    expect(cut.change!('Ann')).toBe('4f0a92be43')
    const v1 = rule({ 'column.mask.hash.SHA-256.with.salt.abc': 's.t.c' })!
    expect(v1.change!('Ann')).not.toBe(v2.change!('Ann'))
    expect(wrongRule('column.mask.hash.NOPE.with.salt.x', 's.t.c')).toContain('NOPE')
  })

  test('keys that are not column rules are ignored', () => {
    expect(rule({ 'transforms.mask.replacement': '***', 'column.masks': '(' })).toBeNull()
  })

  test('masks apply only to text and to null, and truncation shortens long values', () => {
    const mask = rule({ 'column.mask.with.3.chars': 's.t.c' })!
    expect([mask.change!('secret'), mask.maskNull]).toEqual(['***', '***'])
    const number = rule({ 'column.mask.with.3.chars': 's.t.c' }, { isText: false })!
    expect([number.change, number.unmasked]).toEqual([null, ['column.mask.with.3.chars']])
    const cut = rule({ 'column.truncate.to.2.chars': 's.t.c' })!
    expect([cut.change!('abc'), cut.change!(Buffer.from('abc')), cut.change!(5)]).toEqual(['ab', Buffer.from('ab'), 5])
    expect(rule({ 'column.truncate.to.2.chars': 's.t.x' })).toBeNull()
  })

  test('all matching rules apply, and none disables a mask', () => {
    const both = rule({ 'column.propagate.source.type': 's.t.c', 'column.mask.with.1.chars': 's.t.c' })!
    expect(both.change!('x')).toBe('*')
    expect(both.parameters).toMatchObject({ masked: 'true', '__debezium.source.column.type': 'TEXT' })
  })
})

describe('dates and times', () => {
  const last = { day: epochDay(294_276, 12, 31), micros: 86_399_999_999 }

  test('with time.precision.mode=nanoseconds, a timestamp out of range is an error that contains the nearest value, and infinity is the largest int64', () => {
    const nanos = timestampFormat('nanoseconds', 6).convert
    expect(() => nanos(last)).toThrow(expect.objectContaining({ nearest: 2n ** 63n - 1n, always: false }))
    expect(nanos({ day: Number.POSITIVE_INFINITY, micros: 0 })).toBe(2n ** 63n - 1n)
  })

  test('PostgreSQL’s largest timestamp is valid in the other modes of time.precision.mode', () => {
    const shown = (['adaptive', 'connect', 'isostring', 'microseconds'] as const).map(mode => {
      const value = timestampFormat(mode, 6).convert(last)
      return value instanceof Date ? millisOf(value) : value
    })
    expect(shown).toEqual([2n ** 63n - 1n, 9_224_318_015_999_999n, '+294276-12-31T23:59:59.999999Z', 2n ** 63n - 1n])
    expect(timestampFormat('adaptive', 3).convert(last)).toBe(9_224_318_015_999_999n)
  })
})

test('after a restart within a transaction, counting resumes from the loaded offset', () => {
  const first = new TransactionMetadata()
  first.begin('7')
  first.event('s.a', '7:1')
  first.event('s.b', '7:2')
  const second = new TransactionMetadata()
  second.load(JSON.parse(JSON.stringify(first.offset())) as Record<string, unknown>)
  second.begin('7')
  expect(second.event('s.a', '7:3')).toEqual({ id: '7:3', total_order: 3, data_collection_order: 2 })
  second.begin('8')
  expect(second.endValue('8:9', 1)).toMatchObject({ event_count: 0, data_collections: [] })
})

test('a heartbeat is due after its interval, and never if heartbeats are disabled', () => {
  const beat = new Heartbeat('hb', 't', 1000, 0)
  expect([beat.wait(400), beat.due({}, {}, 999), beat.due({}, { lsn: 1 }, 1000)?.sourceOffset]).toEqual([
    600,
    null,
    { lsn: 1 },
  ])
  expect(beat.due({}, {}, 1500)).toBeNull()
  expect(new Heartbeat('hb', 't', 0, 0).due({}, {}, 1e9)).toBeNull()
})

test('run ids are UUIDs of version 7', () => {
  expect(uuidV7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
