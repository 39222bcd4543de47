import {
  type ConfigValues,
  type ConnectRecord,
  defineConfig,
  key,
  type Schema,
  SchemaCache,
  type Struct,
  struct,
} from 'millrace/connect'
import { propertyName } from 'millrace/connect/java'
import { SidedTransformation } from './common/sided.ts'

const hoistFieldConfig = defineConfig({
  field: key.string({
    importance: 'MEDIUM',
    documentation: 'The name of the single field that will contain the whole key or value.',
  }),
})

/** org.apache.kafka.connect.transforms.HoistField$Key and $Value: wraps the data in a struct (or map) of one field. */
abstract class HoistField extends SidedTransformation {
  readonly config = hoistFieldConfig
  #field = ''
  /** Copied for each record: faster than an object whose only name is computed. */
  #template: Struct = {}
  readonly #schemas = new SchemaCache<Schema>()

  configure(settings: ConfigValues<typeof hoistFieldConfig>): void {
    this.#field = propertyName(settings.field)
    this.#template = { [this.#field]: null }
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const schema = this.schemaOf(record)
    const value = { ...this.#template }
    // an own field of any name is set, `__proto__` too: the template has it
    value[this.#field] = this.valueOf(record) ?? null
    if (schema === null) return this.changed(record, null, value)
    const hoisted = this.#schemas.get(schema, s => struct(new Map([[this.#field, s]])))
    return this.changed(record, hoisted, value)
  }
}

export class HoistFieldKey extends HoistField {
  constructor() {
    super('key')
  }
}

export class HoistFieldValue extends HoistField {
  constructor() {
    super('value')
  }
}
