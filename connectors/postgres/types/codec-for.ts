import { array, primitive, type Schema, withOptions } from 'millrace/connect'
import { type BinaryMode, bits, enumeration, Json, Ltree, TsVector, Uuid, Xml } from '../../cdc/index.ts'
import type { ValueOptions } from '../options.ts'
import { arrayDecoder, vectorDecoder } from './arrays.ts'
import { bigInt, type Codec, type Decode, double, hexBytes, smallInt } from './codec.ts'
import { hstoreCodec, textual, VECTORS } from './extensions.ts'
import { GEOMETRIC, POSTGIS } from './geometry.ts'
import { moneyCodec, numericCodec } from './numbers.ts'
import { dateCodec, intervalCodec, timeCodec, timestampCodec, timestamptzCodec, timetzCodec } from './times.ts'
import { unavailableArray, unavailableOf } from './unavailable.ts'

/** A type in the catalog. A domain is resolved to its base type. */
export interface ColumnType {
  readonly oid: number
  readonly name: string
  /** Whether the type is one of the server's own types (pg_catalog). */
  readonly builtin: boolean
  /** The labels of an enum, in order; null for other types. */
  readonly labels: readonly string[] | null
  /** The type of an array's elements; null for other types. */
  readonly element: ColumnType | null
  /** The type modifier; -1 without one. */
  readonly typmod: number
  /** Whether the type was declared as a domain. */
  readonly domain: boolean
  /** The delimiter between values of this type in the text of an array. */
  readonly delimiter: string
}

const plain = (schema: Schema, decode: Decode, filler: unknown): Codec => ({
  schema,
  decode,
  filler,
  unavailable: null,
  isText: false,
})

/**
 * Returns the precision and the scale of a numeric; null if they are not declared. The scale has 11
 * bits and can be negative.
 */
export function numericModifier(typmod: number): { precision: number; scale: number } | null {
  if (typmod < 4) return null
  const packed = typmod - 4
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 }
}

/** Returns the declared number of fractional digits of the seconds; -1 if it is not declared. */
export const timeModifier = (typmod: number): number => (typmod < 0 ? -1 : typmod & 0xffff)

const bitText: Decode = (buf, start, end) => {
  const length = end - start
  const out = Buffer.alloc(Math.ceil(length / 8))
  let used = 0
  for (let i = 0; i < length; i++) {
    if (buf[end - 1 - i] !== 0x31) continue
    out[i >> 3]! |= 1 << (i & 7)
    used = (i >> 3) + 1
  }
  return out.subarray(0, used)
}

function bitCodec(length: number): Codec {
  return length === 1
    ? plain(primitive('boolean'), (buf, _start, end) => buf[end - 1] === 0x31, false)
    : plain(bits(length), bitText, Buffer.alloc(0))
}

/** Converts bytes to their representation in each `binary.handling.mode`. */
export const shownBytes: Readonly<Record<BinaryMode, (b: Buffer) => Buffer | string>> = {
  bytes: b => b,
  base64: b => b.toString('base64'),
  'base64-url-safe': b => b.toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
  hex: b => b.toString('hex'),
}

/** Returns a codec for bytes, with the representation of `binary.handling.mode`. */
function binary(o: ValueOptions, bytesOf: (buf: Buffer, start: number, end: number) => Buffer): Codec {
  const empty = Buffer.alloc(0)
  const show = shownBytes[o.binary]
  return {
    schema: primitive(o.binary === 'bytes' ? 'bytes' : 'string'),
    decode: (buf, start, end) => show(bytesOf(buf, start, end)),
    filler: show(empty),
    unavailable:
      o.binary === 'bytes' ? o.placeholderBytes : o.binary === 'hex' ? o.placeholder : show(o.placeholderBytes),
    isText: false,
  }
}

const copyOf = (buf: Buffer, start: number, end: number): Buffer => Buffer.from(buf.subarray(start, end))
const string = primitive('string')
const text = (o: ValueOptions, isText: boolean): Codec => ({ ...textual(string, o.placeholder), isText })
const semantic = (schema: Schema, o: ValueOptions, filler = ''): Codec => ({
  ...textual(schema, o.placeholder),
  filler,
})
const NIL = '00000000-0000-0000-0000-000000000000'

type Make = (o: ValueOptions, typmod: number) => Codec

const whole = (type: 'int16' | 'int32' | 'int64', decode: Decode): Make => {
  const codec = plain(primitive(type), decode, 0)
  return () => codec
}
const opaque: Make = o => text(o, false)

