import type { Schema } from './schema.ts'

/** A value derived from each schema, created once and kept as long as the schema. */
export class SchemaCache<V> {
  readonly #values = new WeakMap<Schema, V>()
  /** Records in a row mostly have the same schema, which is then found without a look-up. */
  #last: { readonly schema: Schema; readonly value: V } | null = null

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
