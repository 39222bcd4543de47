import type { MillraceError, Props, ValidateContext } from 'millrace/connect'
import { messageOf } from 'millrace/connect'
import { RULE_KEYS, wrongRule } from '../cdc/index.ts'
import { Catalog } from './catalog/catalog.ts'
import { endClient, openClient } from './client/open.ts'
import type { PostgresValues } from './config.ts'
import { errors } from './errors.ts'
import { type PostgresOptions, parseOptions } from './options.ts'
import { shownNames } from './publication.ts'
import { publicationFor, publicationOf, snapshotTables, unseen } from './published.ts'
import { wrongIdentity } from './replica-identity.ts'
import { serverInfo, slotState, wrongSlot } from './server.ts'

type AddError = (key: string, message: string) => void

const NAMING = /(^|\.)(Schema(Unicode)?TopicNamingStrategy|DefaultTopicNamingStrategy)$/

/** Runs the checks that need no database. */
export function checkTogether(props: Props, addError: AddError): void {
  const given = (key: string) => (props[key] ?? '').trim() !== ''
  for (const kind of ['table', 'schema', 'column']) {
    const [include, exclude] = [`${kind}.include.list`, `${kind}.exclude.list`]
    if (given(include) && given(exclude))
      addError(exclude, `"${exclude}" is already specified by "${include}": use one of them.`)
  }
  for (const [key, value] of Object.entries(props)) {
    if (!RULE_KEYS.some(rule => rule.test(key))) continue
    const wrong = wrongRule(key, value)
    if (wrong) addError(key, `Invalid value for configuration ${key}: ${wrong}`)
  }
  const naming = props['topic.naming.strategy']
  if (naming && !NAMING.test(naming.trim()))
    addError(
      'topic.naming.strategy',
      `${naming} is not supported. Use io.debezium.schema.SchemaTopicNamingStrategy or SchemaUnicodeTopicNamingStrategy, and a transformation for other names.`,
    )
  checkStreamParams(props['slot.stream.params'] ?? '', addError)
  checkOverrides(props, addError)
  checkIdentities(props['replica.identity.autoset.values'] ?? '', addError)
  const number = (key: string, fallback: number) => Number(props[key] ?? fallback)
  if (number('max.queue.size', 8192) <= number('max.batch.size', 2048))
    addError('max.queue.size', 'max.queue.size must be larger than max.batch.size.')
}

/** The options of pgoutput that may be set. Other options would change the format of the stream. */
const STREAM_PARAMS = new Set(['origin'])

function checkStreamParams(text: string, addError: AddError): void {
  for (const param of text.split(';').filter(p => p.trim() !== '')) {
    const name = param.split('=')[0]!.trim()
    if (!param.includes('='))
      addError('slot.stream.params', `slot.stream.params: '${param.trim()}' must look like name=value.`)
    else if (!STREAM_PARAMS.has(name))
      addError(
        'slot.stream.params',
        `slot.stream.params: '${name}' is not an option that can be set here (only origin): remove it.`,
      )
  }
}

const OVERRIDES = 'snapshot.select.statement.overrides'

/**
 * Checks `snapshot.select.statement.overrides`. Reports a listed table without a query, and a query
 * for a table that is not listed, because both would be ignored silently.
 */
function checkOverrides(props: Props, addError: AddError): void {
  const listed = new Set((props[OVERRIDES] ?? '').split(',').map(t => t.trim()))
  for (const table of listed) {
    if (table !== '' && !(props[`${OVERRIDES}.${table}`] ?? '').trim())
      addError(OVERRIDES, `${OVERRIDES} contains ${table}, but its query ${OVERRIDES}.${table} is not set.`)
  }
  for (const key of Object.keys(props)) {
    const table = key.startsWith(`${OVERRIDES}.`) ? key.slice(OVERRIDES.length + 1) : ''
    if (table !== '' && !listed.has(table)) addError(key, `${key} has no effect unless ${OVERRIDES} contains ${table}.`)
  }
}

function checkIdentities(text: string, addError: AddError): void {
  for (const rule of text.split(',').filter(r => r.trim() !== '')) {
    const wrong = wrongIdentity(rule)
    if (wrong)
      addError('replica.identity.autoset.values', `replica.identity.autoset.values: '${rule.trim()}' ${wrong}.`)
  }
}

/** The key for which an error is reported, by the code of the error. */
const KEY_OF: Readonly<Record<string, string>> = {
  MR_PG_CONNECT_FAILED: 'database.hostname',
  MR_PG_AUTH_FAILED: 'database.password',
  MR_PG_HBA: 'database.user',
  MR_PG_LOGIN_DENIED: 'database.user',
  MR_PG_INITIAL_STATEMENTS: 'database.initial.statements',
  MR_PG_DATABASE_MISSING: 'database.dbname',
  MR_PG_SSL: 'database.sslmode',
  MR_PG_NO_REPLICATION_PRIVILEGE: 'database.user',
  MR_PG_SLOT_WRONG: 'slot.name',
  MR_PG_SLOTS_EXHAUSTED: 'slot.name',
  MR_PG_PUBLICATION_MISSING: 'publication.name',
  MR_PG_PERMISSION_DENIED: 'publication.autocreate.mode',
  MR_PG_TOO_MANY_TABLES: 'guardrail.collections.max',
}

