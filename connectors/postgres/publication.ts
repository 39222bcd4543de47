import { type Logger, MillraceError, messageOf } from 'millrace/connect'
import { qualified } from '../cdc/index.ts'
import type { Catalog } from './catalog/catalog.ts'
import { quoted, quotedTable, type TableEntry } from './catalog/tables.ts'
import { codeOf } from './client/failure.ts'
import { errors } from './errors.ts'
import type { PostgresOptions } from './options.ts'
import { isPublished, type Publication, publicationFor, publicationOf, unseen } from './published.ts'
import { denied } from './server.ts'

/** The first server version that can publish partitioned tables. */
const ROOTS_SINCE = 130_000
/**
 * The longest wait for the lock of a table that is added while the connector streams, in
 * milliseconds.
 */
const LOCK_MS = 500
/** The largest number of names in one log line. */
const SHOWN = 20

export const shownNames = (names: readonly string[]): string =>
  `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`

export interface PublicationContext {
  readonly catalog: Catalog
  readonly options: PostgresOptions
  readonly logger: Logger
  readonly serverVersion: number
  /** Whether the server is a standby, on which nothing can be created or changed. */
  readonly readOnly: boolean
  /**
   * Called for each table that cannot be added. The other tables are added. If null, a table that
   * cannot be added is an error.
   */
  readonly cannotAdd: ((failure: MillraceError) => void) | null
}

/**
 * Returns the publication on the server, and creates it if it does not exist. With
 * `publication.autocreate.mode=filtered`, also adds captured tables that are missing, and never
 * removes tables that others added. Does not change the settings of an existing publication. Throws
 * MR_PG_PUBLICATION_MISSING or MR_PG_PERMISSION_DENIED.
 */
export async function ensurePublication(
  context: PublicationContext,
  tables: readonly TableEntry[],
): Promise<Publication> {
  const { catalog, options } = context
  const { name, autocreate } = options.publication
  const found = await publicationOf(catalog, name)
  const publication = found ?? (await createOrFind(context, tables))
  const missing = tables.filter(t => canBeAdded(context, t) && !isPublished(publication, t))
  if (missing.length > 0 && autocreate === 'filtered' && !context.readOnly) {
    await add(context, missing)
    return (await publicationOf(catalog, name)) ?? publication
  }
  return publication
}

const canBeAdded = ({ serverVersion }: PublicationContext, t: TableEntry): boolean =>
  t.isLogged && (t.kind === 'r' || serverVersion >= ROOTS_SINCE)

async function add(context: PublicationContext, missing: readonly TableEntry[]): Promise<void> {
  const { options, logger, cannotAdd } = context
  const names = shownNames(missing.map(qualified))
  try {
    await alter(context, missing, names)
    logger.info(`added captured tables to publication ${options.publication.name}: ${names}`)
  } catch (error) {
    if (cannotAdd === null || !(error instanceof MillraceError)) throw error
    if (error.retriable && error.code !== 'MR_PG_CANCELED') throw error
    if (missing.length === 1) cannotAdd(error)
    else for (const table of missing) await add(context, [table])
  }
}

async function alter(
  { catalog, options, cannotAdd }: PublicationContext,
  missing: readonly TableEntry[],
  names: string,
): Promise<void> {
  const { name } = options.publication
  const what = `adding ${names} to publication ${name} (only the owner of both may do so)`
  // the wait for the lock is limited, because the stream is not read in the meantime
  const limit = cannotAdd === null ? '' : `SET LOCAL lock_timeout = ${LOCK_MS}; `
  const list = missing.map(quotedTable).join(', ')
  try {
    await denied(what, catalog.rows(`${limit}ALTER PUBLICATION ${quoted(name)} ADD TABLE ${list}`))
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'MR_PG_CANCELED') throw error
    throw errors.create('MR_PG_CANCELED', { what, cause: messageOf(error.cause) }, { cause: error.cause })
  }
}

/**
 * The SQLSTATEs duplicate_object and unique_violation: another connection has just created the
 * publication.
 */
const EXISTS = /^(42710|23505)$/

/**
 * Creates the publication. Returns the existing one if another connector creates it at the same
 * moment.
 */
async function createOrFind(context: PublicationContext, tables: readonly TableEntry[]): Promise<Publication> {
  try {
    return await create(context, tables)
  } catch (error) {
    const found = EXISTS.test(codeOf((error as Error).cause))
      ? await publicationOf(context.catalog, context.options.publication.name)
      : null
    if (found === null) throw error
    return found
  }
}

