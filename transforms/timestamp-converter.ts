import {
  ConfigError,
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  getField,
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
  field: {
    type: 'STRING',
    default: '',
    importance: 'HIGH',
    documentation: 'The field with the time; empty where the whole key or value is one.',
  },
  'target.type': {
    type: 'STRING',
    importance: 'HIGH',
    validator: oneOf(TARGETS),
    documentation: 'What it becomes: string, unix, Date, Time or Timestamp.',
  },
  format: {
    type: 'STRING',
    default: '',
    importance: 'MEDIUM',
    documentation:
      'How a time is written as text, in the pattern letters of java.text.SimpleDateFormat: for target.type=string, and for reading texts.',
  },
  'unix.precision': {
    type: 'STRING',
    default: 'milliseconds',
    importance: 'LOW',
    validator: oneOf(PRECISIONS),
    documentation:
      'What Unix times count, for target.type=unix and for reading int64: seconds, milliseconds, microseconds or nanoseconds.',
  },
  'replace.null.with.default': replaceNullKey,
})

/** org.apache.kafka.connect.transforms.TimestampConverter$Key and $Value: times as text, Unix time or Connect's types, in UTC. */
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

  /** With the optionality and the default of the struct, which other transformations drop. */
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
