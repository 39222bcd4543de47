import {
  DATE,
  DataError,
  DECIMAL,
  Decimal,
  type Field,
  millisOf,
  type Schema,
  scaleOf,
  TIME,
  TIMESTAMP,
} from 'millrace/connect'
import { javaBigDecimal, javaDouble, javaFloat } from 'millrace/connect/java'
import { quote } from './quote.ts'
import { writeSchemaless } from './write-schemaless.ts'

/** Renders one value as JSON text. Throws a WriteFault for a value that does not fit the schema. */
export type Writer = (value: unknown) => string

export interface WriteOptions {
  readonly decimalFormat: 'BASE64' | 'NUMERIC'
  readonly replaceNullWithDefault: boolean
}

export const DAY_MS = 86_400_000

/** Describes a value for an error message. Of a long value, only the start is shown. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Buffer.isBuffer(value)) return 'a Buffer'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'object'}`
  return `the ${typeof value} ${String(value).slice(0, 40)}`
}

function mismatch(schema: Schema, value: unknown): DataError {
  const type = schema.name ? `${schema.type} (${schema.name})` : schema.type
  return new DataError(`a field of type ${type} cannot contain ${describe(value)}`)
}

/**
 * Compiles a function that writes values of a schema. The function can be cached, because schemas
 * are immutable.
 */
export function compileWriter(schema: Schema, options: WriteOptions): Writer {
  const write = logicalWriter(schema, options) ?? typeWriter(schema, options)
  const byDefault =
    options.replaceNullWithDefault && schema.default !== undefined && schema.default !== null
      ? write(schema.default)
      : null
  if (byDefault !== null) return v => (v === null || v === undefined ? byDefault : write(v))
  if (schema.optional) return v => (v === null || v === undefined ? 'null' : write(v))
  return v => {
    if (v === null || v === undefined) {
      throw new DataError('Conversion error: null value for field that is required and has no default value')
    }
    return write(v)
  }
}

function logicalWriter(schema: Schema, options: WriteOptions): Writer | null {
  switch (schema.name) {
    case DECIMAL: {
      if (options.decimalFormat === 'NUMERIC') return v => javaBigDecimal(decimalOf(schema, v))
      return v => {
        const decimal = decimalOf(schema, v)
        return `"${withScale(decimal, scaleOf(schema)).toBuffer().toString('base64')}"`
      }
    }
    case DATE:
      return v => String(wholeDays(schema, v))
    case TIME:
      return v => {
        const ms = millis(schema, v)
        if (ms < 0 || ms > DAY_MS) throw new DataError('a Time must be within the day 1970-01-01')
        return String(ms)
      }
    case TIMESTAMP:
      return v => String(millis(schema, v))
    default:
      return null
  }
}

function decimalOf(schema: Schema, value: unknown): Decimal {
  const decimal = asDecimal(value)
  if (!decimal) throw mismatch(schema, value)
  return decimal
}

function withScale(decimal: Decimal, scale: number): Decimal {
  try {
    return decimal.withScale(scale)
  } catch {
    throw new DataError(`the decimal ${decimal} does not fit the scale ${scale} of its schema`)
  }
}

/** Returns the value as a Decimal, even if it was created by another copy of the class Decimal. */
function asDecimal(value: unknown): Decimal | null {
  if (value instanceof Decimal) return value
  if (typeof value !== 'object' || value === null || !('unscaled' in value) || !('scale' in value)) return null
  const { unscaled, scale } = value
  return typeof unscaled === 'bigint' && typeof scale === 'number' ? new Decimal(unscaled, scale) : null
}

function millis(schema: Schema, value: unknown): number | bigint {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw mismatch(schema, value)
  return millisOf(value)
}

function wholeDays(schema: Schema, value: unknown): number {
  const ms = Number(millis(schema, value))
  if (ms % DAY_MS !== 0) throw new DataError('a Date must have no time of day')
  return ms / DAY_MS
}

function integer(schema: Schema, limit: number): Writer {
  return v => {
    if (typeof v === 'number' && Number.isInteger(v) && v >= -limit && v < limit) return `${v}`
    throw mismatch(schema, v)
  }
}

function typeWriter(schema: Schema, options: WriteOptions): Writer {
  switch (schema.type) {
    case 'int8':
      return integer(schema, 2 ** 7)
    case 'int16':
      return integer(schema, 2 ** 15)
    case 'int32':
      return v => {
        if (typeof v === 'number' && (v | 0) === v) return `${v}`
        throw mismatch(schema, v)
      }
    case 'int64':
      return v => {
        if (typeof v === 'number' ? Number.isSafeInteger(v) : typeof v === 'bigint' && BigInt.asIntN(64, v) === v) {
          return `${v}`
        }
        throw mismatch(schema, v)
      }
    case 'float':
    case 'double': {
      const text = schema.type === 'float' ? javaFloat : javaDouble
      return v => {
        if (typeof v !== 'number') throw mismatch(schema, v)
        return Number.isFinite(v) ? text(v) : `"${v}"`
      }
    }
    case 'boolean':
      return v => {
        if (typeof v !== 'boolean') throw mismatch(schema, v)
        return v ? 'true' : 'false'
      }
    case 'string':
      return stringWriter(schema)
    case 'bytes':
      return v => {
        if (Buffer.isBuffer(v)) return `"${v.toString('base64')}"`
        if (v instanceof Uint8Array) return `"${Buffer.from(v.buffer, v.byteOffset, v.length).toString('base64')}"`
        throw mismatch(schema, v)
      }
    case 'array':
      return arrayWriter(schema, options)
    case 'map':
      return mapWriter(schema, options)
    case 'struct':
      return structWriter(schema, options)
  }
}

