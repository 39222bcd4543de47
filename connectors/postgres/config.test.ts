import { readFileSync } from 'node:fs'
import { validateConfig } from 'millrace/connect'
import { parseSettings, SourceHarness } from 'millrace/testing'
import { expect, test } from 'vitest'
import { unusedSettings } from '../cdc/index.ts'
import { postgresConfig } from './config.ts'
import { PostgresConnector } from './connector.ts'
import { parseOptions } from './options.ts'
import { checkTogether } from './validate.ts'

interface Key {
  readonly name: string
  readonly type: string
  readonly default: string | null
  readonly importance: string
}

/**
 * The keys that Debezium 3.7 returns for GET /connector-plugins/PostgresConnector/config, without
 * Connect's own keys and internal keys.
 */
const debezium = JSON.parse(readFileSync(new URL('./golden/config-keys.json', import.meta.url), 'utf8')) as Key[]
const declared = new Map(Object.entries(postgresConfig))

test('every key of Debezium 3.7 is declared, with its type, default and importance', () => {
  const differing = debezium.flatMap(key => {
    const ours = declared.get(key.name)
    if (!ours) return [`${key.name} is not declared`]
    const given = ours.default
    const shown = given === null || given === undefined ? null : String(given)
    const want = [key.type, key.default, key.importance].join(' ')
    const have = [ours.type, shown, ours.importance].join(' ')
    return want === have ? [] : [`${key.name}: ${have} instead of ${want}`]
  })
  // Debezium's default of sourceinfo.struct.maker is a Java class. Its default of plugin.name is
  // decoderbufs, which must be installed on the server. Every server has pgoutput.
  expect(differing).toEqual([
    'sourceinfo.struct.maker: CLASS  LOW instead of CLASS io.debezium.connector.postgresql.PostgresSourceInfoStructMaker LOW',
    'plugin.name: STRING pgoutput MEDIUM instead of STRING decoderbufs MEDIUM',
  ])
})

test('every key has documentation', () => {
  for (const [name, key] of declared) expect(key.documentation, name).toMatch(/\S{3}/)
})

const BASE = { 'topic.prefix': 't', 'database.hostname': 'h', 'database.user': 'u', 'database.dbname': 'd' }

function errorsOf(more: Record<string, string>): string[] {
  const out: string[] = []
  checkTogether({ ...BASE, ...more }, (key, message) => out.push(`${key}: ${message}`))
  return out
}

/** Returns the errors that the declarations of the keys report, without those of `validate`. */
const declarationErrors = (more: Record<string, string>): string[] =>
  validateConfig(postgresConfig, { ...BASE, ...more }).flatMap(value => value.errors)

test('a key of an unsupported feature accepts only its default', () => {
  expect(declarationErrors({ 'signal.data.collection': 'public.signals' })).toEqual([
    'Invalid value [public.signals] for configuration signal.data.collection: Signals and incremental snapshots are not supported yet. Remove this key.',
  ])
  expect(declarationErrors({ 'signal.enabled.channels': 'source', 'signal.file': '' })).toEqual([])
  expect(declarationErrors({ converters: 'isbn' })).toHaveLength(1)
  expect(declarationErrors({ 'openlineage.integration.enabled': 'true' })).toHaveLength(1)
  expect(declarationErrors({ 'openlineage.integration.enabled': 'FALSE' })).toEqual([])
  expect(declarationErrors({ 'incremental.snapshot.chunk.size': '1024', 'snapshot.max.threads': '2' })).toEqual([])
})

test('a key that has no effect is reported if its value differs from its default', () => {
  const props = { ...BASE, 'snapshot.max.threads': '2', 'poll.interval.ms': '500', 'signal.file': '' }
  expect(unusedSettings(postgresConfig, props)).toEqual([
    { key: 'snapshot.max.threads', reason: 'The snapshot reads one table at a time.' },
  ])
})

test('an include list and an exclude list of the same kind cannot be used together', () => {
  expect(errorsOf({ 'table.include.list': 'a.b', 'table.exclude.list': 'c.d' })).toHaveLength(1)
  expect(errorsOf({ 'table.include.list': 'a.b', 'schema.exclude.list': 'c' })).toEqual([])
})

