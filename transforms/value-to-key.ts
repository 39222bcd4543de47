import {
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  field,
  getField,
  key,
  type Schema,
  SchemaCache,
  type Struct,
  setField,
  struct,
  type Transformation,
} from 'millrace/connect'
import { distinctNames, replaceNullKey } from './common/keys.ts'
import { inOrderOfCapacity } from './common/maps.ts'
import { requireMap, requireStruct } from './common/requirements.ts'
import { fieldValue } from './common/schemas.ts'

const PURPOSE = 'copying fields from value to key'

const valueToKeyConfig = defineConfig({
  fields: key.list({
    validator: distinctNames,
    importance: 'HIGH',
    documentation: 'The fields of the value that become the key.',
  }),
  'replace.null.with.default': replaceNullKey,
})

/** org.apache.kafka.connect.transforms.ValueToKey: replaces the key by fields of the value. */
export class ValueToKey implements Transformation {
  readonly config = valueToKeyConfig
  #fields: readonly string[] = []
  #replaceNull = true
  readonly #schemas = new SchemaCache<Schema>()

  configure(config: ConfigValues<typeof valueToKeyConfig>): void {
    this.#fields = config.fields
    this.#replaceNull = config['replace.null.with.default']
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const key: Struct = {}
    const { valueSchema } = record
    if (valueSchema === null) {
      const map = requireMap(record.value, PURPOSE)
      for (const name of this.#fields) setField(key, name, getField(map, name) ?? null)
      return { ...record, keySchema: null, key: inOrderOfCapacity(key, this.#fields.length) }
    }
    const value = requireStruct(valueSchema, record.value, PURPOSE)
    const keySchema = this.#schemas.get(valueSchema, s => this.#keySchema(s))
    for (const f of keySchema.fields ?? []) setField(key, f.name, fieldValue(value, f, this.#replaceNull))
    return { ...record, keySchema, key }
  }

  #keySchema(schema: Schema): Schema {
    const fields = new Map<string, Schema>()
    for (const name of this.#fields) {
      const found = field(schema, name)
      if (!found) throw new DataError(`Field does not exist: ${name}`)
      fields.set(name, found.schema)
    }
    return struct(fields)
  }
}
