import type { Schema } from './schema.ts'

/** Caches one derived value for each schema. The value is kept as long as the schema exists. */
export class SchemaCache<V> {
  readonly #values = new WeakMap<Schema, V>()
  /** The last entry. Consecutive records mostly have the same schema, and then need no look-up. */
  #last: { readonly schema: Schema; readonly value: V } | null = null

  /** Returns the value of a schema. Calls `create` the first time. */
  get(schema: Schema, create: (schema: Schema) => V): V {
    if (this.#last?.schema === schema) return this.#last.value
    let value = this.#values.get(schema)
    if (value === undefined) {
      value = create(schema)
      this.#values.set(schema, value)
    }
    this.#last = { schema, value }
    return value
  }
}
