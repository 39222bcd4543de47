import type pg from 'pg'
import type { ColumnType } from '../types/codec-for.ts'

interface TypeRow {
  readonly oid: string
  readonly name: string
  readonly schema: string
  readonly kind: string
  readonly category: string
  readonly element: string
  readonly base: string
  readonly typmod: string
  readonly labels: string[] | null
}

const QUERY = `
  select t.oid::text as oid, t.typname::text as name, n.nspname::text as schema, t.typtype::text as kind,
         t.typcategory::text as category, t.typelem::text as element, t.typbasetype::text as base, t.typtypmod::text as typmod,
         case when t.typtype = 'e' then
           (select json_agg(e.enumlabel order by e.enumsortorder) from pg_catalog.pg_enum e where e.enumtypid = t.oid) end as labels
    from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
   where t.oid = any($1::oid[])`

/** Types of the database by OID, read when they are first met. */
export class TypeRegistry {
  readonly #client: pg.Client
  readonly #rows = new Map<number, TypeRow>()

  constructor(client: pg.Client) {
    this.#client = client
  }

  /** Reads the types that are not known yet, with their elements and what domains rest on. */
  async load(oids: Iterable<number>): Promise<void> {
    let missing = [...new Set(oids)].filter(oid => oid !== 0 && !this.#rows.has(oid))
    while (missing.length > 0) {
      const { rows } = await this.#client.query<Omit<TypeRow, 'labels'> & { labels: string | null }>(QUERY, [missing])
      const next: number[] = []
      for (const row of rows) {
        this.#rows.set(Number(row.oid), {
          ...row,
          labels: row.labels === null ? null : (JSON.parse(row.labels) as string[]),
        })
        next.push(Number(row.element), Number(row.base))
      }
      missing = [...new Set(next)].filter(oid => oid !== 0 && !this.#rows.has(oid))
    }
  }

  /** Forgets types, so that the next `load` reads them anew (ALTER TYPE ... ADD VALUE). */
  forget(oids: Iterable<number>): void {
    for (const oid of oids) {
      const row = this.#rows.get(oid)
      this.#rows.delete(oid)
      if (row?.category === 'A') this.#rows.delete(Number(row.element))
    }
  }

  /** A loaded type with a modifier; null for one that the database does not have (any more). */
  resolve(oid: number, typmod: number, domain = false): ColumnType | null {
    const row = this.#rows.get(oid)
    if (!row) return null
    if (row.kind === 'd') {
      const own = Number(row.typmod)
      return this.resolve(Number(row.base), own >= 0 ? own : typmod, true)
    }
    const isArray = row.category === 'A' && row.element !== '0'
    const element = isArray ? this.resolve(Number(row.element), typmod) : null
    if (isArray && element === null) return null
    return {
      oid,
      name: row.name,
      builtin: row.schema === 'pg_catalog',
      labels: row.labels,
      element,
      typmod,
      domain,
    }
  }

  /** The name of a type as it is declared: that of the domain, not of what it rests on. */
  nameOf(oid: number): string {
    return this.#rows.get(oid)?.name ?? 'unknown'
  }
}