/** The maximum length of text that is cached for the next record. */
const REPEATED = 64

/**
 * Returns a writer that caches the last text of a field. Consecutive records often contain the same
 * text, such as the name of a table.
 */
function stringWriter(schema: Schema): Writer {
  let last = ''
  let written = '""'
  return v => {
    if (v === last) return written
    if (typeof v !== 'string') throw mismatch(schema, v)
    const text = quote(v)
    if (v.length <= REPEATED) {
      last = v
      written = text
    }
    return text
  }
}

function arrayWriter(schema: Schema, options: WriteOptions): Writer {
  const item = schema.valueSchema ? compileWriter(schema.valueSchema, options) : writeSchemaless
  return v => {
    if (!Array.isArray(v)) throw mismatch(schema, v)
    let out = '['
    for (let i = 0; i < v.length; i++) out += (i === 0 ? '' : ',') + item(v[i])
    return `${out}]`
  }
}

/** Returns the entries of a map. The map is a Map or a plain object. */
function entriesOf(schema: Schema, value: unknown): Iterable<[unknown, unknown]> {
  if (value instanceof Map) return value
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Buffer.isBuffer(value)) {
    throw mismatch(schema, value)
  }
  return Object.entries(value)
}

// A map with string keys becomes an object. Any other map becomes an array of pairs.
function mapWriter(schema: Schema, options: WriteOptions): Writer {
  const key = schema.keySchema ? compileWriter(schema.keySchema, options) : writeSchemaless
  const item = schema.valueSchema ? compileWriter(schema.valueSchema, options) : writeSchemaless
  if (!schema.keySchema) return writeSchemaless
  if (schema.keySchema.type === 'string') {
    return v => {
      let out = ''
      for (const [k, value] of entriesOf(schema, v)) out += `${out === '' ? '' : ','}${key(k)}:${item(value)}`
      return `{${out}}`
    }
  }
  return v => {
    let out = ''
    for (const [k, value] of entriesOf(schema, v)) out += `${out === '' ? '' : ','}[${key(k)},${item(value)}]`
    return `[${out}]`
  }
}

type Getter = (struct: Record<string, unknown>) => unknown

/** Returns a function that reads a field. It ignores inherited properties such as `constructor`. */
function getter(name: string): Getter {
  return name in Object.prototype ? s => (Object.hasOwn(s, name) ? s[name] : null) : s => s[name]
}

function structWriter(schema: Schema, options: WriteOptions): Writer {
  const fields = schema.fields ?? []
  const prefixes = fields.map((f, i) => `${i === 0 ? '{' : ','}${quote(f.name)}:`)
  const names = fields.map(f => f.name)
  const inherited = names.some(name => name in Object.prototype)
  const getters = names.map(getter)
  const writers = fields.map(f => compileWriter(f.schema, options))
  if (fields.length === 0) return () => '{}'
  // The text of a frozen struct without nested structs is cached, because many records can share
  // the struct. An example is `source` during a snapshot.
  const flat = fields.every(f => f.schema.type !== 'struct' && f.schema.type !== 'array' && f.schema.type !== 'map')
  let last: object | null = null
  let written: string | null = null
  return v => {
    if (v === last && written !== null) return written
    if (typeof v !== 'object' || v === null || Array.isArray(v) || v instanceof Map || Buffer.isBuffer(v)) {
      throw mismatch(schema, v)
    }
    const struct = v as Record<string, unknown>
    let out = ''
    for (let i = 0; i < names.length; i++) {
      out += prefixes[i]! + writers[i]!(inherited ? getters[i]!(struct) : struct[names[i]!])
    }
    out += '}'
    if (flat) {
      written = v === last && Object.isFrozen(v) ? out : null
      last = v
    }
    return out
  }
}

/** Returns the path of the value that a writer rejected, such as `after.price` or `items[3]`. */
export function faultyPath(schema: Schema, value: unknown, options: WriteOptions): string {
  const fails = (s: Schema, v: unknown): boolean => {
    try {
      compileWriter(s, options)(v)
      return false
    } catch {
      return true
    }
  }
  if (schema.type === 'struct' && typeof value === 'object' && value !== null) {
    const struct = value as Record<string, unknown>
    const bad = schema.fields?.find((f: Field) => fails(f.schema, getter(f.name)(struct)))
    if (!bad) return ''
    const deeper = faultyPath(bad.schema, struct[bad.name], options)
    return deeper === '' || deeper.startsWith('[') ? bad.name + deeper : `${bad.name}.${deeper}`
  }
  if (schema.type === 'array' && Array.isArray(value) && schema.valueSchema) {
    const { valueSchema } = schema
    const i = value.findIndex(v => fails(valueSchema, v))
    if (i < 0) return ''
    const deeper = faultyPath(valueSchema, value[i], options)
    return deeper === '' || deeper.startsWith('[') ? `[${i}]${deeper}` : `[${i}].${deeper}`
  }
  return ''
}
