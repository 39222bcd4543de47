import { DATE, DataError, Decimal, double, Float, FloatingNumber, type Schema } from 'millrace/connect'
import { javaToString, renderValue } from 'millrace/connect/java'
import { type Bits, floatOfBig, narrowFloating, narrowInteger, wholePart } from './narrowing.ts'
import { typeName } from './requirements.ts'

export type CastType = 'int8' | 'int16' | 'int32' | 'int64' | 'float' | 'double' | 'boolean' | 'string'

const TYPES: ReadonlyMap<string, CastType> = new Map([
  ['int8', 'int8'],
  ['int16', 'int16'],
  ['int32', 'int32'],
  ['int64', 'int64'],
  ['float32', 'float'],
  ['float64', 'double'],
  ['boolean', 'boolean'],
  ['string', 'string'],
])

/**
 * Returns the type with this name in a cast spec, ignoring case. Returns undefined for unknown
 * names.
 */
export function castTypeOf(text: string): CastType | undefined {
  return TYPES.get(text.toLowerCase())
}

const BITS = { int8: 8, int16: 16, int32: 32, int64: 64 } as const
const DAY_MS = 86_400_000

/** Converts a value to another type as Connect's Cast does. Null stays null. Throws a DataError. */
export function castValue(schema: Schema | null, value: unknown, type: CastType): unknown {
  if (value === null || value === undefined) return null
  switch (type) {
    case 'string':
      return textOf(schema, value)
    case 'boolean':
      // A number is true if its whole part is not zero: 0.5 is false.
      return typeof value === 'string' ? value.toLowerCase() === 'true' : toInteger(schema, value, 64) !== 0
    case 'float': {
      const float = toFloat(schema, value)
      return schema === null ? new Float(float) : float
    }
    case 'double': {
      const n = toDouble(schema, value)
      return schema === null ? double(n) : n
    }
    default:
      return toInteger(schema, value, BITS[type])
  }
}

function textOf(schema: Schema | null, value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (schema === null && (value instanceof Date || value instanceof Decimal)) throw unsupported(value)
  if (value instanceof Date) return renderValue(schema, value) ?? ''
  if (typeof value !== 'object' || value instanceof Decimal || value instanceof FloatingNumber) {
    return javaToString(schema, value)
  }
  throw unsupported(value)
}

function unsupported(value: unknown): DataError {
  return new DataError(
    `Cast transformation does not support casting from ${typeName(value)}; supported types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]`,
  )
}

function outOfRange(text: string): DataError {
  return new DataError(`Value (${text}) was out of range for requested data type`)
}

function toInteger(schema: Schema | null, value: unknown, bits: Bits): number | bigint {
  switch (typeof value) {
    case 'boolean':
      return value ? 1 : 0
    case 'string':
      return parseInteger(value, bits)
    case 'bigint':
      return narrowInteger(value, bits)
    case 'number':
      return isDouble(schema, value) ? narrowFloating(value, bits) : narrowInteger(value, bits)
  }
  if (value instanceof FloatingNumber) return narrowFloating(value.value, bits)
  const encoded = encodedOf(schema, value)
  return narrowInteger(encoded instanceof Decimal ? wholePart(encoded) : encoded, bits)
}

function isDouble(schema: Schema | null, value: number): boolean {
  return schema === null ? !Number.isSafeInteger(value) : schema.type === 'double' || schema.type === 'float'
}

function toDouble(schema: Schema | null, value: unknown): number {
  if (typeof value === 'string') return parseFloating(value)
  if (typeof value !== 'object') return Number(value)
  if (value instanceof FloatingNumber) return value.value
  const encoded = encodedOf(schema, value)
  return encoded instanceof Decimal ? encoded.toNumber() : encoded
}

function toFloat(schema: Schema | null, value: unknown): number {
  return typeof value === 'bigint' ? floatOfBig(value) : Math.fround(toDouble(schema, value))
}

/** Returns the number that encodes a logical value, such as the days of a Date. */
function encodedOf(schema: Schema | null, value: unknown): number | Decimal {
  if (schema !== null && value instanceof Decimal) return value
  if (schema === null || !(value instanceof Date)) throw unsupported(value)
  return schema.name === DATE ? value.getTime() / DAY_MS : value.getTime()
}

function parseInteger(text: string, bits: Bits): number | bigint {
  const match = /^([+-]?)0*(\d{1,19})$/.exec(text)
  if (!match) throw outOfRange(text)
  const n = BigInt(match[1] === '-' ? `-${match[2]}` : match[2]!)
  if (BigInt.asIntN(bits, n) !== n) throw outOfRange(text)
  return narrowInteger(n, bits)
}

const DECIMAL_TEXT = /^[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)$/
const HEX_TEXT = /^([+-]?)0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)[pP]([+-]?\d+)[fFdD]?$/

/**
 * Parses everything that Java's Double.parseDouble accepts, including surrounding white space and
 * hexadecimal fractions.
 */
function parseFloating(text: string): number {
  const trimmed = text.replace(/^[\0-\x20]+|[\0-\x20]+$/g, '')
  if (DECIMAL_TEXT.test(trimmed)) return Number(trimmed.replace(/[fFdD]$/, ''))
  const hex = HEX_TEXT.exec(trimmed)
  const digits = hex ? `${hex[2]}${hex[3]}` : ''
  if (!hex || digits === '') throw outOfRange(text)
  const magnitude = Number(BigInt(`0x${digits}`)) * 2 ** (Number(hex[4]) - 4 * hex[3]!.length)
  return hex[1] === '-' ? -magnitude : magnitude
}
