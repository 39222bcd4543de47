import {
  ConfigError,
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  field,
  getField,
  type Header,
  key,
  oneOf,
  type Schema,
  SchemaCache,
} from 'millrace/connect'
import { nonEmptyList, replaceNullKey } from './common/keys.ts'
import { inOrderOfCopy } from './common/maps.ts'
import { requireMap, requireStruct } from './common/requirements.ts'
import { fieldsOf, fieldValue, structLike } from './common/schemas.ts'
import { SidedTransformation } from './common/sided.ts'

const headerFromConfig = defineConfig({
  fields: key.list({
    validator: nonEmptyList,
    importance: 'HIGH',
    documentation: 'The fields of the key or value that become headers.',
  }),
  headers: key.list({
    validator: nonEmptyList,
    importance: 'HIGH',
    documentation: 'The names of the headers, in the same order as the fields.',
  }),
  operation: key.string({
    validator: oneOf(['move', 'copy']),
    importance: 'HIGH',
    documentation:
      'Whether fields are moved or copied to headers. move: the fields are removed from the key or value. copy: the fields remain there too.',
  }),
  'replace.null.with.default': replaceNullKey,
})

/**
 * org.apache.kafka.connect.transforms.HeaderFrom$Key and $Value: moves or copies fields to headers.
 */
abstract class HeaderFrom extends SidedTransformation {
  readonly config = headerFromConfig
  #fields: readonly string[] = []
  #headers: readonly string[] = []
  #move = false
  #replaceNull = true
  readonly #schemas = new SchemaCache<Schema>()

  configure(config: ConfigValues<typeof headerFromConfig>): void {
    if (config.fields.length !== config.headers.length) {
      const message = `'fields' config must have the same number of elements as 'headers' config.`
      throw new ConfigError([{ key: 'headers', message }])
    }
    this.#fields = config.fields
    this.#headers = config.headers
    this.#move = config.operation === 'move'
    this.#replaceNull = config['replace.null.with.default']
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const schema = this.schemaOf(record)
    return schema === null ? this.#schemaless(record) : this.#withSchema(record, schema)
  }

  #schemaless<R extends ConnectRecord>(record: R): R {
    const value = requireMap(this.valueOf(record), `header ${this.#move ? 'move' : 'copy'}`)
    const added = this.#fields.map((name, i) => ({
      key: this.#headers[i]!,
      schema: null,
      value: getField(value, name) ?? null,
    }))
    const headers = [...record.headers, ...added]
    const rest = { ...value }
    if (this.#move) for (const name of this.#fields) delete rest[name]
    return { ...this.changed(record, null, inOrderOfCopy(value, rest)), headers }
  }

  #withSchema<R extends ConnectRecord>(record: R, schema: Schema): R {
    const struct = requireStruct(schema, this.valueOf(record), `header ${this.#move ? 'move' : 'copy'}`)
    const headers: Header[] = [...record.headers]
    for (const [i, name] of this.#fields.entries()) {
      const found = field(schema, name)
      if (!found) throw new DataError(`Field does not exist: ${name}`)
      headers.push({
        key: this.#headers[i]!,
        schema: found.schema,
        value: fieldValue(struct, found, this.#replaceNull),
      })
    }
    if (!this.#move) return { ...record, headers }
    const kept = (s: Schema) => fieldsOf(s).filter(f => !this.#fields.includes(f.name))
    const restSchema = this.#schemas.get(schema, s =>
      structLike(
        s,
        kept(s).map(f => [f.name, f.schema] as const),
      ),
    )
    const rest = Object.fromEntries(kept(schema).map(f => [f.name, fieldValue(struct, f, this.#replaceNull)]))
    return { ...this.changed(record, restSchema, rest), headers }
  }
}

export class HeaderFromKey extends HeaderFrom {
  constructor() {
    super('key')
  }
}

export class HeaderFromValue extends HeaderFrom {
  constructor() {
    super('value')
  }
}
