import { compileList, matchesAny } from './patterns.ts'
import { qualified, type TableName } from './topic-naming.ts'

export interface SelectionLists {
  readonly tableInclude: string | null
  readonly tableExclude: string | null
  readonly schemaInclude: string | null
  readonly schemaExclude: string | null
  readonly columnInclude: string | null
  readonly columnExclude: string | null
}

/**
 * Selects the captured tables and columns by the include and exclude lists. An include list and its
 * exclude list cannot both be set.
 */
export class Selection {
  readonly #tableInclude: RegExp[] | null
  readonly #tableExclude: RegExp[] | null
  readonly #schemaInclude: RegExp[] | null
  readonly #schemaExclude: RegExp[] | null
  readonly #columnInclude: RegExp[] | null
  readonly #columnExclude: RegExp[] | null
  readonly #builtin: ((name: TableName) => boolean) | null

  /**
   * `builtin` returns whether a table is a system table. System tables are not captured. If
   * `builtin` is null, they are captured too.
   */
  constructor(lists: SelectionLists, builtin: ((name: TableName) => boolean) | null) {
    this.#tableInclude = compileList(lists.tableInclude)
    this.#tableExclude = compileList(lists.tableExclude)
    this.#schemaInclude = compileList(lists.schemaInclude)
    this.#schemaExclude = compileList(lists.schemaExclude)
    this.#columnInclude = compileList(lists.columnInclude)
    this.#columnExclude = compileList(lists.columnExclude)
    this.#builtin = builtin
  }

  hasTable(name: TableName): boolean {
    if (this.#builtin?.(name)) return false
    if (this.#schemaInclude && !matchesAny(this.#schemaInclude, name.schema)) return false
    if (this.#schemaExclude && matchesAny(this.#schemaExclude, name.schema)) return false
    const id = qualified(name)
    if (this.#tableInclude && !matchesAny(this.#tableInclude, id)) return false
    return !(this.#tableExclude && matchesAny(this.#tableExclude, id))
  }

  hasColumn(name: TableName, column: string): boolean {
    if (!this.#columnInclude && !this.#columnExclude) return true
    const id = `${qualified(name)}.${column}`
    if (this.#columnInclude && !matchesAny(this.#columnInclude, id)) return false
    return !(this.#columnExclude && matchesAny(this.#columnExclude, id))
  }

  /** Sorts tables for a snapshot: in the order of `table.include.list`, then by name. */
  sortTables<T extends TableName>(tables: readonly T[]): T[] {
    const rank = (t: T) => {
      const at = this.#tableInclude?.findIndex(p => p.test(qualified(t))) ?? 0
      return at < 0 ? Number.MAX_SAFE_INTEGER : at
    }
    const keyed = tables.map(t => ({ t, rank: rank(t), name: qualified(t) }))
    keyed.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    return keyed.map(k => k.t)
  }
}
