import type { Catalog, Relation } from '../catalog/catalog.ts'
import { errors } from '../errors.ts'
import type { PostgresOptions } from '../options.ts'
import type { ShapeCache } from '../shape-cache.ts'
import type { TableShape } from '../table-shape.ts'

interface Known {
  readonly shape: TableShape
  readonly relation: Relation
}

/**
 * The shapes of a stream's tables, by OID. The relation messages of the stream describe the tables.
 */
export class RelationShapes {
  readonly #options: PostgresOptions
  readonly #catalog: Catalog
  readonly #shapes: ShapeCache
  /**
   * The shapes and relations that are known, by OID; null for a table that the configuration
   * excludes.
   */
  readonly #byOid = new Map<number, Known | null>()

  constructor(context: {
    readonly options: PostgresOptions
    readonly catalog: Catalog
    readonly shapes: ShapeCache
  }) {
    this.#options = context.options
    this.#catalog = context.catalog
    this.#shapes = context.shapes
  }

  async describe(relation: Relation, txId: number): Promise<void> {
    this.#byOid.set(relation.oid, await this.#read(relation, txId))
  }

  async #read(relation: Relation, txId: number): Promise<Known | null> {
    if (!this.#options.selection.hasTable(relation)) return null
    const input = await this.#catalog.describeRelation(relation, txId)
    return { shape: this.#shapes.get(input), relation }
  }

  /** Returns the shape of a table; null if the table is not captured. */
  get(oid: number): TableShape | null {
    const known = this.#byOid.get(oid)
    if (known === undefined)
      throw errors.create('MR_PG_PROTOCOL', { cause: `a change of relation ${oid}, which was not described` })
    return known === null ? null : known.shape
  }

  /** Reads a stale shape again. Returns the new shape; null if the shape has not changed. */
  async reread(oid: number, txId: number): Promise<TableShape | null> {
    const known = this.#byOid.get(oid)
    if (!known) return null
    known.shape.stale = false
    const fresh = await this.#read(known.relation, txId)
    this.#byOid.set(oid, fresh)
    // the shape has not changed if the unknown label is an old name of a renamed label; the value
    // then stays as the server sent it
    return fresh === null || fresh.shape === known.shape ? null : fresh.shape
  }
}
