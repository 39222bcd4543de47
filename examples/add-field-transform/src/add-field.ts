import {
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  key,
  nonEmpty,
  primitive,
  type Schema,
  SchemaCache,
  type Struct,
  struct,
  type Transformation,
} from 'millrace/connect'

const config = defineConfig({
  field: key.string({
    validator: nonEmpty,
    importance: 'HIGH',
    documentation: 'The name of the field to add. A field with this name is replaced.',
  }),
  text: key.string({ importance: 'HIGH', documentation: 'The value of the field.' }),
})

const TEXT = primitive('string')

/** Adds a field with a fixed string to the values of records. */
export class AddField implements Transformation<typeof config> {
  readonly config = config
  /**
   * The schema with the new field, for each value schema. It is created once per schema, not once
   * per record.
   */
  readonly #schemas = new SchemaCache<Schema>()
  #field = ''
  #text = ''

  configure(settings: ConfigValues<typeof config>): void {
    this.#field = settings.field
    this.#text = settings.text
  }

  apply<R extends ConnectRecord>(record: R): R {
    const { value, valueSchema } = record
    // A tombstone stays a tombstone.
    if (value === null) return record
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof Map || Buffer.isBuffer(value))
      throw new DataError(`AddField needs an object, but the value of a record for ${record.topic} is not one`)
    const changed = { ...(value as Struct), [this.#field]: this.#text }
    const schema = valueSchema && this.#schemas.get(valueSchema, original => this.#extended(original))
    return { ...record, value: changed, valueSchema: schema }
  }

  #extended(schema: Schema): Schema {
    if (schema.type !== 'struct') throw new DataError(`AddField needs a struct, but the schema is ${schema.type}`)
    const fields = new Map(schema.fields?.map(f => [f.name, f.schema]))
    fields.set(this.#field, TEXT)
    const { name, optional } = schema
    return struct(fields, { name, optional })
  }
}
