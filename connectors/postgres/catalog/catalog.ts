import { sleep } from 'millrace/connect'
import type pg from 'pg'
import type { TableName } from '../../cdc/index.ts'
import { codeOf, isPassing, streamFailure } from '../client/failure.ts'
import { endClient, openClient } from '../client/open.ts'
import type { PostgresOptions } from '../options.ts'
import type { ShapeColumn, ShapeInput } from '../table-shape.ts'
import {
  type CatalogColumn,
  type CatalogTable,
  correlationOf,
  listOthers,
  listTables,
  readTables,
  type TableEntry,
} from './tables.ts'
import { TypeRegistry } from './type-registry.ts'
import { SNAPSHOT, type SnapshotRow, seesOf } from './visibility.ts'

/** A column as a relation message describes it. */
export interface RelationColumn {
  readonly name: string
  readonly typeOid: number
  readonly typmod: number
  /** Whether the column is part of the replica identity. */
  readonly isKey: boolean
}

export interface Relation extends TableName {
  readonly oid: number
  readonly identity: string
  readonly columns: readonly RelationColumn[]
}

/**
 * The longest wait until queries see a streamed transaction, in milliseconds. After this time, the
 * table is described without the changes of the transaction.
 */
const VISIBLE_MS = 10_000

/** The SQLSTATE of admin_shutdown. */
const TERMINATED = '57P01'

const SERIALS: Readonly<Record<string, string>> = { int2: 'smallserial', int4: 'serial', int8: 'bigserial' }

/** Reads the catalog of the database over one connection. A lost connection is reopened. */
export class Catalog {
  readonly #options: PostgresOptions
  readonly #signal: AbortSignal
  /**
   * Called when the server terminates the idle connection: at the request of an administrator, or
   * as the first step of a shutdown.
   */
  onTerminated: () => void = () => {}
  #client: pg.Client | null = null
  #types: TypeRegistry | null = null

  constructor(options: PostgresOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
  }

