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

/**
 * org.apache.kafka.connect.transforms.HoistField$Key and $Value: wraps the data in a struct (or
 * map) with one field.
 */
abstract class HoistField extends SidedTransformation {
  readonly config = hoistFieldConfig
  #field = ''
  /**
   * The object that is copied for each record. Copying is faster than an object literal with a
   * computed name.
   */
  #template: Struct = {}
  readonly #schemas = new SchemaCache<Schema>()

  configure(settings: ConfigValues<typeof hoistFieldConfig>): void {
    this.#field = propertyName(settings.field)
    this.#template = { [this.#field]: null }
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const schema = this.schemaOf(record)
    const value = { ...this.#template }
    // Safe for any field name, also `__proto__`, because the template has it as its own property.
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
