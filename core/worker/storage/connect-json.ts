import { javaDouble } from '../../connect/java-floats.ts'
import { type Double, double, FloatingNumber } from '../../connect/java-numbers.ts'

/**
 * A parsed JSON value. Integers beyond 2^53 are of type `bigint`. Doubles without a fraction, such
 * as 1.0, are of type `Double`.
 */
export type Json = null | boolean | number | bigint | Double | string | Json[] | { [key: string]: Json }

/**
 * Parses JSON. Integers stay exact, and doubles stay doubles. Throws a SyntaxError if the text is
 * not JSON or if a number is out of range.
 */
export function parseJson(text: string): Json {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number') return value
    const source = context?.source ?? ''
    if (!Number.isFinite(value)) throw new SyntaxError(`The number ${source.slice(0, 40)} is too large`)
    if (!Number.isInteger(value)) return value
    if (!/^-?\d+$/.test(source)) return double(value)
    return Number.isSafeInteger(value) ? value : BigInt(source)
  }) as Json
}

/**
 * Parses JSON and returns each number as its source text, so that `1.10` stays `1.10`. Jackson also
 * does so when it reads numbers into strings.
 */
export function parseJsonText(text: string): Json {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value,
  ) as Json
}

// Matches the escapes that Jackson writes differently from JSON.stringify. Jackson uses upper-case
// hex digits, and writes a character beyond the BMP as two escapes.
const DIFFERENT = /\\\\|\\u00[01][0-9a-f]|[\ud800-\udfff]/g

function asJackson(match: string): string {
  if (match === '\\\\') return match
  if (match.length > 1) return `\\u${match.slice(2).toUpperCase()}`
  return `\\u${match.charCodeAt(0).toString(16).toUpperCase()}`
}

/**
 * Whole numbers below this limit are rendered as integers. All other numbers are rendered as
 * doubles.
 */
const INTEGER_LIMIT = 1e21

function renderNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < INTEGER_LIMIT) return String(value)
  return Number.isFinite(value) ? javaDouble(value) : `"${value}"`
}

function render(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return renderNumber(value)
  if (value instanceof FloatingNumber) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(render).join(',')}]`
  if (typeof value === 'object') {
    const fields: string[] = []
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) fields.push(`${JSON.stringify(key)}:${render(item)}`)
    }
    return `{${fields.join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

/**
 * Renders JSON like the JsonConverter that Connect uses for its internal topics: without schemas or
 * whitespace, and with Jackson's escapes.
 */
export function renderJson(value: unknown): string {
  return render(value).replace(DIFFERENT, asJackson)
}

/** Renders JSON with sorted keys, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value !== null && typeof value === 'object' && !(value instanceof FloatingNumber)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
  }
  return render(value)
}

/** Returns a parsed JSON value if it is an object, and null otherwise. */
export function asObject(value: Json | undefined): { [key: string]: Json } | null {
  const isObject = value !== null && typeof value === 'object' && !Array.isArray(value)
  return isObject && !(value instanceof FloatingNumber) ? value : null
}
