import { Decimal } from '../decimal.ts'
import { date, decimal, time, timestamp } from '../logical.ts'
import type { SchemaAndValue } from '../plugins.ts'
import { primitive, type Schema } from '../schema.ts'

const DAY_MS = 86_400_000
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/
const CLOCK = /^(\d{2}):(\d{2}):(\d{2})\.(\d{3})Z$/
const DATE = date()
const TIME = time()
const TIMESTAMP = timestamp()
const FLOAT = primitive('float')
const DOUBLE = primitive('double')
const INTEGERS: readonly (readonly [bigint, Schema])[] = [
  [2n ** 7n, primitive('int8')],
  [2n ** 15n, primitive('int16')],
  [2n ** 31n, primitive('int32')],
  [2n ** 63n, primitive('int64')],
]

/**
 * Parses `2020-01-02`, `12:34:56.789Z` and `2020-01-02T12:34:56.789Z`. Returns null for other text.
 * Is as lenient as Java: month 13 is the first month of the next year.
 */
export function parseTemporal(text: string): SchemaAndValue | null {
  const t = text.indexOf('T')
  const day = DAY.exec(t < 0 ? text : text.slice(0, t))
  const clock = CLOCK.exec(text.slice(t + 1))
  if (t < 0 ? !day && !clock : !day || !clock) return null
  const value = new Date(0)
  if (day) value.setUTCFullYear(Number(day[1]), Number(day[2]) - 1, Number(day[3]))
  if (clock) value.setUTCHours(Number(clock[1]), Number(clock[2]), Number(clock[3]), Number(clock[4]))
  if (!clock) return { schema: DATE, value }
  if (day) return { schema: TIMESTAMP, value }
  return value.getTime() < DAY_MS ? { schema: TIME, value } : null
}

/** Whether a string looks like a time of day. The time may be invalid, such as 25:00:00.000Z. */
export const looksLikeTime = (text: string): boolean => CLOCK.test(text)

// The exponent has at most nine digits, which is about the range of Java's BigDecimal.
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,9})?$/
const MAX_EXPONENT = 10_000

/**
 * Parses a number into the smallest type that can hold it. Integers are exact. Other numbers become
 * a float, a double or a Decimal. Returns null if the text is not a number.
 */
export function parseNumber(text: string): SchemaAndValue | null {
  if (!/^[+\-\d]/.test(text) || !NUMBER.test(text)) return null
  const exponent = Number(/[eE]([+-]?\d+)$/.exec(text)?.[1] ?? 0)
  if (Math.abs(exponent) > MAX_EXPONENT) return null
  const exact = Decimal.parse(text)
  const whole = wholeOf(exact)
  for (const [limit, schema] of INTEGERS) {
    if (whole !== null && whole >= -limit && whole < limit) {
      return { schema, value: Number.isSafeInteger(Number(whole)) ? Number(whole) : whole }
    }
  }
  const n = Number(text)
  if (exact.scale !== 0 && Number.isFinite(Math.fround(n))) return { schema: FLOAT, value: Math.fround(n) }
  if (exact.scale !== 0 && Number.isFinite(n)) return { schema: DOUBLE, value: n }
  return { schema: decimal(exact.scale), value: exact }
}

function wholeOf(d: Decimal): bigint | null {
  if (d.scale <= 0) return d.scale < -20 ? (d.unscaled === 0n ? 0n : null) : d.unscaled * 10n ** BigInt(-d.scale)
  const divisor = 10n ** BigInt(d.scale)
  return d.unscaled % divisor === 0n ? d.unscaled / divisor : null
}
