import {
  ConfigError,
  field,
  getField,
  primitive,
  type Schema,
  SchemaCache,
  type Struct,
  withOptions,
} from 'millrace/connect'

const TOP_LEVEL = new Set(['op', 'ts_ms', 'ts_us', 'ts_ns'])
const OF_TRANSACTION = new Set(['id', 'total_order', 'data_collection_order'])

/**
 * A field of a Debezium change event, as written in `add.fields`: `op`, `table` (of `source`), `id`
 * (of `transaction`), `source.lsn` or `before.name`, each with an optional `:NEW_NAME`.
 */
export class FieldReference {
  readonly field: string
  /** The name of the struct that contains the field, or null for a field of the event itself. */
  readonly struct: string | null
  readonly newName: string
  readonly #schemas = new SchemaCache<Schema | null>()

  constructor(prefix: string, text: string) {
    const [path = '', name, more] = text.split(':')
    const steps = path.split('.')
    if (more !== undefined || steps.length > 2 || path === '') {
      throw new ConfigError([{ key: 'add.fields', message: `Unexpected field name: ${text}` }])
    }
    this.field = steps[1] ?? steps[0] ?? ''
    this.struct = steps.length === 2 ? (steps[0] ?? null) : structOf(this.field)
    const own = steps.length === 1 ? this.field : `${this.struct}_${this.field}`
    this.newName = prefix + (name ?? own)
  }

  /**
   * Returns the schema of the added field, which is optional. Returns null if the event has no such
   * field.
   */
  schemaIn(event: Schema): Schema | null {
    return this.#schemas.get(event, this.#find)
  }

  readonly #find = (event: Schema): Schema | null => {
    const found = this.#parent(event) ?? event
    const original = field(found, this.field)?.schema ?? field(event, this.field)?.schema
    return original ? optionalCopy(original) : null
  }

  /**
   * Returns the value of the field. Returns null if its struct is missing, such as `transaction`
   * during a snapshot.
   */
  valueIn(schema: Schema, event: Struct): unknown {
    if (this.struct === null) return getField(event, this.field) ?? null
    const parent = getField(event, this.struct) as Struct | null | undefined
    if (parent === null || parent === undefined) return null
    const parentSchema = this.#parent(schema)
    const holder = parentSchema && field(parentSchema, this.field) ? parent : event
    return getField(holder, this.field) ?? null
  }

  #parent(event: Schema): Schema | null {
    return this.struct === null ? null : (field(event, this.struct)?.schema ?? null)
  }
}

function structOf(name: string): string | null {
  if (OF_TRANSACTION.has(name)) return 'transaction'
  return TOP_LEVEL.has(name) ? null : 'source'
}

/** Returns a schema like the given one, but optional and without a default. */
function optionalCopy(schema: Schema): Schema {
  const { default: _, ...rest } = schema
  return withOptions({ ...primitive('string'), ...rest }, { optional: true })
}
