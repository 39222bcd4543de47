import type { Logger } from '../../core/connect/index.ts'
import { qualified } from '../cdc/index.ts'
import type { Catalog } from './catalog/catalog.ts'
import { quoted, quotedTable, type TableEntry } from './catalog/tables.ts'
import { errors } from './errors.ts'
import type { PostgresOptions } from './options.ts'
import { denied, snapshotTables } from './server.ts'

/** A publication as the server has it. */
export interface Publication {
  readonly allTables: boolean
  /** Whether changes of partitions come as those of the table over them. */
  readonly viaRoot: boolean
  /** Of insert, update, delete and truncate, those that are left out. */
  readonly without: readonly string[]
}

/** Null where there is none of this name. */
export async function publicationOf(catalog: Catalog, name: string): Promise<Publication | null> {
  // columns that older servers do not have come as null by way of JSON
  const [row] = await catalog.rows(
    'select to_jsonb(p)::text as publication from pg_catalog.pg_publication p where pubname = $1',
    [name],
  )
  if (!row) return null
  const p = JSON.parse(row['publication'] ?? '{}') as Record<string, boolean | undefined>
  return {
    allTables: p['puballtables'] === true,
    viaRoot: p['pubviaroot'] === true,
    without: ['insert', 'update', 'delete', 'truncate'].filter(what => p[`pub${what}`] === false),
  }
}

async function publishedTables(catalog: Catalog, name: string): Promise<Set<string>> {
  const rows = await catalog.rows(
    'select schemaname as schema, tablename as table from pg_catalog.pg_publication_tables where pubname = $1',
    [name],
  )
  return new Set(rows.map(p => `${p['schema']}.${p['table']}`))
}

/** How many names a line of the log shows. */
const SHOWN = 20

/**
 * Sees to it that the publication is there, and gives it as it is: one that was made by others counts, whatever the configuration
 * says that a new one would be. Throws MR_PG_PUBLICATION_MISSING or MR_PG_PERMISSION_DENIED.
 */
export async function ensurePublication(
  catalog: Catalog,
  options: PostgresOptions,
  tables: readonly TableEntry[],
  logger: Logger,
): Promise<Publication> {
  const { name, autocreate, viaRoot } = options.publication
  const found = await publicationOf(catalog, name)
  if (found === null) {
    await create(catalog, options, snapshotTables(tables, viaRoot), logger)
    return { allTables: autocreate === 'all_tables', viaRoot, without: [] }
  }
  if (viaRoot && !found.viaRoot)
    logger.warn(
      `publication ${name} was made without publish_via_partition_root: changes of partitions come under their own names, whatever publish.via.partition.root says`,
    )
  if (found.without.length > 0) logger.warn(`publication ${name} leaves out every ${found.without.join(', ')}`)
  if (found.allTables) return found
  const own = snapshotTables(tables, found.viaRoot)
  const published = await publishedTables(catalog, name)
  if (autocreate === 'filtered') {
    if (own.length === 0 || (own.length === published.size && own.every(t => published.has(qualified(t))))) return found
    const list = own.map(quotedTable).join(', ')
    logger.info(`publication ${name} gets the tables of the configuration: ${list}`)
    await denied(`changing publication ${name}`, catalog.rows(`ALTER PUBLICATION ${quoted(name)} SET TABLE ${list}`))
    return found
  }
  const missing = own.map(qualified).filter(t => !published.has(t))
  if (missing.length > 0)
    logger.warn(
      `changes of ${missing.length} captured tables never come, since publication ${name} does not hold them: ${missing.slice(0, SHOWN).join(', ')}`,
    )
  return found
}

async function create(
  catalog: Catalog,
  options: PostgresOptions,
  own: readonly TableEntry[],
  logger: Logger,
): Promise<void> {
  const { name, autocreate, viaRoot } = options.publication
  if (autocreate === 'disabled') throw errors.create('MR_PG_PUBLICATION_MISSING', { publication: name })
  const list = own.map(quotedTable).join(', ')
  const scope =
    autocreate === 'all_tables' ? ' FOR ALL TABLES' : autocreate === 'filtered' && list ? ` FOR TABLE ${list}` : ''
  const root = viaRoot ? ' WITH (publish_via_partition_root = true)' : ''
  logger.info(`making publication ${name}${scope}`)
  await denied(
    `making publication ${name} (FOR ALL TABLES needs a superuser; publication.autocreate.mode=filtered the tables' owner)`,
    catalog.rows(`CREATE PUBLICATION ${quoted(name)}${scope}${root}`),
  )
}
