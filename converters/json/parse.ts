import { connectNumber, parseExactJson } from 'millrace/connect/java'

/** A JSON number as text. Decimals need it, because they must keep all digits. */
export class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** Returns the value as a number, or as a bigint if it is an integer beyond 2^53. */
  get value(): number | bigint {
    const n = Number(this.text)
    return Number.isSafeInteger(n) || !/^-?\d+$/.test(this.text) ? n : BigInt(this.text)
  }
}

/**
 * The precision of parsed numbers. `double` is the precision of JSON.parse. With `int64`, integers
 * beyond 2^53 become bigint. With `schemaless`, doubles without a fraction also become `Double`,
 * because no schema contains their type. With `text`, every number becomes a NumberText.
 */
export type Precision = 'double' | 'int64' | 'schemaless' | 'text'

const exactIntegers = (text: string, integer: boolean): unknown => {
  const n = Number(text)
  return integer && !Number.isSafeInteger(n) ? BigInt(text) : n
}

const NUMBERS = {
  double: Number,
  int64: exactIntegers,
  schemaless: connectNumber,
  text: (text: string) => new NumberText(text),
} as const

/** Parses UTF-8 JSON with the given precision of numbers. Throws a SyntaxError. */
export function parseJson(bytes: Buffer, precision: Precision, start = 0, end = bytes.length): unknown {
  const text = bytes.toString('utf8', start, end)
  const floats = precision === 'schemaless'
  const exact = precision === 'text' || (precision !== 'double' && needsCare(bytes, start, end, floats))
  if (exact) return parseExactJson(text, NUMBERS[precision])
  try {
    return JSON.parse(text)
  } catch (error) {
    return parseLeniently(text, precision, error)
  }
}

/**
 * Parses JSON with the exact parser, which accepts leading zeros, as Connect's parser does. Throws
 * `error` if this fails too.
 */
function parseLeniently(text: string, precision: Precision, error: unknown): unknown {
  try {
    return parseExactJson(text, NUMBERS[precision])
  } catch {
    throw error
  }
}

const DOT = 0x2e
const E = 0x65
const LOWER = 0x20
const ZERO = 0x30
const NINE = 0x39
const MINUS = 0x2d
/**
 * An integer with fewer digits is below 2^53. A number with fewer digits and a decimal point is
 * parsed to a whole number only if all digits after the point are zeros. A longer number may be
 * rounded to a whole number.
 */
const LONG = 16

const isDigit = (c: number | undefined): boolean => c !== undefined && c >= ZERO && c <= NINE

/**
 * Whether the JSON may contain a number that JSON.parse does not read as needed: an integer beyond
 * 2^53, or -0. With `floats`, also a double that is a whole number, such as `1.0`. One scan of the
 * bytes is cheaper than a regular expression.
 */
export function needsCare(bytes: Buffer, from: number, end: number, floats: boolean): boolean {
  for (let i = from; i < end; i++) {
    if ((bytes[i]! - ZERO) >>> 0 > 9) continue
    const start = i
    let c: number
    do c = bytes[++i]!
    while (i < end && (c - ZERO) >>> 0 <= 9)
    if (i >= end) c = 0
    // JSON.parse keeps the sign of -0, but Connect reads the integer 0.
    if (i - start === 1 && bytes[start] === ZERO && c !== DOT && start > from && bytes[start - 1] === MINUS) return true
    if (i - start >= LONG && (i - start > LONG || bytes[start] === NINE)) return true
    if (floats && (c === DOT || (c | LOWER) === E) && mayBeWhole(bytes, start, i) && isNumber(bytes, from, start))
      return true
  }
  return false
}

/**
 * Whether a number may be parsed to a whole number, such as `1.0` or `1.5e1`. `start` and `end` are
 * the bounds of the digits before the point or the exponent.
 */
function mayBeWhole(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[end] !== DOT) return true
  let i = end + 1
  let zeros = true
  for (; isDigit(bytes[i]); i++) if (bytes[i] !== ZERO) zeros = false
  return zeros || i - start > LONG || ((bytes[i] ?? 0) | LOWER) === E
}

/** Whether the digits at `start` begin a number. Otherwise they are part of a string. */
function isNumber(bytes: Buffer, from: number, start: number): boolean {
  let i = start - 1
  if (i >= from && bytes[i] === MINUS) i--
  while (i >= from && bytes[i]! <= 0x20) i--
  if (i < from) return true
  const before = bytes[i]
  return before === 0x3a || before === 0x2c || before === 0x5b
}