  /**
   * Returns the result of `work`, which receives the connection. If an existing connection is lost,
   * `work` runs once more with a new connection.
   */
  async run<T>(work: (client: pg.Client, types: TypeRegistry) => Promise<T>): Promise<T> {
    const fresh = this.#client === null
    const client = await this.#connected()
    try {
      return await work(client, this.#types!)
    } catch (error) {
      if (fresh || !isPassing(error)) throw streamFailure(error, this.#options.slot.name)
      await this.close()
    }
    try {
      return await work(await this.#connected(), this.#types!)
    } catch (error) {
      throw streamFailure(error, this.#options.slot.name)
    }
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client) return this.#client
    const name = `millrace ${this.#options.prefix}`
    const client = await openClient(this.#options.connection, { name, signal: this.#signal })
    this.#client = client
    this.#types = new TypeRegistry(client)
    const onAbort = () => void endClient(client)
    this.#signal.addEventListener('abort', onAbort, { once: true })
    client.on('error', error => {
      if (codeOf(error) === TERMINATED) this.onTerminated()
    })
    client.on('end', () => {
      this.#signal.removeEventListener('abort', onAbort)
      // the next query opens a new connection
      if (this.#client === client) this.#client = null
    })
    return client
  }

  /**
   * Waits until queries see a streamed transaction. The server streams a transaction as soon as its
   * commit is in the WAL. Queries see the transaction a moment later. With synchronous replication,
   * they see it only after the standby has replied.
   */
  async #waitVisible(client: pg.Client, txId: number): Promise<void> {
    for (const end = Date.now() + VISIBLE_MS; Date.now() < end; ) {
      const { rows } = await client.query<SnapshotRow>(SNAPSHOT)
      if (seesOf(rows[0]!)(txId)) return
      await sleep(2, this.#signal)
    }
  }

  /** The pid of the connection's server process; 0 if there is no connection. */
  get pid(): number {
    return (this.#client as { processID?: number } | null)?.processID ?? 0
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = null
    this.#types = null
    if (client) await endClient(client)
  }

  /** Returns the rows of a query. Each row maps column names to values as text. */
  rows(sql: string, values: unknown[] = []): Promise<Record<string, string | null>[]> {
    return this.run(async client => (await client.query<Record<string, string | null>>(sql, values)).rows)
  }

  /** Returns the captured tables. */
  tables(): Promise<TableEntry[]> {
    return this.run(client => listTables(client, this.#options.selection))
  }

  /**
   * Returns views, foreign tables and similar relations that match the configuration but cannot be
   * captured.
   */
  otherRelations(): Promise<string[]> {
    return this.run(client => listOthers(client, this.#options.selection))
  }

  correlation(table: TableName, column: string): Promise<number | null> {
    return this.run(client => correlationOf(client, table, column))
  }

  /** Returns the current structure of tables, by OID. */
  async describe(oids: readonly number[]): Promise<Map<number, { table: CatalogTable; input: ShapeInput }>> {
    return this.run(async (client, types) => {
      const tables = await readTables(client, oids)
      await types.load([...tables.values()].flatMap(t => t.columns.map(c => c.typeOid)))
      const entries = [...tables.values()].map(table => {
        const columns = table.columns.map(c => shapeColumn(types, c.name, c.typeOid, c.typmod, c))
        return [table.oid, { table, input: { name: nameOf(table), columns, key: table.key } }] as const
      })
      return new Map(entries)
    })
  }

  /**
   * Returns the structure of a table at the time of a relation message. The message does not
   * contain the key, the defaults and NOT NULL, so these are read from the current table. A column
   * that was dropped since then is optional. If the table was dropped since then, its replica
   * identity is the key. User-defined types are read again, because the stream does not report
   * their changes.
   */
  async describeRelation(relation: Relation, txId: number): Promise<ShapeInput> {
    return this.run(async (client, types) => {
      await this.#waitVisible(client, txId)
      const oids = relation.columns.map(c => c.typeOid)
      await types.refresh(oids)
      const now = (await readTables(client, [relation.oid])).get(relation.oid)
      const byName = new Map(now?.columns.map(c => [c.name, c]))
      const names = new Set(relation.columns.map(c => c.name))
      const key = keyOf(relation, now?.key ?? null, names)
      const columns = relation.columns.map(c =>
        shapeColumn(types, c.name, c.typeOid, c.typmod, byName.get(c.name) ?? null),
      )
      return { name: nameOf(relation), columns, key }
    })
  }
}

/**
 * Returns the key of a change: the table's current key, unless the relation message shows that the
 * primary key was different at the time of the change. The message shows the primary key only with
 * the default replica identity.
 */
function keyOf(relation: Relation, now: readonly string[] | null, names: ReadonlySet<string>): readonly string[] {
  const identity = relation.columns.filter(c => c.isKey && relation.identity !== 'f').map(c => c.name)
  if (now === null) return identity
  const same = identity.length === now.length && identity.every(c => now.includes(c))
  return relation.identity === 'd' && identity.length > 0 && !same ? identity : now.filter(k => names.has(k))
}

const nameOf = (t: TableName): TableName => ({ schema: t.schema, table: t.table })

function shapeColumn(
  types: TypeRegistry,
  name: string,
  typeOid: number,
  typmod: number,
  now: CatalogColumn | null,
): ShapeColumn {
  const typeName = types.nameOf(typeOid)
  const defaultExpression = now?.defaultExpression ?? null
  const serial = /^nextval\(/i.test(defaultExpression ?? '') ? SERIALS[typeName] : undefined
  return {
    name,
    type: types.resolve(typeOid, typmod),
    typeName: serial ?? typeName,
    optional: !(now?.notNull ?? false) && !types.isNotNull(typeOid),
    requiredByDomain: types.isNotNull(typeOid),
    defaultExpression,
    comment: now?.comment ?? null,
  }
}