async function create(context: PublicationContext, tables: readonly TableEntry[]): Promise<Publication> {
  const { catalog, options, logger, readOnly } = context
  const { name, autocreate, viaRoot } = options.publication
  if (autocreate === 'disabled' || readOnly) throw errors.create('MR_PG_PUBLICATION_MISSING', { publication: name })
  const own = autocreate === 'filtered' ? tables.filter(t => canBeAdded(context, t)) : []
  const list = own.map(quotedTable).join(', ')
  const scope = autocreate === 'all_tables' ? ' FOR ALL TABLES' : list ? ` FOR TABLE ${list}` : ''
  const root = viaRoot ? ' WITH (publish_via_partition_root = true)' : ''
  logger.info(
    `creating publication ${name}${own.length > 0 ? ` for ${shownNames(own.map(qualified))}` : scope}${viaRoot ? ', with changes to partitions under the name of their partitioned table' : ''}`,
  )
  await denied(
    `creating publication ${name} (FOR ALL TABLES needs a superuser; publication.autocreate.mode=filtered needs the owner of the tables, with CREATE on the database)`,
    catalog.rows(`CREATE PUBLICATION ${quoted(name)}${scope}${root}`),
  )
  return publicationFor(autocreate === 'all_tables', viaRoot, own)
}

/** The letters of operations in `skipped.operations`. */
const LETTERS: Readonly<Record<string, string>> = { insert: 'c', update: 'u', delete: 'd', truncate: 't' }

/**
 * Returns a warning for each reason why changes to captured tables are not published as configured.
 */
export function publicationWarnings(
  options: PostgresOptions,
  tables: readonly TableEntry[],
  publication: Publication,
): string[] {
  const { name, viaRoot } = options.publication
  const out: string[] = []
  const without = publication.without.filter(what => !options.skipped.has(LETTERS[what]!))
  if (without.length > 0)
    out.push(
      `publication ${name} does not publish ${without.join(', ')}: such changes are not captured. To publish them, run ALTER PUBLICATION ... SET (publish = 'insert, update, delete, truncate')`,
    )
  if (viaRoot && !publication.viaRoot)
    out.push(
      `publication ${name} was created without publish_via_partition_root: changes to partitions are published under their own names, regardless of publish.via.partition.root`,
    )
  const missing = tables.filter(t => t.isLogged && t.kind === 'r' && !isPublished(publication, t)).map(qualified)
  if (missing.length > 0)
    out.push(
      `changes to ${missing.length} captured tables are not captured because publication ${name} does not contain them: ${shownNames(missing)}`,
    )
  const unlogged = tables.filter(t => !t.isLogged).map(qualified)
  if (unlogged.length > 0)
    out.push(`unlogged tables are included in snapshots, but their changes are not captured: ${shownNames(unlogged)}`)
  const { roots, partitions } = unseen(tables, publication)
  if (roots.length > 0)
    out.push(
      `changes to these tables are published under the names of their partitions, which the configuration excludes: ${shownNames(roots)}`,
    )
  if (partitions.length > 0)
    out.push(
      `changes to these partitions are published under the name of their partitioned table, which the configuration excludes: ${shownNames(partitions)}`,
    )
  for (const t of tables) {
    const limits = publication.tables.get(t.oid)
    if (limits?.columns) out.push(`publication ${name} publishes only the columns ${limits.columns} of ${qualified(t)}`)
    if (limits?.rows)
      out.push(`publication ${name} publishes only changes to rows of ${qualified(t)} where ${limits.rows}`)
  }
  return out
}

/**
 * Selects published tables without a replica identity, because the server rejects every UPDATE and
 * DELETE of such a table.
 */
const NO_IDENTITY = `
  select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name
    from pg_catalog.pg_publication_tables p
    join pg_catalog.pg_namespace n on n.nspname = p.schemaname
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
   where p.pubname = $1 and c.relkind = 'r'
     and (c.relreplident = 'n' or c.relreplident = 'd' and not exists (
           select from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisprimary))
   order by 1`

export async function identityWarnings(catalog: Catalog, name: string, publication: Publication): Promise<string[]> {
  if (publication.without.includes('update') && publication.without.includes('delete')) return []
  const names = (await catalog.rows(NO_IDENTITY, [name])).map(r => r['name']!)
  if (names.length === 0) return []
  return [
    `the server rejects every UPDATE and DELETE of these tables because they are in publication ${name} and have neither a primary key nor another replica identity: ${shownNames(names)}. Set one: ALTER TABLE ... REPLICA IDENTITY FULL, or replica.identity.autoset.values`,
  ]
}
