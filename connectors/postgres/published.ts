import { qualified } from '../cdc/index.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { TableEntry } from './catalog/tables.ts'

/** The columns and rows to which a publication restricts a table; null without a restriction. */
export interface Limits {
  readonly columns: readonly string[] | null
  readonly rows: string | null
}

/** A publication on the server. */
export interface Publication {
  readonly allTables: boolean
  /** Whether changes to partitions are published under the name of their partitioned table. */
  readonly viaRoot: boolean
  /** The operations that the publication excludes: insert, update, delete or truncate. */
  readonly without: readonly string[]
  /** The tables that the publication lists individually, with their restrictions, by OID. */
  readonly tables: ReadonlyMap<number, Limits>
  /** The schemas whose tables are all in the publication. */
  readonly schemas: ReadonlySet<string>
}

const OPERATIONS = ['insert', 'update', 'delete', 'truncate']

// with to_jsonb, columns that older servers do not have are null
const MEMBERS = `
  select r.prrelid::text as oid,
         case when to_jsonb(r)->>'prqual' is not null then coalesce((
           select to_jsonb(t)->>'rowfilter' from pg_catalog.pg_publication_tables t
            where t.pubname = $2 and t.schemaname = n.nspname and t.tablename = c.relname), 'its condition is true') end as rows,
         (select json_agg(a.attname order by a.attnum)::text from pg_catalog.pg_attribute a
           where a.attrelid = r.prrelid
             and a.attnum::text = any (regexp_split_to_array(btrim(to_jsonb(r)->>'prattrs', '[]'), '[, ]+'))) as columns
    from pg_catalog.pg_publication_rel r join pg_catalog.pg_class c on c.oid = r.prrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where r.prpubid = $1`

const SCHEMAS = `
  select n.nspname::text as schema from pg_catalog.pg_publication_namespace s
    join pg_catalog.pg_namespace n on n.oid = s.pnnspid where s.pnpubid = $1`

/** Returns a publication; null if it does not exist. */
export async function publicationOf(catalog: Catalog, name: string): Promise<Publication | null> {
  const [row] = await catalog.rows(
    `select p.oid::text as oid, to_jsonb(p)::text as publication,
            pg_catalog.to_regclass('pg_catalog.pg_publication_namespace')::text as schemas
       from pg_catalog.pg_publication p where pubname = $1`,
    [name],
  )
  if (!row) return null
  const p = JSON.parse(row['publication'] ?? '{}') as Record<string, boolean | undefined>
  const members = await catalog.rows(MEMBERS, [row['oid'], name])
  const schemas = row['schemas'] === null ? [] : await catalog.rows(SCHEMAS, [row['oid']])
  const limitsOf = (m: Record<string, string | null>): Limits => ({
    columns: m['columns'] ? (JSON.parse(m['columns']) as string[]) : null,
    rows: m['rows'] ?? null,
  })
  return {
    allTables: p['puballtables'] === true,
    viaRoot: p['pubviaroot'] === true,
    without: OPERATIONS.filter(what => p[`pub${what}`] === false),
    tables: new Map(members.map(m => [Number(m['oid']), limitsOf(m)])),
    schemas: new Set(schemas.map(s => s['schema']!)),
  }
}

/** Returns the publication that the connector would create for the captured tables. */
export const publicationFor = (allTables: boolean, viaRoot: boolean, tables: readonly TableEntry[]): Publication => ({
  allTables,
  viaRoot,
  without: [],
  tables: new Map(tables.map(t => [t.oid, { columns: null, rows: null }])),
  schemas: new Set(),
})

type TableId = { readonly oid: number; readonly schema: string }

const contains = (p: Publication, t: TableId): boolean => p.allTables || p.tables.has(t.oid) || p.schemas.has(t.schema)

/** Whether changes to a table are published, directly or through its partitioned table. */
export const isPublished = (p: Publication, t: TableEntry): boolean =>
  t.isLogged && (contains(p, t) || t.ancestors.some(a => contains(p, a)))

/** Whether changes to a table are published under the name of its partitioned table. */
const isPublishedAsRoot = (p: Publication, t: TableEntry): boolean => p.viaRoot && t.ancestors.some(a => contains(p, a))

/**
 * Returns a function that tells whether a table is a partitioned table without captured partitions.
 */
function withoutCapturedPartitions(tables: readonly TableEntry[]): (t: TableEntry) => boolean {
  const withPartitions = new Set(tables.flatMap(t => t.ancestors.map(a => a.oid)))
  return t => t.kind === 'p' && !withPartitions.has(t.oid)
}

/**
 * Returns the tables that a snapshot reads. If changes to partitions are published under the name
 * of their partitioned table, the snapshot reads that table instead of the partitions. Otherwise,
 * it reads the partitions. A partitioned table is then read only if none of its partitions is
 * captured. Tables whose changes are not published, such as unlogged tables, are also read.
 */
export function snapshotTables(tables: readonly TableEntry[], p: Publication): TableEntry[] {
  const hasNoneCaptured = withoutCapturedPartitions(tables)
  const isRead = (t: TableEntry) => t.kind !== 'p' || hasNoneCaptured(t) || (p.viaRoot && contains(p, t))
  return tables.filter(t => isRead(t) && !isPublishedAsRoot(p, t))
}

/**
 * Returns the captured tables whose changes are published under names that the configuration
 * excludes.
 */
export function unseen(tables: readonly TableEntry[], p: Publication): { roots: string[]; partitions: string[] } {
  const captured = new Set(tables.map(t => t.oid))
  const hasNoneCaptured = withoutCapturedPartitions(tables)
  return {
    roots: tables.filter(t => hasNoneCaptured(t) && t.hasPartitions && !p.viaRoot).map(qualified),
    partitions: tables
      .filter(t => isPublishedAsRoot(p, t) && !t.ancestors.some(a => contains(p, a) && captured.has(a.oid)))
      .map(qualified),
  }
}