/** Connects and checks everything that a start needs. Reports errors for keys. Never throws. */
async function checkDatabase(
  settings: PostgresValues,
  props: Props,
  signal: AbortSignal,
  addError: AddError,
): Promise<void> {
  const options = parseOptions(settings, props)
  const timeoutMs = Number(props['connection.validation.timeout.ms'] ?? 60_000)
  const catalog = new Catalog(options, signal)
  try {
    const name = `millrace ${options.prefix} validation`
    await endClient(await openClient(options.connection, { name, timeoutMs, signal }))
    await checkServer(options, props, catalog, addError)
  } catch (error) {
    const failure = error as MillraceError
    const key = KEY_OF[failure.code] ?? 'database.hostname'
    addError(key, messageOf(error))
  } finally {
    await catalog.close()
  }
}

const FILTERS = ['table.include.list', 'schema.include.list', 'table.exclude.list', 'schema.exclude.list']

async function checkServer(
  options: PostgresOptions,
  props: Props,
  catalog: Catalog,
  addError: AddError,
): Promise<void> {
  const info = await serverInfo(catalog)
  const report = (key: string, error: MillraceError) => addError(key, error.message)
  if (info.version < 100_000) report('database.hostname', errors.create('MR_PG_UNSUPPORTED', { version: info.version }))
  const streams = options.snapshot.mode !== 'initial_only'
  if (streams) {
    if (info.walLevel !== 'logical')
      report('database.hostname', errors.create('MR_PG_WAL_LEVEL', { level: info.walLevel }))
    if (!info.canReplicate)
      report('database.user', errors.create('MR_PG_NO_REPLICATION_PRIVILEGE', { user: options.connection.user }))
    await checkSlot(options, catalog, report)
    await checkPublication(options, catalog, report)
  }
  const captured = await catalog.tables()
  const { name, viaRoot } = options.publication
  const found = streams ? await publicationOf(catalog, name) : null
  const publication = found ?? publicationFor(true, viaRoot, captured)
  const tables = snapshotTables(captured, publication)
  const filters = FILTERS.filter(k => (props[k] ?? '').trim() !== '')
  const key = filters[0] ?? 'table.include.list'
  const { roots, partitions } = streams ? unseen(captured, publication) : { roots: [], partitions: [] }
  if (roots.length > 0) report(key, errors.create('MR_PG_PARTITIONS_LEFT_OUT', { tables: shownNames(roots) }))
  if (partitions.length > 0)
    report(key, errors.create('MR_PG_ROOT_LEFT_OUT', { tables: shownNames(partitions), publication: name }))
  if (tables.length === 0 && filters.length > 0 && roots.length + partitions.length === 0) {
    const { database } = options.connection
    const shown = filters.map(k => `${k}=${props[k]}`).join(', ')
    const others = await catalog.otherRelations()
    const cause = others.length === 0 ? shown : `${shown}; these match but are not tables: ${shownNames(others)}`
    report(key, errors.create('MR_PG_NO_TABLES', { database, filters: cause }))
  }
  const { max, fail } = options.guardrail
  if (fail && max > 0 && tables.length > max)
    report('guardrail.collections.max', errors.create('MR_PG_TOO_MANY_TABLES', { count: tables.length, max }))
}

async function checkSlot(
  options: PostgresOptions,
  catalog: Catalog,
  report: (key: string, error: MillraceError) => void,
): Promise<void> {
  const slot = options.slot.name
  const state = await slotState(catalog, slot)
  const wrong = state && wrongSlot(options, state)
  if (wrong) report('slot.name', wrong)
  if (state) return
  const [row] = await catalog.rows(
    "select (count(*) >= current_setting('max_replication_slots')::int)::text as full from pg_catalog.pg_replication_slots",
  )
  if (row?.['full'] === 'true')
    report('slot.name', errors.create('MR_PG_SLOTS_EXHAUSTED', { cause: 'all max_replication_slots are in use' }))
}

async function checkPublication(
  options: PostgresOptions,
  catalog: Catalog,
  report: (key: string, error: MillraceError) => void,
): Promise<void> {
  const { name, autocreate } = options.publication
  const [row] = await catalog.rows(
    `select exists (select from pg_catalog.pg_publication where pubname = $1)::text as found,
            (select rolsuper::text from pg_catalog.pg_roles where rolname = current_user) as super`,
    [name],
  )
  if (row?.['found'] === 'true') return
  if (autocreate === 'disabled')
    report('publication.name', errors.create('MR_PG_PUBLICATION_MISSING', { publication: name }))
  if (autocreate === 'all_tables' && row?.['super'] !== 'true') {
    const what = `creating publication ${name} FOR ALL TABLES`
    const cause = `user ${options.connection.user} is not a superuser. Set publication.autocreate.mode=filtered (the user must own the tables), or create the publication before the start`
    report('publication.autocreate.mode', errors.create('MR_PG_PERMISSION_DENIED', { what, cause }))
  }
}

/** Checks the keys together and then, if they are valid, the database. */
export async function validate(settings: PostgresValues, context: ValidateContext): Promise<void> {
  const { configs, values, signal, addError } = context
  checkTogether(configs, addError)
  if (values.every(v => v.errors.length === 0)) await checkDatabase(settings, configs, signal, addError)
}
