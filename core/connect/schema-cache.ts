import type { Schema } from './schema.ts'

/**
 * Keeps a value that is derived from a schema, for each schema. A value lives as long as its
 * schema.
 */
export class SchemaCache<V> {
  readonly #values = new WeakMap<Schema, V>()
  /** Consecutive records mostly have the same schema, which is then found without a look-up. */
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
