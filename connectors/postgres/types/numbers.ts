import { Decimal, decimal, primitive } from 'millrace/connect'
import { type DecimalMode, Unrepresentable, VariableScaleDecimal } from '../../cdc/index.ts'
import { ascii, type Codec, type Decode } from './codec.ts'

const SPECIAL = /^(NaN|-?Infinity)$/

/** Debezium's text for NaN and infinite numbers with `decimal.handling.mode=string`. */
const SPECIAL_NAMES: Readonly<Record<string, string>> = {
  NaN: 'NAN',
  Infinity: 'POSITIVE_INFINITY',
  '-Infinity': 'NEGATIVE_INFINITY',
}

const noSpecial = (text: string): never => {
  throw new Unrepresentable(`a decimal cannot represent ${text}; use decimal.handling.mode=string or double`)
}

/** Returns the digits of `text` as a whole number, without the decimal point. */
function unscaledOf(text: string): bigint {
  const point = text.indexOf('.')
  const digits = point < 0 ? text : text.slice(0, point) + text.slice(point + 1)
  // Number() is much faster than BigInt() for short numbers
  return digits.length <= 15 ? BigInt(Number(digits)) : BigInt(digits)
}

const scaleOf = (text: string): number => {
  const point = text.indexOf('.')
  return point < 0 ? 0 : text.length - point - 1
}

function exact(scale: number): Decode {
  return (buf, start, end) => {
    const text = ascii(buf, start, end)
    const last = text.charCodeAt(text.length - 1)
    if (last < 0x30 || last > 0x39) return noSpecial(text)
    const own = scaleOf(text)
    const value = new Decimal(unscaledOf(text), own)
    return own === scale ? value : value.withScale(scale)
  }
}

/**
 * Decodes a number without a declared scale. Trailing zeros after the decimal point are removed.
 */
const variable: Decode = (buf, start, end) => {
  const text = ascii(buf, start, end)
  if (SPECIAL.test(text)) return noSpecial(text)
  const shown = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return { scale: scaleOf(shown), value: new Decimal(unscaledOf(shown), scaleOf(shown)).toBuffer() }
}

const asText: Decode = (buf, start, end) => {
  const text = ascii(buf, start, end)
  return SPECIAL_NAMES[text] ?? text
}
const asDouble: Decode = (buf, start, end) => Number(ascii(buf, start, end))

const base = { unavailable: null, isText: false }

/** Returns the codec of `numeric`. `precision` is null if the column does not declare it. */
export function numericCodec(mode: DecimalMode, precision: number | null, scale: number): Codec {
  if (mode === 'string')
    return { ...base, schema: primitive('string'), decode: asText, filler: scale > 0 ? `0.${'0'.repeat(scale)}` : '0' }
  if (mode === 'double') return { ...base, schema: primitive('double'), decode: asDouble, filler: 0 }
  if (precision === null)
    return { ...base, schema: VariableScaleDecimal, decode: variable, filler: { scale: 0, value: Buffer.alloc(1) } }
  const schema = decimal(scale, { parameters: { 'connect.decimal.precision': String(precision) } })
  return { ...base, schema, decode: exact(scale), filler: new Decimal(0n, scale) }
}

/** Returns a value rounded half up to fewer digits. */
function rounded(value: Decimal, scale: number): Decimal {
  if (scale >= value.scale) return value.withScale(scale)
  const divisor = 10n ** BigInt(value.scale - scale)
  const negative = value.unscaled < 0n
  const magnitude = negative ? -value.unscaled : value.unscaled
  const up = (magnitude + divisor / 2n) / divisor
  return new Decimal(negative ? -up : up, scale)
}

/** Returns the codec of `money`, which the server prints in the locale C, such as `-$1,234.56`. */
export function moneyCodec(mode: DecimalMode, digits: number): Codec {
  const plain = (buf: Buffer, start: number, end: number) => {
    const text = ascii(buf, start, end)
    const number = text.replace(/[^0-9.]/g, '')
    return /[-(]/.test(text) ? `-${number}` : number
  }
  const zero = new Decimal(0n, digits)
  if (mode === 'string') return { ...base, schema: primitive('string'), decode: plain, filler: zero.toString() }
  if (mode === 'double')
    return { ...base, schema: primitive('double'), decode: (b, s, e) => Number(plain(b, s, e)), filler: 0 }
  return {
    ...base,
    schema: decimal(digits),
    decode: (b, s, e) => rounded(Decimal.parse(plain(b, s, e)), digits),
    filler: zero,
  }
}
