import {
  type ConfigValues,
  type ConnectRecord,
  DataError,
  DECIMAL,
  Decimal,
  defineConfig,
  double,
  type Field,
  Float,
  FloatingNumber,
  getField,
  key,
  nonEmpty,
  type Schema,
  SchemaCache,
  scaleOf,
  setField,
} from 'millrace/connect'
import { distinctNames, replaceNullKey } from './common/keys.ts'
import { inOrderOfCopy, namesInOrder } from './common/maps.ts'
import { narrowInteger, wholePart } from './common/narrowing.ts'
import { requireMap, requireStruct, typeName } from './common/requirements.ts'
import { defaultedFields, fieldsOf, fieldValue } from './common/schemas.ts'
import { SidedTransformation } from './common/sided.ts'

const PURPOSE = 'mask fields'

const maskFieldConfig = defineConfig({
  fields: key.list({
    validator: distinctNames,
    importance: 'HIGH',
    documentation: 'The fields to mask.',
  }),
  replacement: key.string({
    default: null,
    validator: nonEmpty,
    importance: 'LOW',
    documentation:
      'The value that replaces the values of number and string fields. Default: 0 or the empty string, depending on the type of the field.',
  }),
  'replace.null.with.default': replaceNullKey,
})

/** The changes to structs of one schema. */
interface Plan {
  readonly masked: readonly Field[]
  /** The fields that are not masked and in which null is replaced by the default. */
  readonly defaulted: readonly Field[]
}

/**
 * org.apache.kafka.connect.transforms.MaskField$Key and $Value: replaces field values by zero, an
 * empty value, or a replacement.
 */
abstract class MaskField extends SidedTransformation {
  readonly config = maskFieldConfig
  #fields: ReadonlySet<string> = new Set()
  #replacement: string | null = null
  #replaceNull = true
  readonly #plans = new SchemaCache<Plan>()

  configure(config: ConfigValues<typeof maskFieldConfig>): void {
    this.#fields = new Set(namesInOrder(config.fields))
    this.#replacement = config.replacement
    this.#replaceNull = config['replace.null.with.default']
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const schema = this.schemaOf(record)
    if (schema === null) {
      const map = requireMap(this.valueOf(record), PURPOSE)
      const updated = { ...map }
      for (const name of this.#fields) setField(updated, name, this.#masked(null, getField(map, name)))
      return this.changed(record, null, inOrderOfCopy(map, updated))
    }
    const struct = requireStruct(schema, this.valueOf(record), PURPOSE)
    const updated = { ...struct }
    const plan = this.#plans.get(schema, s => this.#planOf(s))
    for (const f of plan.defaulted) setField(updated, f.name, fieldValue(struct, f, true))
    for (const f of plan.masked) {
      setField(updated, f.name, this.#masked(f.schema, fieldValue(struct, f, this.#replaceNull)))
    }
    return this.changed(record, schema, updated)
  }

  #planOf(schema: Schema): Plan {
    return {
      masked: fieldsOf(schema).filter(f => this.#fields.has(f.name)),
      defaulted: this.#replaceNull ? defaultedFields(schema).filter(f => !this.#fields.has(f.name)) : [],
    }
  }

  #masked(schema: Schema | null, value: unknown): unknown {
    if (value === null || value === undefined) return null
    return this.#replacement === null ? nullOf(schema, value) : replaced(schema, value, this.#replacement)
  }
}

/** Returns the zero or empty value for the type of a value. */
function nullOf(schema: Schema | null, value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return ''
    case 'number':
      return schema === null && !Number.isSafeInteger(value) ? double(0) : 0
    case 'bigint':
      return 0
    case 'boolean':
      return false
  }
  if (value instanceof FloatingNumber) return value instanceof Float ? new Float(0) : double(0)
  if (value instanceof Decimal) return new Decimal(0n, schema?.name === DECIMAL ? scaleOf(schema) : 0)
  if (value instanceof Date) return new Date(0)
  if (Array.isArray(value)) return []
  if (value instanceof Map) return new Map()
  if (typeof value === 'object' && !Buffer.isBuffer(value) && schema?.type !== 'struct') return {}
  throw new DataError(`Cannot mask value of type: ${schema?.type === 'struct' ? 'a Struct' : typeName(value)}`)
}

function replaced(schema: Schema | null, value: unknown, replacement: string): unknown {
  if (typeof value === 'string') return replacement
  const isNumber = typeof value === 'number' || typeof value === 'bigint' || value instanceof FloatingNumber
  if (!isNumber && !(value instanceof Decimal)) {
    throw new DataError(`Cannot mask value of type ${typeName(value)} with custom replacement.`)
  }
  const number = parseReplacement(replacement)
  // The decimal gets the scale of the field's schema, because the converter requires it.
  if (value instanceof Decimal) return schema ? withScale(number, scaleOf(schema)) : number
  if (value instanceof Float) return new Float(number.toNumber())
  switch (schema?.type) {
    case 'float':
      return Math.fround(number.toNumber())
    case 'double':
      return number.toNumber()
    case 'int8':
      return narrowInteger(wholePart(number), 8)
    case 'int16':
      return narrowInteger(wholePart(number), 16)
    case 'int32':
      return narrowInteger(wholePart(number), 32)
    case 'int64':
      return narrowInteger(wholePart(number), 64)
  }
  const isLong = typeof value === 'bigint' || Number.isSafeInteger(value)
  return isLong ? narrowInteger(wholePart(number), 64) : double(number.toNumber())
}

function withScale(number: Decimal, scale: number): Decimal {
  try {
    return number.withScale(scale)
  } catch {
    throw new DataError(`The replacement ${number} does not fit the scale ${scale} of its field`)
  }
}

function parseReplacement(text: string): Decimal {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$/.test(text)) {
    throw new DataError(`Unable to convert ${text} to a number`)
  }
  return Decimal.parse(text)
}

export class MaskFieldKey extends MaskField {
  constructor() {
    super('key')
  }
}

export class MaskFieldValue extends MaskField {
  constructor() {
    super('value')
  }
}
