/**
 * The functions that declare messages, modelled on the JSON definitions in Kafka's
 * `common/message`. The keys of `fields` are the names of the fields, in wire order. Versions use
 * Kafka's notation (`0-4`, `7+`). The TypeScript types of a message are derived from its
 * declaration: `Message` for a decoded message, and `MessageInput` for a message to encode.
 */

export declare const decoded: unique symbol
export declare const input: unique symbol

/** The scalar types of fields, with the TypeScript types of decoded values. */
export interface Scalars {
  bool: boolean
  int8: number
  int16: number
  uint16: number
  int32: number
  uint32: number
  int64: number
  float64: number
  string: string
  uuid: string
  bytes: Buffer
  records: Buffer
}

export type ScalarType = keyof Scalars

/**
 * The TypeScript types of scalar values to encode. Record batches can also be an array of chunks,
 * which are written one after another without a copy.
 */
interface ScalarInputs extends Omit<Scalars, 'records'> {
  records: Buffer | readonly Buffer[]
}

/**
 * A declared field. `T` is the TypeScript type of a decoded value, and `I` is the type of a value
 * to encode. Both exist only for the compiler.
 */
export interface Field<T = unknown, I = unknown> {
  readonly kind: ScalarType | 'array' | 'struct'
  readonly versions: string
  readonly options: FieldOptions
  /** The fields of a struct, or of the structs in an array. */
  readonly fields?: Fields
  /** The element type of an array of scalars. */
  readonly element?: ScalarType
  readonly [decoded]: T
  readonly [input]: I
}

export interface Fields {
  readonly [name: string]: Field
}

export interface FieldOptions {
  /**
   * The value of a missing field. Default: zero, false, or an empty string, buffer or array. The
   * fields of a missing struct get their defaults.
   */
  readonly default?: string | number | boolean | null | undefined
  /** The versions in which the field can be null. Default: none. */
  readonly nullable?: string
  /** The tag of a tagged field, and the versions in which the field is tagged. */
  readonly tag?: number
  readonly tagged?: string
  /**
   * Whether encoding may drop a value if the version does not have the field. Otherwise, encoding a
   * request or a record fails, unless the value is the default.
   */
  readonly ignorable?: true
}

type Default = FieldOptions['default']

interface Plain<D extends Default> extends FieldOptions {
  readonly default?: D
  readonly nullable?: never
}

interface Nullable<D extends Default> extends FieldOptions {
  readonly default?: D | null
  readonly nullable: string
}

/** The type of a decoded message. Every field is present. */
export type DecodedFields<F extends Fields> = { -readonly [K in keyof F]: F[K][typeof decoded] }

/** The type of a message to encode. Missing fields get their defaults. */
export type InputFields<F extends Fields> = { readonly [K in keyof F]?: F[K][typeof input] | undefined }

export interface MessageShape {
  readonly name: string
  readonly type: 'request' | 'response' | 'data'
  readonly apiKey?: number
  /** The declared versions. */
  readonly versions: string
  /** The versions with compact lengths and tagged fields. */
  readonly flexible: string
  /** Whether the last version is unstable. An unstable version is used only on explicit request. */
  readonly latestVersionUnstable?: true
}

/** A declared message. `F` contains the types of the message's fields. */
export interface MessageDeclaration<F extends Fields = Fields> extends MessageShape {
  readonly fields: F
}

/** A decoded message. Every field is present, and missing fields have their defaults. */
export type Message<M extends MessageDeclaration> = DecodedFields<M['fields']>

/** A message to encode. Every field is optional. */
export type MessageInput<M extends MessageDeclaration> = InputFields<M['fields']>

/** Returns the declaration of a message, with the types of its fields. */
export function message<F extends Fields>(shape: MessageShape & { readonly fields: F }): MessageDeclaration<F> {
  return shape
}

type Parts = Omit<Field, typeof decoded | typeof input>

/** Returns a field. Its TypeScript types exist only for the compiler. */
function field(parts: Parts): never {
  return parts as never
}

interface ScalarBuilder<K extends ScalarType> {
  (versions: string, options?: Plain<Scalars[K] & Default>): Field<Scalars[K], ScalarInputs[K]>
  (versions: string, options: Nullable<Scalars[K] & Default>): Field<Scalars[K] | null, ScalarInputs[K] | null>
}

function scalar<K extends ScalarType>(kind: K): ScalarBuilder<K> {
  return (versions: string, options: FieldOptions = {}) => field({ kind, versions, options })
}

export const bool = scalar('bool')
export const int8 = scalar('int8')
export const int16 = scalar('int16')
export const uint16 = scalar('uint16')
export const int32 = scalar('int32')
export const uint32 = scalar('uint32')
/**
 * An int64, as a `number` that is rounded beyond 2^53. Encoding clamps values to 64 bits, so
 * Long.MAX_VALUE and Long.MIN_VALUE are preserved.
 */
export const int64 = scalar('int64')
export const float64 = scalar('float64')
export const string = scalar('string')
/** A uuid, as 22 base64url characters like those of Java's `Uuid.toString`. */
export const uuid = scalar('uuid')
export const bytes = scalar('bytes')
/** A field for record batches, which are bytes on the wire. */
export const records = scalar('records')

interface StructBuilder {
  <F extends Fields>(versions: string, fields: F, options?: Plain<never>): Field<DecodedFields<F>, InputFields<F>>
  <F extends Fields>(
    versions: string,
    fields: F,
    options: Nullable<never>,
  ): Field<DecodedFields<F> | null, InputFields<F> | null>
}

/** Declares a struct. On the wire, an int8 precedes a nullable struct. */
export const struct: StructBuilder = (versions: string, fields: Fields, options: FieldOptions = {}) =>
  field({ kind: 'struct', versions, options, fields })

interface ArrayBuilder {
  <K extends ScalarType>(versions: string, of: K, options?: Plain<never>): Field<Scalars[K][], readonly Scalars[K][]>
  <K extends ScalarType>(
    versions: string,
    of: K,
    options: Nullable<never>,
  ): Field<Scalars[K][] | null, readonly Scalars[K][] | null>
  <F extends Fields>(
    versions: string,
    of: F,
    options?: Plain<never>,
  ): Field<DecodedFields<F>[], readonly InputFields<F>[]>
  <F extends Fields>(
    versions: string,
    of: F,
    options: Nullable<never>,
  ): Field<DecodedFields<F>[] | null, readonly InputFields<F>[] | null>
}

/** Declares an array. `of` is the name of a scalar type, or the fields of a struct. */
export const array: ArrayBuilder = (versions: string, of: ScalarType | Fields, options: FieldOptions = {}) =>
  typeof of === 'string'
    ? field({ kind: 'array', versions, options, element: of })
    : field({ kind: 'array', versions, options, fields: of })
