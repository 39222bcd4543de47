import type pg from 'pg'
import type { Selection, TableName } from '../../cdc/index.ts'

/** A table in the list of captured tables. */
export interface TableEntry extends TableName {
  readonly oid: number
  /** `r` for a table, `p` for a partitioned table. */
  readonly kind: string
  readonly isPartition: boolean
  /** The partitioned tables above this table, the nearest first. */
  readonly ancestors: readonly { readonly oid: number; readonly schema: string }[]
  readonly hasPartitions: boolean
  /** Whether changes to the table are in the WAL; false for an unlogged table. */
  readonly isLogged: boolean
  /** REPLICA IDENTITY: `d`efault, `f`ull, `i`ndex, `n`othing. */
  readonly identity: string
  /** The name of the index if `identity` is `i`; otherwise null. */
  readonly identityIndex: string | null
  /** The planner's estimates of the number of rows and pages. */
  readonly rows: number
  readonly pages: number
}

/** A column in the catalog. */
export interface CatalogColumn {
  readonly name: string
  readonly number: number
  readonly typeOid: number
  readonly typmod: number
  readonly notNull: boolean
  /** The expression of the column's default, as `pg_get_expr` prints it. */
  readonly defaultExpression: string | null
  readonly comment: string | null
}

/** A table's structure. */
export interface CatalogTable extends TableName {
  readonly oid: number
  readonly columns: readonly CatalogColumn[]
  /**
   * The columns of the primary key, in the order of the key. Without a primary key, those of the
   * first unique index. Empty if the table has neither.
   */
  readonly key: readonly string[]
  /** Whether `key` is the primary key. */
  readonly isPrimary: boolean
  /**
   * The correlation (pg_stats) between the order of the rows on disk and the first key column, from
   * -1 to 1; null if unknown.
   */
  readonly keyCorrelation: number | null
}

const LIST = `
  select c.oid::text as oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
         c.relispartition as partition, c.relpersistence::text as persistence,
         c.relkind = 'p' and exists (select from pg_catalog.pg_inherits i where i.inhparent = c.oid) as parent, c.relreplident::text as identity,
         (select x.relname::text from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
           where c.relreplident = 'i' and i.indrelid = c.oid and i.indisreplident) as identity_index,
         c.reltuples::text as rows, c.relpages::text as pages,
         case when c.relispartition then (
           with recursive up(oid, depth) as (
             select inhparent, 1 from pg_catalog.pg_inherits where inhrelid = c.oid
             union all
             select i.inhparent, depth + 1 from up join pg_catalog.pg_inherits i on i.inhrelid = up.oid)
           select json_agg(json_build_object('oid', up.oid::bigint, 'schema', m.nspname) order by depth)::text
             from up join pg_catalog.pg_class k on k.oid = up.oid join pg_catalog.pg_namespace m on m.oid = k.relnamespace)
         end as ancestors
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and c.relpersistence in ('p', 'u') and n.nspname !~ '^pg_(toast|temp)'`

/** Returns all tables of the database that a selection captures. */
export async function listTables(client: pg.Client, selection: Selection): Promise<TableEntry[]> {
  const { rows } = await client.query<Record<string, string | null>>(LIST)
  return rows
    .map(r => ({
      oid: Number(r['oid']),
      schema: r['schema']!,
      table: r['name']!,
      kind: r['kind']!,
      isPartition: r['partition'] === 't',
      ancestors: JSON.parse(r['ancestors'] ?? '[]') as TableEntry['ancestors'],
      hasPartitions: r['parent'] === 't',
      isLogged: r['persistence'] === 'p',
      identity: r['identity']!,
      identityIndex: r['identity_index'] ?? null,
      rows: Number(r['rows']),
      pages: Number(r['pages']),
    }))
    .filter(t => selection.hasTable(t))
}

const OTHERS = `
  select n.nspname::text as schema, c.relname::text as name,
         case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'foreign table' end as kind
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('v', 'm', 'f') order by 1, 2`

/** Returns the selected relations that are not tables, as text such as `schema.name (view)`. */
export async function listOthers(client: pg.Client, selection: Selection): Promise<string[]> {
  const { rows } = await client.query<{ schema: string; name: string; kind: string }>(OTHERS)
  return rows
    .filter(r => selection.hasTable({ schema: r.schema, table: r.name }))
    .map(r => `${r.schema}.${r.name} (${r.kind})`)
}

const TABLES = `
  select c.oid::text as oid, n.nspname::text as schema, c.relname::text as name,
         (select json_agg(json_build_object('name', a.attname, 'number', a.attnum, 'typeOid', a.atttypid::bigint, 'typmod', a.atttypmod,
                   'notNull', a.attnotnull, 'defaultExpression', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
                   'comment', pg_catalog.col_description(a.attrelid, a.attnum)) order by a.attnum)
            from pg_catalog.pg_attribute a left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
           where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
         (select json_agg(json_build_object('primary', i.indisprimary, 'columns',
                   (select json_agg(a.attname order by k.at) from unnest(i.indkey::int2[]) with ordinality k(num, at)
                      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
                     where k.at <= coalesce((to_jsonb(i)->>'indnkeyatts')::int, i.indnatts))) order by i.indisprimary desc, x.relname)
            from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
           where i.indrelid = c.oid and (i.indisprimary or (i.indisunique and i.indisvalid and i.indexprs is null))) as keys
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.oid = any($1::oid[])`

const CORRELATION = `select s.correlation::text as correlation from pg_catalog.pg_stats s
   where s.schemaname = $1 and s.tablename = $2 and s.attname = $3 and not s.inherited`

interface TableRow {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly columns: string | null
  readonly keys: string | null
}

/** Returns the structure of tables, by OID. Dropped tables are omitted. */
export async function readTables(client: pg.Client, oids: readonly number[]): Promise<Map<number, CatalogTable>> {
  const { rows } = await client.query<TableRow>(TABLES, [oids])
  const out = new Map<number, CatalogTable>()
  for (const r of rows) {
    const columns = JSON.parse(r.columns ?? '[]') as CatalogColumn[]
    const keys = JSON.parse(r.keys ?? '[]') as { primary: boolean; columns: string[] }[]
    const key = keys[0] ?? null
    const table = { oid: Number(r.oid), schema: r.schema, table: r.name, columns, keyCorrelation: null }
    out.set(table.oid, { ...table, key: key?.columns ?? [], isPrimary: key?.primary ?? false })
  }
  return out
}

/**
 * Returns the correlation between the order of a table's rows on disk and a column; null without
 * statistics.
 */
export async function correlationOf(client: pg.Client, table: TableName, column: string): Promise<number | null> {
  const { rows } = await client.query<{ correlation: string | null }>(CORRELATION, [table.schema, table.table, column])
  const value = rows[0]?.correlation
  return value === undefined || value === null ? null : Number(value)
}

/** Returns an identifier in double quotes, for SQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const quotedTable = (t: TableName): string => `${quoted(t.schema)}.${quoted(t.table)}`
/** Returns a string literal, for SQL. */
export const literal = (value: string): string =>
  value.includes('\\')
    ? ` E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${value.replaceAll("'", "''")}'`
