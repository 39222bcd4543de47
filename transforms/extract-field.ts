import { type ConfigValues, type ConnectRecord, DataError, defineConfig, key } from 'millrace/connect'
import { FieldPath } from './common/field-path.ts'
import { fieldSyntaxKey, replaceNullKey } from './common/keys.ts'
import { mapOrNull, structOrNull } from './common/requirements.ts'
import { SidedTransformation } from './common/sided.ts'

const PURPOSE = 'field extraction'

const extractFieldConfig = defineConfig({
  field: key.string({
    importance: 'MEDIUM',
    documentation: 'The field whose value replaces the whole key or value.',
  }),
  'field.syntax.version': fieldSyntaxKey,
  'replace.null.with.default': replaceNullKey,
})

/**
 * org.apache.kafka.connect.transforms.ExtractField$Key and $Value: replaces the key or value by one
 * of its fields. Null stays null.
 */
abstract class ExtractField extends SidedTransformation {
  readonly config = extractFieldConfig
  #path = new FieldPath('', 'V1')
  #replaceNull = true

  configure(config: ConfigValues<typeof extractFieldConfig>): void {
    this.#path = new FieldPath(config.field, config['field.syntax.version'])
    this.#replaceNull = config['replace.null.with.default']
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const schema = this.schemaOf(record)
    const value = this.valueOf(record)
    if (schema === null) {
      const map = mapOrNull(value, PURPOSE)
      return this.changed(record, null, map === null ? null : this.#path.valueInMap(map))
    }
    const struct = structOrNull(schema, value, PURPOSE)
    const field = this.#path.fieldOf(schema)
    if (!field) {
      throw new DataError(`Unknown field: ${this.#path.text}`, { javaClass: 'java.lang.IllegalArgumentException' })
    }
    return this.changed(
      record,
      field.schema,
      struct === null ? null : this.#path.valueIn(schema, struct, this.#replaceNull),
    )
  }
}

export class ExtractFieldKey extends ExtractField {
  constructor() {
    super('key')
  }
}

export class ExtractFieldValue extends ExtractField {
  constructor() {
    super('value')
  }
}
