import {
  ConfigError,
  type ConnectRecord,
  DataError,
  defineConfig,
  type Props,
  parseConfig,
  primitive,
  type Schema,
  type SchemaOptions,
} from '../core/connect/index.ts'
import { type CastType, castTypeOf, castValue } from './common/cast-value.ts'
import { nonEmptyList, replaceNullKey } from './common/keys.ts'
import { copyOf, requireMap, requireStruct } from './common/requirements.ts'
import { fieldsOf, fieldValue, SchemaCache, structLike } from './common/schemas.ts'
import { SidedTransformation } from './common/sided.ts'

const PURPOSE = 'cast types'

const castConfig = defineConfig({
  spec: {
    type: 'LIST',
    importance: 'HIGH',
    validator: nonEmptyList,
    documentation:
      'What becomes of which type: `field:type` pairs, separated by commas, or one type alone for the whole key or value. Types: int8, int16, int32, int64, float32, float64, boolean, string.',
  },
  'replace.null.with.default': replaceNullKey,
})

/** org.apache.kafka.connect.transforms.Cast$Key and $Value: the data, or some of its fields, as other types. */
abstract class Cast extends SidedTransformation {
  readonly config = castConfig
  #whole: CastType | null = null
  #fields: ReadonlyMap<string, CastType> = new Map()
  #replaceNull = true
  readonly #schemas = new SchemaCache<Schema>()

  configure(props: Props): void {
    const config = parseConfig(castConfig, props)
    const wrong = (message: string) => new ConfigError([{ key: 'spec', message }])
    const fields = new Map<string, CastType>()
    let whole: CastType | null = null
    for (const item of config.spec) {
      const [first = '', second, more] = item.split(':').map(s => s.trim())
      const type = castTypeOf(second ?? first)
      if (more !== undefined || first === '') throw wrong(`Invalid cast spec: ${item}`)
      if (!type) throw wrong(`Invalid type found in casting spec: ${second ?? first}`)
      if (second === undefined) whole = type
      else fields.set(first, type)
    }
    if (whole && config.spec.length > 1)
      throw wrong(
        'Cast transformations that specify a type to cast the entire value to may ONLY specify a single cast in their spec',
      )
    this.#whole = whole
    this.#fields = fields
    this.#replaceNull = config['replace.null.with.default']
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const value = this.valueOf(record)
    if (value === null || value === undefined) return record
    const schema = this.schemaOf(record)
    if (this.#whole) return this.#castWhole(record, schema, value, this.#whole)
    if (schema === null) {
      const updated = copyOf(requireMap(value, PURPOSE))
      for (const [name, type] of this.#fields) updated[name] = castValue(null, updated[name], type)
      return this.changed(record, null, updated)
    }
    const struct = requireStruct(schema, value, PURPOSE)
    const updated = copyOf(struct)
    for (const f of fieldsOf(schema)) {
      const own = fieldValue(struct, f, this.#replaceNull)
      const type = this.#fields.get(f.name)
      updated[f.name] = type ? castValue(f.schema, own, type) : own
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

/** A schema of the type, with the optionality and the default (cast too) of the original. */
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
