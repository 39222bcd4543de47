import {
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  type Field,
  key,
  type Schema,
  SchemaCache,
  type Struct,
  setField,
  withOptions,
} from 'millrace/connect'
import { isMap, mapOrNull, requireStruct } from './common/requirements.ts'
import { basicsOf, fieldsOf, fieldValue, structLike } from './common/schemas.ts'
import { SidedTransformation } from './common/sided.ts'

const PURPOSE = 'flattening'

const flattenConfig = defineConfig({
  delimiter: key.string({
    default: '.',
    importance: 'MEDIUM',
    documentation: 'The separator in the names of flattened fields, such as the dot in `outer.inner`.',
  }),
})

/** A field that is not a struct, with its name in the flat struct and its path. */
interface Leaf {
  readonly name: string
  readonly path: readonly Field[]
  readonly schema: Schema
}

interface Flat {
  readonly schema: Schema
  readonly leaves: readonly Leaf[]
}

/**
 * org.apache.kafka.connect.transforms.Flatten$Key and $Value: flattens nested structs or maps into
 * one struct or map.
 */
abstract class Flatten extends SidedTransformation {
  readonly config = flattenConfig
  #delimiter = '.'
  readonly #schemas = new SchemaCache<Flat>()

  configure(settings: ConfigValues<typeof flattenConfig>): void {
    this.#delimiter = settings.delimiter
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const value = this.valueOf(record)
    if (value === null || value === undefined) return record
    const schema = this.schemaOf(record)
    if (schema === null) {
      const flat: Struct = {}
      this.#flattenMap(mapOrNull(value, PURPOSE) ?? {}, '', flat)
      return this.changed(record, null, flat)
    }
    const struct = requireStruct(schema, value, PURPOSE)
    const flat = this.#schemas.get(schema, s => this.#flatSchema(s))
    const out: Struct = {}
    for (const leaf of flat.leaves) setField(out, leaf.name, leafValue(struct, leaf))
    return this.changed(record, flat.schema, out)
  }

  #flattenMap(map: Struct, prefix: string, out: Struct): void {
    for (const [key, item] of Object.entries(map)) {
      const name = prefix === '' ? key : `${prefix}${this.#delimiter}${key}`
      const nested = isMap(item) ? mapOrNull(item, PURPOSE) : null
      if (nested) this.#flattenMap(nested, name, out)
      else setField(out, name, item)
    }
  }

  #flatSchema(schema: Schema): Flat {
    const leaves: Leaf[] = []
    this.#collect(schema, '', schema.optional, [], leaves)
    const flat = structLike(
      schema,
      leaves.map(l => [l.name, l.schema] as const),
    )
    return { schema: flat, leaves }
  }

  #collect(schema: Schema, prefix: string, optional: boolean, path: readonly Field[], leaves: Leaf[]): void {
    for (const f of fieldsOf(schema)) {
      const name = prefix === '' ? f.name : `${prefix}${this.#delimiter}${f.name}`
      const way = [...path, f]
      if (f.schema.type === 'struct') {
        this.#collect(f.schema, name, optional || f.schema.optional, way, leaves)
      } else if (f.schema.type === 'map') {
        throw new DataError(`Flatten transformation does not support MAP for record with schemas (for field ${name}).`)
      } else {
        leaves.push({ name, path: way, schema: leafSchema(f.schema, optional) })
      }
    }
  }
}

/** Returns the schema of a leaf. A leaf within an optional struct is optional. */
function leafSchema(schema: Schema, optional: boolean): Schema {
  if (!optional || schema.optional) return schema
  return withOptions({ ...schema, ...basicsOf(schema) }, { optional: true })
}

function leafValue(struct: Struct, leaf: Leaf): unknown {
  let value: unknown = struct
  for (const f of leaf.path) {
    if (value === null || value === undefined) return null
    value = fieldValue(value as Struct, f, true)
  }
  return value ?? null
}

export class FlattenKey extends Flatten {
  constructor() {
    super('key')
  }
}

export class FlattenValue extends Flatten {
  constructor() {
    super('value')
  }
}
