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
 * org.apache.kafka.connect.transforms.HoistField$Key and $Value: wraps the key or value in a struct
 * (or map) with one field.
 */
abstract class HoistField extends SidedTransformation {
  readonly config = hoistFieldConfig
  #field = ''
  /**
   * An object that is copied for each record. Copying it is faster than an object literal with a
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
    // Any field name is safe, even `__proto__`, because it is an own property of the template.
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
