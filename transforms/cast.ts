import {
  ConfigError,
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  getField,
  key,
  primitive,
  type Schema,
  SchemaCache,
  type SchemaOptions,
  type Struct,
  setField,
} from 'millrace/connect'
import { castSpec, parseCastSpec } from './common/cast-spec.ts'
import { type CastType, castValue } from './common/cast-value.ts'
import { replaceNullKey } from './common/keys.ts'
import { inOrderOfCopy } from './common/maps.ts'
import { requireMap, requireStruct } from './common/requirements.ts'
import { fieldsOf, fieldValue, structLike } from './common/schemas.ts'
import { SidedTransformation } from './common/sided.ts'

const PURPOSE = 'cast types'

const castConfig = defineConfig({
  spec: key.list({
    validator: castSpec,
    importance: 'HIGH',
    documentation:
      'The new types, as FIELD:TYPE pairs separated by commas, such as id:int64,price:float64. A single type without a field applies to the whole key or value. The types are int8, int16, int32, int64, float32, float64, boolean and string.',
  }),
  'replace.null.with.default': replaceNullKey,
})

/**
 * org.apache.kafka.connect.transforms.Cast$Key and $Value: casts the key or value, or some of its
 * fields, to other types.
 */
abstract class Cast extends SidedTransformation {
  readonly config = castConfig
  #whole: CastType | null = null
  #fields: ReadonlyMap<string, CastType> = new Map()
  #replaceNull = true
  readonly #schemas = new SchemaCache<Schema>()

  configure(config: ConfigValues<typeof castConfig>): void {
    const spec = parseCastSpec(config.spec)
    if (typeof spec === 'string') throw new ConfigError([{ key: 'spec', message: spec }])
    this.#whole = spec.whole
    this.#fields = spec.fields
    this.#replaceNull = config['replace.null.with.default']
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const value = this.valueOf(record)
    if (value === null || value === undefined) return record
    const schema = this.schemaOf(record)
    if (this.#whole) return this.#castWhole(record, schema, value, this.#whole)
    if (schema === null) {
      const map = requireMap(value, PURPOSE)
      const updated = { ...map }
      for (const [name, type] of this.#fields) setField(updated, name, castValue(null, getField(map, name), type))
      return this.changed(record, null, inOrderOfCopy(map, updated))
    }
    const struct = requireStruct(schema, value, PURPOSE)
    const updated: Struct = {}
    for (const f of fieldsOf(schema)) {
      const own = fieldValue(struct, f, this.#replaceNull)
      const type = this.#fields.get(f.name)
      setField(updated, f.name, type ? castValue(f.schema, own, type) : own)
    }
    return this.changed(
      record,
      this.#schemas.get(schema, s => this.#castSchema(s)),
      updated,
    )
  }

  #castWhole<R extends ConnectRecord>(record: R, schema: Schema | null, value: unknown, type: CastType): R {
    const cast = castValue(schema, value, type)
    if (schema === null) return this.changed(record, null, cast)
    return this.changed(
      record,
      this.#schemas.get(schema, s => castTo(s, type)),
      cast,
    )
  }

  #castSchema(schema: Schema): Schema {
    return structLike(
      schema,
      fieldsOf(schema).map(f => {
        const type = this.#fields.get(f.name)
        return [f.name, type ? castTo(f.schema, type) : f.schema] as const
      }),
    )
  }
}

/**
 * Returns a schema of another type. It is optional if the original is, and has the original's
 * default, converted to the type.
 */
function castTo(schema: Schema, type: CastType): Schema {
  const options: SchemaOptions = { optional: schema.optional }
  const given = schema.default
  try {
    return given === undefined || given === null
      ? primitive(type, options)
      : primitive(type, { ...options, default: castValue(schema, given, type) })
  } catch (error) {
    throw new DataError(`the default ${String(given)} cannot be cast to ${type}`, { cause: error })
  }
}

export class CastKey extends Cast {
  constructor() {
    super('key')
  }
}

export class CastValue extends Cast {
  constructor() {
    super('value')
  }
}
