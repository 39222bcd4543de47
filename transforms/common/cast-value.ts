import {
  DataError,
  Decimal,
  double,
  Float,
  FloatingNumber,
  javaToString,
  renderValue,
  type Schema,
} from '../../core/connect/index.ts'
import { typeName } from './requirements.ts'

export type CastType = 'int8' | 'int16' | 'int32' | 'int64' | 'float' | 'double' | 'boolean' | 'string'

const TYPES: Readonly<Record<string, CastType>> = {
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  float32: 'float',
  float64: 'double',
  boolean: 'boolean',
  string: 'string',
}

/** A type as cast specs spell it, in any case. */
export function castTypeOf(text: string): CastType | undefined {
  return TYPES[text.toLowerCase()]
}

const BITS: Readonly<Record<string, number>> = { int8: 8, int16: 16, int32: 32, int64: 64 }
const SAFE = BigInt(Number.MAX_SAFE_INTEGER)

const small = (n: bigint): number | bigint => (n <= SAFE && n >= -SAFE ? Number(n) : n)

/** A value as another type, as Connect's Cast makes it; null stays null. Throws DataError. */
export function castValue(schema: Schema | null, value: unknown, type: CastType): unknown {
  if (value === null || value === undefined) return null
  if (type === 'string') return textOf(schema, value)
  const plain = plainOf(schema, value)
  if (type === 'boolean') return typeof plain === 'string' ? plain.toLowerCase() === 'true' : Number(plain) !== 0
  if (type === 'float' || type === 'double') {
    const n = typeof plain === 'string' ? parseFloating(plain) : Number(plain)
    if (schema === null) return type === 'float' ? new Float(n) : double(n)
    return type === 'float' ? Math.fround(n) : n
  }
  return typeof plain === 'string' ? parseInteger(plain, BITS[type]!) : toInteger(plain, BITS[type]!)
}

function textOf(schema: Schema | null, value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (value instanceof Date) return renderValue(schema, value) ?? ''
  if (value instanceof Decimal || value instanceof FloatingNumber || typeof value !== 'object')
    return javaToString(schema, value)
  throw unsupported(value)
}

/** The number, boolean or text that is to be cast. Dates are their number on the wire. */
function plainOf(schema: Schema | null, value: unknown): number | bigint | boolean | string {
  if (value instanceof Date) {
    return schema?.name === 'org.apache.kafka.connect.data.Date' ? value.getTime() / 86_400_000 : value.getTime()
  }
  if (value instanceof Decimal) return value.toNumber()
  if (value instanceof FloatingNumber) return value.value
  if (typeof value === 'object' || typeof value === 'undefined') throw unsupported(value)
  return value as number | bigint | boolean | string
}

function unsupported(value: unknown): DataError {
  return new DataError(
    `Cast transformation does not support casting from ${typeName(value)}; supported types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]`,
  )
}

function outOfRange(text: string): DataError {
  return new DataError(`Value (${text}) was out of range for requested data type`)
}

function parseInteger(text: string, bits: number): number | bigint {
  if (!/^[+-]?\d+$/.test(text)) throw outOfRange(text)
  const n = BigInt(text)
  if (BigInt.asIntN(bits, n) !== n) throw outOfRange(text)
  return small(n)
}

function parseFloating(text: string): number {
  const trimmed = text.trim()
  if (!/^[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)$/.test(trimmed)) throw outOfRange(text)
  return Number(trimmed.replace(/[fFdD]$/, ''))
}

/** As Java narrows: a floating number is cut and held within int or long, an integer keeps its lowest bits. */
function toInteger(value: number | bigint | boolean, bits: number): number | bigint {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'bigint') return small(BigInt.asIntN(bits, value))
  if (Number.isNaN(value)) return 0
  const whole = Math.trunc(value) + 0
  if (Number.isSafeInteger(whole) && Number.isInteger(value)) return small(BigInt.asIntN(bits, BigInt(whole)))
  const limit = 2n ** BigInt(bits === 64 ? 63 : 31)
  const held = Number.isFinite(whole) ? BigInt(whole) : whole > 0 ? limit : -limit
  const within = held >= limit ? limit - 1n : held < -limit ? -limit : held
  return small(BigInt.asIntN(bits, within))
}
