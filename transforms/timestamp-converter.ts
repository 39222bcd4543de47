import {
  ConfigError,
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  getField,
  key,
  oneOf,
  type Schema,
  SchemaCache,
  type Struct,
  setField,
} from 'millrace/connect'
import { JavaDateFormat } from './common/java-date-format.ts'
import { replaceNullKey } from './common/keys.ts'
import { inOrderOfCopy } from './common/maps.ts'
import { requireMap, structOrNull } from './common/requirements.ts'
import { fieldsOf, fieldValue, structLike } from './common/schemas.ts'
import { SidedTransformation } from './common/sided.ts'
import {
  fromInstant,
  PRECISIONS,
  type Precision,
  TARGETS,
  type Target,
  targetSchema,
  toInstant,
} from './common/timestamps.ts'

const PURPOSE = 'converting timestamp formats'

const timestampConverterConfig = defineConfig({
  field: key.string({
    default: '',
    importance: 'HIGH',
    documentation: 'The field that contains the timestamp. Empty means that the whole key or value is the timestamp.',
  }),
  'target.type': key.string({
    validator: oneOf(TARGETS),
    importance: 'HIGH',
    documentation:
      'The new type: string, unix (an int64), Date, Time or Timestamp. The last three are logical types of Connect.',
  }),
  format: key.string({
    default: '',
    importance: 'MEDIUM',
    documentation:
      'The format of timestamps as text, in the pattern letters of java.text.SimpleDateFormat, such as yyyy-MM-dd. Required for target.type=string, and for converting from text.',
  }),
  'unix.precision': key.string({
    default: 'milliseconds',
    validator: oneOf(PRECISIONS),
    importance: 'LOW',
    documentation:
      'The unit of Unix times: seconds, milliseconds, microseconds or nanoseconds. Used for target.type=unix, and for converting from int64.',
  }),
  'replace.null.with.default': replaceNullKey,
})

/**
 * org.apache.kafka.connect.transforms.TimestampConverter$Key and $Value: converts times between
 * text, Unix time and Connect's types, in UTC.
 */
abstract class TimestampConverter extends SidedTransformation {
  readonly config = timestampConverterConfig
  #field = ''
  #target: Target = 'unix'
  #format: JavaDateFormat | null = null
  #precision: Precision = 'milliseconds'
  #replaceNull = true
  readonly #schemas = new SchemaCache<Schema>()

  configure(config: ConfigValues<typeof timestampConverterConfig>): void {
    this.#field = config.field
    this.#target = config['target.type']
    this.#precision = config['unix.precision']
    this.#replaceNull = config['replace.null.with.default']
    if (this.#target === 'string' && config.format.trim() === '') {
      const message = 'TimestampConverter requires format option to be specified when using string timestamps'
      throw new ConfigError([{ key: 'format', message }])
    }
    this.#format = config.format.trim() === '' ? null : new JavaDateFormat('format', config.format)
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const value = this.valueOf(record)
    const schema = this.schemaOf(record)
    if (this.#field === '') {
      const updated = schema && this.#schemas.get(schema, s => targetSchema(this.#target, s.optional))
      return this.changed(record, updated, this.#convert(schema, value))
    }
    if (schema === null) {
      if (value === null || value === undefined) return record
      const map = requireMap(value, PURPOSE)
      const updated = { ...map }
      setField(updated, this.#field, this.#convert(null, getField(map, this.#field)))
      return this.changed(record, null, inOrderOfCopy(map, updated))
    }
    const struct = structOrNull(schema, value, PURPOSE)
    const changed = this.#schemas.get(schema, s => this.#updatedSchema(s))
    return this.changed(record, changed, struct && this.#updated(schema, struct))
  }

  #updated(schema: Schema, struct: Struct): Struct {
    const updated = { ...struct }
    for (const f of fieldsOf(schema)) {
      const own = fieldValue(struct, f, this.#replaceNull)
      setField(updated, f.name, f.name === this.#field ? this.#convert(f.schema, own) : own)
    }
    return updated
  }

  /**
   * Returns the schema of the changed struct. Unlike other transformations, this one keeps whether
   * the struct is optional, and its default.
   */
  #updatedSchema(schema: Schema): Schema {
    const like = structLike(
      schema,
      fieldsOf(schema).map(f => {
        const changed = f.name === this.#field ? targetSchema(this.#target, f.schema.optional) : f.schema
        return [f.name, changed] as const
      }),
    )
    const given = schema.default
    return Object.freeze({
      ...like,
      optional: schema.optional,
      ...(given !== undefined && given !== null && { default: this.#updated(schema, given as Struct) }),
    })
  }

  #convert(schema: Schema | null, value: unknown): unknown {
    if (value === null || value === undefined) return null
    const instant = toInstant(schema, value, this.#precision, this.#format)
    if (this.#target !== 'string') return fromInstant(instant, this.#target, this.#precision)
    if (!this.#format) throw new DataError('TimestampConverter has no format')
    return this.#format.format(instant)
  }
}

export class TimestampConverterKey extends TimestampConverter {
  constructor() {
    super('key')
  }
}

export class TimestampConverterValue extends TimestampConverter {
  constructor() {
    super('value')
  }
}
