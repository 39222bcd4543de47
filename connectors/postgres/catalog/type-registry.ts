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
  readonly delimiter: string
  readonly notNull: boolean
  readonly labels: string[] | null
}

/** A row of the result of QUERY. All values are text. */
type Answer = Omit<TypeRow, 'labels' | 'notNull'> & { readonly labels: string | null; readonly not_null: string }

const QUERY = `
  select t.oid::text as oid, t.typname::text as name, n.nspname::text as schema, t.typtype::text as kind,
         t.typcategory::text as category, t.typelem::text as element, t.typbasetype::text as base, t.typtypmod::text as typmod,
         t.typdelim::text as delimiter, t.typnotnull::text as not_null,
         case when t.typtype = 'e' then
           (select coalesce(json_agg(e.enumlabel order by e.enumsortorder), '[]') from pg_catalog.pg_enum e
             where e.enumtypid = t.oid) end as labels
    from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
   where t.oid = any($1::oid[])`

/** Types with a lower OID are built in and do not change. */
const FIRST_USER_OID = 16_384

/** The types of the database, by OID. A type is read when it is first needed. */
export class TypeRegistry {
  readonly #client: pg.Client
  readonly #rows = new Map<number, TypeRow>()

  constructor(client: pg.Client) {
    this.#client = client
  }

  /**
   * Reads the types that were not read before. Also reads the element types of arrays and the base
   * types of domains.
   */
  load(oids: Iterable<number>): Promise<void> {
    return this.#read(oids, oid => !this.#rows.has(oid))
  }

  /**
   * Reads user-defined types again, because ALTER TYPE or ALTER DOMAIN may have changed them. A
   * type that was dropped keeps its last definition.
   */
  refresh(oids: Iterable<number>): Promise<void> {
    return this.#read(oids, oid => oid >= FIRST_USER_OID || !this.#rows.has(oid))
  }

  async #read(oids: Iterable<number>, wanted: (oid: number) => boolean): Promise<void> {
    const asked = new Set<number>([0])
    const select = (list: Iterable<number>) => [...new Set(list)].filter(oid => !asked.has(oid) && wanted(oid))
    for (let next = select(oids); next.length > 0; ) {
      for (const oid of next) asked.add(oid)
      const { rows } = await this.#client.query<Answer>(QUERY, [next])
      for (const row of rows) {
        this.#rows.set(Number(row.oid), {
          ...row,
          notNull: row.not_null === 'true',
          labels: row.labels === null ? null : (JSON.parse(row.labels) as string[]),
        })
      }
      next = select(rows.flatMap(row => [Number(row.element), Number(row.base)]))
    }
  }

  /** Whether a type is a NOT NULL domain. */
  isNotNull(oid: number): boolean {
    return this.#rows.get(oid)?.notNull ?? false
  }

  /** Returns the type with an OID and a modifier; null if the database does not have the type. */
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
      delimiter: row.delimiter,
    }
  }

  /**
   * Returns the declared name of a type. For a domain, this is the domain's name, not that of its
   * base type.
   */
  nameOf(oid: number): string {
    return this.#rows.get(oid)?.name ?? 'unknown'
  }
}
