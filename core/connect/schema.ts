import { DataError } from './errors.ts'
import { propertyName } from './own.ts'
/** The types of Connect's data model (org.apache.kafka.connect.data.Schema.Type), as JsonConverter spells them. */
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
 * The shape of a value. Immutable; build one with the functions of this file and keep it: converters compile and cache
 * by identity, so a task makes a schema once per table version, not once per record.
 *
 * Values are plain JavaScript: int8..int32, float, double: `number`; int64: `number` while it is a safe integer, else
 * `bigint`; boolean; string; bytes: `Buffer`; array: `Array`; map: `Map` (a plain object is accepted where keys are
 * strings); struct: a plain object by field name, a missing key meaning null. Logical types: see `logical.ts`.
 */
export interface Schema {
  readonly type: SchemaType
  readonly optional: boolean
  /** The value where none is given. */
  readonly default?: unknown
  /** The name of a struct or of a logical type. */
  readonly name?: string | undefined
  readonly version?: number | undefined
  readonly doc?: string | undefined
  readonly parameters?: Readonly<Record<string, string>> | undefined
  /** struct only. */
  readonly fields?: readonly Field[] | undefined
  /** map only. */
  readonly keySchema?: Schema | undefined
  /** map and array only: the schema of the values. */
  readonly valueSchema?: Schema | undefined
}

export interface Field {
  readonly name: string
  readonly index: number
  readonly schema: Schema
}

/** A struct's value. */
export type Struct = Record<string, unknown>

/** What every schema may carry. */
export interface SchemaOptions {
  /** Whether null is allowed. Default false. */
  readonly optional?: boolean
  readonly default?: unknown
  readonly name?: string | undefined
  readonly version?: number | undefined
  readonly doc?: string | undefined
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

type Primitive = Exclude<SchemaType, 'array' | 'map' | 'struct'>

/** A primitive schema: `primitive('int32', { optional: true })`. */
export function primitive(type: Primitive, options: SchemaOptions = {}): Schema {
  return Object.freeze({ type, optional: false, ...options })
}

/** A struct of the named fields, in order: `struct({ id: primitive('int32') }, { name: 'orders.Key' })`. */
export function struct(
  fields: Readonly<Record<string, Schema>> | ReadonlyMap<string, Schema>,
  options: SchemaOptions = {},
): Schema {
  const entries = fields instanceof Map ? [...fields] : Object.entries(fields as Readonly<Record<string, Schema>>)
  if (entries.some(([name]) => name === '')) throw new DataError('A field of a struct needs a name')
  const list = entries.map(([name, schema], index) => Object.freeze({ name: propertyName(name), index, schema }))
  return Object.freeze({ type: 'struct' as const, optional: false, ...options, fields: Object.freeze(list) })
}

export function array(valueSchema: Schema, options: SchemaOptions = {}): Schema {
  return Object.freeze({ type: 'array' as const, optional: false, ...options, valueSchema })
}

export function map(keySchema: Schema, valueSchema: Schema, options: SchemaOptions = {}): Schema {
  return Object.freeze({ type: 'map' as const, optional: false, ...options, keySchema, valueSchema })
}

/** The same schema with some of its attributes changed, such as `{ optional: true }`. */
export function withOptions(schema: Schema, options: SchemaOptions): Schema {
  return Object.freeze({ ...schema, ...options })
}

const fieldIndex = new WeakMap<Schema, ReadonlyMap<string, Field>>()

/** A struct's field by name, or undefined. */
export function field(schema: Schema, name: string): Field | undefined {
  let index = fieldIndex.get(schema)
  if (!index) {
    index = new Map((schema.fields ?? []).map(f => [f.name, f]))
    fieldIndex.set(schema, index)
  }
  return index.get(name)
}

/** Whether two schemas are equal in every attribute, deeply. */
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
