/**
 * The language that messages are declared in, modelled on the JSON definitions in Kafka's `common/message`. Field names
 * are keys, in wire order; versions are in Kafka's notation (`0-4`, `7+`). The type of a message follows from its
 * declaration: `Message` as decoded, `MessageInput` as given to `encode`.
 */

export declare const decoded: unique symbol
export declare const input: unique symbol

/** The types that stand for themselves on the wire, with what they are in TypeScript when decoded. */
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

/** What a scalar may be given as: record batches also as chunks, written one after another without a copy. */
interface ScalarInputs extends Omit<Scalars, 'records'> {
  records: Buffer | readonly Buffer[]
}

/** A declared field: what it is on the wire, and (in the type only) what it is in TypeScript. */
export interface Field<T = unknown, I = unknown> {
  readonly kind: ScalarType | 'array' | 'struct'
  readonly versions: string
  readonly options: FieldOptions
  /** The fields of a struct, or of an array's structs. */
  readonly fields?: Fields
  /** The elements of an array of scalars. */
  readonly element?: ScalarType
  readonly [decoded]: T
  readonly [input]: I
}

export interface Fields {
  readonly [name: string]: Field
}

export interface FieldOptions {
  /** The value of a missing field. Default: zero, false, the empty string, bytes or array; of a struct, its fields' defaults. */
  readonly default?: string | number | boolean | null
  /** Versions that may hold null. Default: none. */
  readonly nullable?: string
  /** The tag of a tagged field, and the versions in which it is tagged. */
  readonly tag?: number
  readonly tagged?: string
  /** Whether a version that lacks the field may drop a value that is not the default. Otherwise encoding a request or a record fails. */
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

/** What a decoded message looks like: every field present. */
export type DecodedFields<F extends Fields> = { -readonly [K in keyof F]: F[K][typeof decoded] }

/** What can be encoded: a missing field has its default. */
export type InputFields<F extends Fields> = { readonly [K in keyof F]?: F[K][typeof input] | undefined }

export interface MessageShape {
  readonly name: string
  readonly type: 'request' | 'response' | 'data'
  readonly apiKey?: number
  /** The versions that exist here. */
  readonly versions: string
  /** The versions with compact lengths and tagged fields. */
  readonly flexible: string
  /** The last version is not final: spoken only when asked for. */
  readonly latestVersionUnstable?: true
}

/** A declared message. `F` carries the types of its fields. */
export interface MessageDeclaration<F extends Fields = Fields> extends MessageShape {
  readonly fields: F
}

/** A message as decoded: every field present, defaults filled in. */
export type Message<M extends MessageDeclaration> = DecodedFields<M['fields']>

/** A message to encode: every field optional. */
export type MessageInput<M extends MessageDeclaration> = InputFields<M['fields']>

/** Declares a message. */
export function message<F extends Fields>(shape: MessageShape & { readonly fields: F }): MessageDeclaration<F> {
  return shape
}

type Parts = Omit<Field, typeof decoded | typeof input>

/** The one place where a field gets its types: they exist for the compiler only. */
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
/** A `number`: beyond 2^53 it is rounded, and encoding clamps to the range, so Long.MAX_VALUE and MIN_VALUE survive. */
export const int64 = scalar('int64')
export const float64 = scalar('float64')
export const string = scalar('string')
/** 22 characters of base64url, as `Uuid.toString` in Java. */
export const uuid = scalar('uuid')
export const bytes = scalar('bytes')
/** Record batches: bytes on the wire. */
export const records = scalar('records')

interface StructBuilder {
  <F extends Fields>(versions: string, fields: F, options?: Plain<never>): Field<DecodedFields<F>, InputFields<F>>
  <F extends Fields>(
    versions: string,
    fields: F,
    options: Nullable<never>,
  ): Field<DecodedFields<F> | null, InputFields<F> | null>
}

/** A struct; a nullable one is preceded by one int8 on the wire. */
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

/** An array of scalars (by their name) or of structs (by their fields). */
export const array: ArrayBuilder = (versions: string, of: ScalarType | Fields, options: FieldOptions = {}) =>
  typeof of === 'string'
    ? field({ kind: 'array', versions, options, element: of })
    : field({ kind: 'array', versions, options, fields: of })
