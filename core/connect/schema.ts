import { DataError } from './errors.ts'
import { propertyName } from './own.ts'
/**
 * The types of Connect's data model (org.apache.kafka.connect.data.Schema.Type), as JsonConverter
 * spells them.
 */
export type SchemaType =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float'
  | 'double'
  | 'boolean'
  | 'string'
  | 'bytes'
  | 'array'
  | 'map'
  | 'struct'

/**
 * The type of a value. Schemas are immutable. Create a schema once and reuse it for all records of
 * the same kind, because converters cache their compiled code for each schema object.
 *
 * Values are plain JavaScript values:
 *
 *     int8, int16, int32, float, double   number
 *     int64     number if it is a safe integer, otherwise bigint
 *     boolean   boolean
 *     string    string
 *     bytes     Buffer
 *     array     Array
 *     map       Map, or a plain object if the keys are strings
 *     struct    a plain object with the values by field name; a missing field is null
 *
 * For the values of logical types, see `date`, `time`, `timestamp` and `decimal`.
 */
export interface Schema {
  readonly type: SchemaType
  readonly optional: boolean
  /** The value of a field that is not set. */
  readonly default?: unknown
  /** The name of a struct or of a logical type. */
  readonly name?: string | undefined
  readonly version?: number | undefined
  readonly doc?: string | undefined
  readonly parameters?: Readonly<Record<string, string>> | undefined
  /** The fields of a struct. Other types have none. */
  readonly fields?: readonly Field[] | undefined
  /** The schema of the keys of a map. Other types have none. */
  readonly keySchema?: Schema | undefined
  /** The schema of the values of a map or of the items of an array. Other types have none. */
  readonly valueSchema?: Schema | undefined
}

/** A field of a struct. */
export interface Field {
  readonly name: string
  readonly index: number
  readonly schema: Schema
}

/** The value of a struct: the values of its fields by name. */
export type Struct = Record<string, unknown>

/** The attributes that every schema may have. */
export interface SchemaOptions {
  /** Whether null is allowed. Default: false. */
  readonly optional?: boolean
  readonly default?: unknown
  readonly name?: string | undefined
  readonly version?: number | undefined
  readonly doc?: string | undefined
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

type Primitive = Exclude<SchemaType, 'array' | 'map' | 'struct'>

/** Returns a primitive schema: `primitive('int32', { optional: true })`. */
export function primitive(type: Primitive, options: SchemaOptions = {}): Schema {
  return Object.freeze({ type, optional: false, ...options })
}

/**
 * Returns the schema of a struct with these fields, in order: `struct({ id: primitive('int32') }, {
 * name: 'orders.Key' })`.
 */
export function struct(
  fields: Readonly<Record<string, Schema>> | ReadonlyMap<string, Schema>,
  options: SchemaOptions = {},
): Schema {
  const entries = fields instanceof Map ? [...fields] : Object.entries(fields as Readonly<Record<string, Schema>>)
  if (entries.some(([name]) => name === '')) throw new DataError('A field of a struct needs a name')
  const list = entries.map(([name, schema], index) => Object.freeze({ name: propertyName(name), index, schema }))
  return Object.freeze({ type: 'struct' as const, optional: false, ...options, fields: Object.freeze(list) })
}

/** Returns the schema of a list: `array(primitive('string'))`. */
export function array(valueSchema: Schema, options: SchemaOptions = {}): Schema {
  return Object.freeze({ type: 'array' as const, optional: false, ...options, valueSchema })
}

/** Returns the schema of a map: `map(primitive('string'), primitive('int32'))`. */
export function map(keySchema: Schema, valueSchema: Schema, options: SchemaOptions = {}): Schema {
  return Object.freeze({ type: 'map' as const, optional: false, ...options, keySchema, valueSchema })
}

/** Returns a copy of a schema with changed attributes, such as `{ optional: true }`. */
export function withOptions(schema: Schema, options: SchemaOptions): Schema {
  return Object.freeze({ ...schema, ...options })
}

const fieldIndex = new WeakMap<Schema, ReadonlyMap<string, Field>>()

/** Returns a field of a struct by its name, or undefined. */
export function field(schema: Schema, name: string): Field | undefined {
  let index = fieldIndex.get(schema)
  if (!index) {
    index = new Map((schema.fields ?? []).map(f => [f.name, f]))
    fieldIndex.set(schema, index)
  }
  return index.get(name)
}

/** Whether two schemas are equal in every attribute, including those of nested schemas. */
export function schemasEqual(a: Schema | null, b: Schema | null): boolean {
  if (a === b) return true
  if (!a || !b) return false
  if (a.type !== b.type || a.optional !== b.optional || a.name !== b.name || a.version !== b.version || a.doc !== b.doc)
    return false
  if (!sameJson(a.default, b.default) || !sameJson(a.parameters, b.parameters)) return false
  if (a.fields || b.fields) {
    if (a.fields?.length !== b.fields?.length) return false
    if (!a.fields!.every((f, i) => f.name === b.fields![i]!.name && schemasEqual(f.schema, b.fields![i]!.schema)))
      return false
  }
  return (
    schemasEqual(a.keySchema ?? null, b.keySchema ?? null) && schemasEqual(a.valueSchema ?? null, b.valueSchema ?? null)
  )
}

function sameJson(a: unknown, b: unknown): boolean {
  const plain = (v: unknown) => JSON.stringify(v, (_, x) => (typeof x === 'bigint' ? `${x}n` : x)) ?? 'undefined'
  return a === b || plain(a) === plain(b)
}