/** The codecs of the types of pg_catalog, by name. */
const BUILTIN: Readonly<Record<string, Make>> = {
  bool: () => plain(primitive('boolean'), (buf, start) => buf[start] === 0x74, false),
  int2: whole('int16', smallInt),
  int4: whole('int32', smallInt),
  int8: whole('int64', bigInt),
  oid: whole('int64', smallInt),
  float4: () => plain(primitive('float'), double, 0),
  float8: () => plain(primitive('double'), double, 0),
  numeric: (o, typmod) => {
    const m = numericModifier(typmod)
    return numericCodec(o.decimals, m?.precision ?? null, m?.scale ?? 0)
  },
  money: o => moneyCodec(o.decimals, o.moneyDigits),
  text: o => text(o, true),
  varchar: o => text(o, true),
  bpchar: o => text(o, true),
  char: o => text(o, true),
  name: o => text(o, true),
  bytea: o => binary(o, hexBytes),
  date: o => dateCodec(o.time),
  time: (o, typmod) => timeCodec(o.time, timeModifier(typmod)),
  timetz: () => timetzCodec(),
  timestamp: (o, typmod) => timestampCodec(o.time, timeModifier(typmod)),
  timestamptz: (_o, typmod) => timestamptzCodec(timeModifier(typmod)),
  interval: o => intervalCodec(o.interval),
  uuid: o => ({ ...semantic(Uuid, o, NIL), unavailable: null }),
  json: o => semantic(Json, o),
  jsonb: o => semantic(Json, o),
  xml: o => semantic(Xml, o),
  tsvector: o => semantic(TsVector, o),
  bit: (_o, typmod) => bitCodec(typmod < 0 ? 1 : typmod),
  varbit: (_o, typmod) => bitCodec(typmod < 0 ? 2_147_483_647 : typmod),
  inet: opaque,
  cidr: opaque,
  macaddr: opaque,
  macaddr8: opaque,
  int4range: opaque,
  int8range: opaque,
  numrange: opaque,
  tsrange: opaque,
  tstzrange: opaque,
  daterange: opaque,
  ...Object.fromEntries(Object.entries(GEOMETRIC).map(([name, codec]) => [name, () => codec])),
}

/** The codecs of the types of extensions by name, in any schema. */
const EXTENSION: Readonly<Record<string, Make>> = {
  citext: o => text(o, false),
  ltree: o => semantic(Ltree, o),
  isbn: o => text(o, false),
  hstore: o => hstoreCodec(o.hstore, o.placeholder),
  ...Object.fromEntries(
    [...Object.entries(VECTORS), ...Object.entries(POSTGIS)].map(([name, codec]) => [name, () => codec]),
  ),
}

/**
 * Types whose arrays Debezium excludes. This connector excludes the same arrays, so that events are
 * equal.
 */
const NO_ARRAY = new Set(['money', 'name', 'interval', 'varbit', 'xml', 'point', 'refcursor'])

/**
 * Returns the schema of an array. Its elements are optional, because any array can contain NULL.
 */
const optionalElements = (element: Schema): Schema => array(withOptions(element, { optional: true }))

/**
 * Returns the codec of `oidvector` and `int2vector`, which are lists of numbers but not array
 * types.
 */
function vectorCodec(element: Codec): Codec {
  return plain(optionalElements(element.schema), vectorDecoder(element.decode), [])
}

function elementCodec(element: ColumnType, o: ValueOptions): Codec | null {
  // As in Debezium, a domain in an array is an unknown type. A domain over an enum is not, because
  // the labels of the enum are known.
  if (element.domain && element.labels === null) return o.includeUnknown ? unknownCodec(o) : null
  if (element.builtin && NO_ARRAY.has(element.name)) return null
  return codecOf(element, o)
}

function arrayCodec(type: ColumnType, o: ValueOptions): Codec | null {
  const element = type.element!
  if (type.builtin && (type.name === 'oidvector' || type.name === 'int2vector'))
    return vectorCodec(codecOf(element, o)!)
  const inner = elementCodec(element, o)
  if (inner === null) return null
  return {
    schema: optionalElements(inner.schema),
    decode: arrayDecoder(inner.decode, element.delimiter.charCodeAt(0)),
    filler: [],
    unavailable: unavailableArray(inner.schema, inner.unavailable, o),
    isText: false,
  }
}

const unknownCodec = (o: ValueOptions): Codec => binary(o, copyOf)

function codecOf(type: ColumnType, o: ValueOptions): Codec | null {
  if (type.element) return arrayCodec(type, o)
  if (type.labels) return { ...textual(enumeration(type.labels), o.placeholder), isText: true }
  const make = type.builtin ? BUILTIN[type.name] : EXTENSION[type.name]
  if (make) return make(o, type.typmod)
  return o.includeUnknown ? unknownCodec(o) : null
}

/**
 * Returns how values of a type are represented; null for a type that is excluded
 * (`include.unknown.datatypes=false`).
 */
export function codecFor(type: ColumnType, o: ValueOptions): Codec | null {
  const codec = codecOf(type, o)
  return codec && { ...codec, unavailable: codec.unavailable ?? unavailableOf(codec.schema, o) }
}
