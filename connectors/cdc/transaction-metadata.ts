import { array, primitive, type Schema, type Struct, struct } from 'millrace/connect'

const text = primitive('string')
const int64 = primitive('int64')

export const transactionKeySchema: Schema = struct(
  { id: text },
  { name: 'io.debezium.connector.common.TransactionMetadataKey', version: 1 },
)

export const transactionValueSchema: Schema = struct(
  {
    status: text,
    id: text,
    event_count: primitive('int64', { optional: true }),
    data_collections: array(
      struct({ data_collection: text, event_count: int64 }, { optional: true, name: 'event.collection', version: 1 }),
      { optional: true },
    ),
    ts_ms: int64,
  },
  { name: 'io.debezium.connector.common.TransactionMetadataValue', version: 1 },
)

const ORDER_PREFIX = 'transaction_data_collection_order_'

/**
 * Counts the events of the current transaction (`provide.transaction.metadata`). The offset
 * contains the counts.
 */
export class TransactionMetadata {
  #id: string | null = null
  #total = 0
  readonly #perTable = new Map<string, number>()

  /**
   * Loads the counts of an offset, so that counting resumes within a transaction after a restart.
   */
  load(offset: Readonly<Record<string, unknown>>): void {
    this.#perTable.clear()
    this.#id = typeof offset['transaction_id'] === 'string' ? offset['transaction_id'] : null
    this.#total = 0
    for (const [key, value] of Object.entries(offset)) {
      if (!key.startsWith(ORDER_PREFIX)) continue
      this.#perTable.set(key.slice(ORDER_PREFIX.length), Number(value))
      this.#total += Number(value)
    }
  }

  /** Starts a transaction. Keeps the loaded counts if they belong to this transaction. */
  begin(id: string): void {
    if (id === this.#id) return
    this.#id = id
    this.#total = 0
    this.#perTable.clear()
  }

  /** Counts the next event of a table, and returns the transaction block of the event. */
  event(table: string, id: string): Struct {
    const order = (this.#perTable.get(table) ?? 0) + 1
    this.#perTable.set(table, order)
    this.#total++
    return { id, total_order: this.#total, data_collection_order: order }
  }

  beginValue(id: string, ms: number): Struct {
    return { status: 'BEGIN', id, event_count: null, data_collections: null, ts_ms: ms }
  }

  endValue(id: string, ms: number): Struct {
    const collections = [...this.#perTable].map(([data_collection, event_count]) => ({ data_collection, event_count }))
    return { status: 'END', id, event_count: this.#total, data_collections: collections, ts_ms: ms }
  }

  /** Returns the counts as fields of the offset. */
  offset(): Record<string, unknown> {
    if (this.#id === null) return {}
    const orders = [...this.#perTable].map(([table, order]) => [`${ORDER_PREFIX}${table}`, order] as const)
    return { transaction_id: this.#id, ...Object.fromEntries(orders) }
  }
}
