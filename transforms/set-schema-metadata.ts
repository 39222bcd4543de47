import {
  ConfigError,
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  key,
  type Schema,
  SchemaCache,
  type Struct,
  setField,
  withOptions,
} from 'millrace/connect'
import { replaceNullKey } from './common/keys.ts'
import { fieldsOf, fieldValue } from './common/schemas.ts'
import { SidedTransformation } from './common/sided.ts'

const setSchemaMetadataConfig = defineConfig({
  'schema.name': key.string({
    default: null,
    importance: 'HIGH',
    documentation: 'The new name of the schema. Default: the name is kept.',
  }),
  'schema.version': key.int({
    default: null,
    importance: 'HIGH',
    documentation: 'The new version of the schema. Default: the version is kept.',
  }),
  'replace.null.with.default': replaceNullKey,
})

/**
 * org.apache.kafka.connect.transforms.SetSchemaMetadata$Key and $Value: sets the name or version of
 * a struct's schema.
 */
abstract class SetSchemaMetadata extends SidedTransformation {
  readonly config = setSchemaMetadataConfig
  #name: string | null = null
  #schemaVersion: number | null = null
  #replaceNull = true
  readonly #schemas = new SchemaCache<Schema>()

  configure(config: ConfigValues<typeof setSchemaMetadataConfig>): void {
    this.#name = config['schema.name']
    this.#schemaVersion = config['schema.version']
    this.#replaceNull = config['replace.null.with.default']
    if (this.#name === null && this.#schemaVersion === null) {
      throw new ConfigError([{ key: 'schema.name', message: 'Neither schema name nor version configured' }])
    }
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const schema = this.schemaOf(record)
    const value = this.valueOf(record)
    if (schema === null) {
      if (value === null || value === undefined) return record
      throw new DataError('Schema required for [updating schema metadata]')
    }
    if (schema.type !== 'struct') {
      throw new DataError(
        `Only the schema of a struct can have metadata, found: ${schema.type}. Use HoistField first to wrap the value in a struct.`,
      )
    }
    const updated = this.#schemas.get(schema, s => {
      const name = this.#name ?? s.name
      const version = this.#schemaVersion ?? s.version
      return withOptions(s, { ...(name !== undefined && { name }), ...(version !== undefined && { version }) })
    })
    if (value === null || value === undefined || !this.#replaceNull) return this.changed(record, updated, value)
    const struct = { ...(value as Struct) }
    for (const f of fieldsOf(schema)) setField(struct, f.name, fieldValue(value as Struct, f, true))
    return this.changed(record, updated, struct)
  }
}

export class SetSchemaMetadataKey extends SetSchemaMetadata {
  constructor() {
    super('key')
  }
}

export class SetSchemaMetadataValue extends SetSchemaMetadata {
  constructor() {
    super('value')
  }
}