test('an unsupported mode or plugin is rejected, and the error lists the supported ones', () => {
  const one = 'Value must be one of'
  expect(declarationErrors({ 'snapshot.mode': 'custom' })[0]).toContain(`${one} always, initial, no_data`)
  expect(declarationErrors({ 'snapshot.locking.mode': 'custom' })[0]).toContain(`${one} none, shared`)
  expect(declarationErrors({ 'plugin.name': 'decoderbufs' })[0]).toContain(`${one} pgoutput`)
  expect(errorsOf({ 'column.mask.hash.v2.SHA-255.with.salt.x': 'a.b.c' })[0]).toContain('SHA-255')
  expect(errorsOf({ 'max.queue.size': '10', 'max.batch.size': '10' })[0]).toContain('larger')
})

test("a setting that would otherwise be ignored, or change the stream's format, is rejected", () => {
  const query = 'snapshot.select.statement.overrides'
  expect(errorsOf({ [query]: 'public.t' })[0]).toContain(`its query ${query}.public.t is not set`)
  expect(errorsOf({ [`${query}.public.t`]: 'select 1' })[0]).toContain(
    `has no effect unless ${query} contains public.t`,
  )
  expect(errorsOf({ [query]: 'public.t', [`${query}.public.t`]: 'select 1' })).toEqual([])
  expect(errorsOf({ 'slot.stream.params': 'binary=true' })[0]).toContain('binary')
  expect(errorsOf({ 'slot.stream.params': 'streaming=on;origin=none' })).toHaveLength(1)
  expect(errorsOf({ 'slot.stream.params': 'origin=none' })).toEqual([])
  const identities = 'replica.identity.autoset.values'
  expect(errorsOf({ [identities]: 'public.t:FUL, public.u' })).toHaveLength(2)
  expect(errorsOf({ [identities]: 'public.t:full,public\\..*:INDEX t_i, a.b:Default' })).toEqual([])
})

test('one error lists the problems of all keys', () => {
  const wrong = { 'database.port': 'x', 'slot.name': 'Bad-Name', 'table.include.list': '(' }
  const named = ['topic.prefix', ...Object.keys(wrong)]
  const problems = named.map(name => `(?=.*for configuration ${name.replaceAll('.', '\\.')}:)`)
  expect(() => parseSettings(postgresConfig, wrong)).toThrow(new RegExp(`^${problems.join('')}`, 's'))
})

test('slot.drop.on.stop causes a warning if a restart needs the slot', async () => {
  const logged = async (more: Record<string, string>) => {
    // no server listens on this port, because only the connector is tested, not its task
    const config = { ...BASE, 'database.hostname': '127.0.0.1', 'database.port': '1', ...more }
    await using source = new SourceHarness(PostgresConnector, { config, validate: false })
    await source.start()
    return source.logger.text()
  }
  const drop = { 'slot.drop.on.stop': 'true' }
  expect(await logged(drop)).toContain('slot.drop.on.stop=true with snapshot.mode=initial')
  expect(await logged({ ...drop, 'snapshot.mode': 'no_data' })).toContain('snapshot.mode=no_data')
  for (const mode of ['when_needed', 'always', 'initial_only'])
    expect(await logged({ ...drop, 'snapshot.mode': mode })).not.toContain('slot.drop.on.stop')
  expect(await logged({})).not.toContain('slot.drop.on.stop')
})

test('an escaped comma in a list is part of the element', () => {
  const props = { ...BASE, 'table.include.list': String.raw`public\.t_\d{1\,3}, other\..*` }
  const options = parseOptions(parseSettings(postgresConfig, props), props)
  expect(options.selection.hasTable({ schema: 'public', table: 't_123' })).toBe(true)
  expect(options.selection.hasTable({ schema: 'public', table: 't_1234' })).toBe(false)
  expect(options.selection.hasTable({ schema: 'OTHER', table: 'x' })).toBe(true)
  expect(options.selection.hasTable({ schema: 'pg_catalog', table: 'pg_class' })).toBe(false)
})
