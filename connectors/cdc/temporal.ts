import { date, type Schema, time, timestamp } from 'millrace/connect'
import { anyDate, isoDate, isoTime } from 'millrace/connect/java'
import { Time } from './semantic-types.ts'
import { Unrepresentable } from './unrepresentable.ts'

/** The values of `time.precision.mode`. */
export const TIME_PRECISION_MODES = [
  'adaptive',
  'adaptive_time_microseconds',
  'connect',
  'isostring',
  'microseconds',
  'nanoseconds',
] as const
export type TimePrecisionMode = (typeof TIME_PRECISION_MODES)[number]

const DAY_MS = 86_400_000
const MICROS_PER_DAY = 86_400_000_000
const LIMIT = 2n ** 63n

/** Returns an int64: a number if it is a safe integer, otherwise a bigint. */
export const int64 = (value: bigint): number | bigint =>
  value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value

/** How events represent the dates or times of a column. */
export interface TemporalFormat<V> {
  readonly schema: Schema
  readonly convert: (value: V) => unknown
  /** The value for a NOT NULL column that the database did not send, as in deletes. */
  readonly filler: unknown
}

/**
 * Returns the format of dates. A date is a number of days since 1970. Infinite dates are +-Infinity
 * and become the largest or smallest int32, as in Debezium.
 */
export function dateFormat(mode: TimePrecisionMode): TemporalFormat<number> {
  const clamp = (days: number) => Math.max(-2_147_483_648, Math.min(2_147_483_647, days))
  switch (mode) {
    case 'connect':
      return {
        schema: date(),
        convert: d => anyDate(clamp(d) * DAY_MS),
        filler: new Date(0),
      }
    case 'isostring':
      return {
        schema: Time.IsoDate,
        convert: d => (Number.isFinite(d) ? `${isoDate(d)}Z` : d > 0 ? 'infinity' : '-infinity'),
        filler: '1970-01-01Z',
      }
    default:
      return { schema: Time.Date, convert: clamp, filler: 0 }
  }
}

/**
 * Returns the format of times of day. A time is a number of microseconds since midnight, up to
 * 24:00. `precision` is the number of fraction digits, or -1 if no precision is declared.
 */
export function timeFormat(mode: TimePrecisionMode, precision: number): TemporalFormat<number> {
  const digits = precision < 0 ? 6 : precision
  const micro = { schema: Time.MicroTime, convert: (us: number) => us, filler: 0 }
  switch (mode) {
    case 'connect':
      return { schema: time(), convert: us => new Date(Math.floor(us / 1000)), filler: new Date(0) }
    case 'isostring':
      return { schema: Time.IsoTime, convert: us => `${isoTime(us % MICROS_PER_DAY)}Z`, filler: '00:00:00Z' }
    case 'nanoseconds':
      return { schema: Time.NanoTime, convert: us => us * 1000, filler: 0 }
    case 'adaptive':
      return digits <= 3 ? { schema: Time.Time, convert: us => Math.floor(us / 1000), filler: 0 } : micro
    default:
      return micro
  }
}

/**
 * A timestamp without a time zone: the days since 1970, which may be infinite, and the microseconds
 * of the day.
 */
export interface Moment {
  readonly day: number
  readonly micros: number
}

/** The last days since 1970 on which a double represents every microsecond or millisecond. */
const EXACT = { micros: 104_248, millis: 104_249_990 } as const

/**
 * Returns microseconds since 1970. Timestamps after the year 294246 become the largest int64, like
 * `infinity`.
 */
function microsOf({ day, micros }: Moment): number | bigint {
  if (Math.abs(day) <= EXACT.micros) return day * MICROS_PER_DAY + micros
  const exact = BigInt(day) * BigInt(MICROS_PER_DAY) + BigInt(micros)
  return exact < LIMIT ? int64(exact) : LIMIT - 1n
}

function millisOfMoment({ day, micros }: Moment): number | bigint {
  const ms = Math.floor(micros / 1000)
  return Math.abs(day) <= EXACT.millis ? day * DAY_MS + ms : int64(BigInt(day) * BigInt(DAY_MS) + BigInt(ms))
}

/**
 * The values of infinite timestamps in Debezium. In microseconds, they are the largest and smallest
 * int64. In milliseconds, they are the values of the JDBC driver.
 */
const END = { micros: [LIMIT - 1n, -LIMIT], millis: [9_223_372_036_825_200_000n, -9_223_372_036_832_400_000n] } as const
const end = (m: Moment, unit: keyof typeof END): bigint => END[unit][m.day > 0 ? 0 : 1]

export function timestampFormat(mode: TimePrecisionMode, precision: number): TemporalFormat<Moment> {
  const digits = precision < 0 ? 6 : precision
  const millis = (m: Moment) => (Number.isFinite(m.day) ? millisOfMoment(m) : end(m, 'millis'))
  const micros = (m: Moment) => (Number.isFinite(m.day) ? microsOf(m) : end(m, 'micros'))
  switch (mode) {
    case 'connect':
      return {
        schema: timestamp(),
        convert: m => anyDate(millis(m)),
        filler: new Date(0),
      }
    case 'isostring':
      return {
        schema: Time.IsoTimestamp,
        convert: m => (Number.isFinite(m.day) ? `${isoMoment(m, null)}Z` : m.day > 0 ? 'infinity' : '-infinity'),
        filler: '1970-01-01T00:00:00Z',
      }
    case 'nanoseconds':
      return {
        schema: Time.NanoTimestamp,
        convert: m => {
          if (!Number.isFinite(m.day)) return end(m, 'micros')
          const ns = BigInt(microsOf(m)) * 1000n
          if (ns < LIMIT && ns >= -LIMIT) return int64(ns)
          throw new Unrepresentable(
            'nanoseconds can represent only the years 1677 to 2262',
            ns > 0n ? LIMIT - 1n : -LIMIT,
          )
        },
        filler: 0,
      }
    case 'microseconds':
      return { schema: Time.MicroTimestamp, convert: micros, filler: 0 }
    default:
      return digits <= 3
        ? { schema: Time.Timestamp, convert: millis, filler: 0 }
        : { schema: Time.MicroTimestamp, convert: micros, filler: 0 }
  }
}

/**
 * Returns a timestamp as `2024-02-29T12:34:56.123456`. The fraction has exactly `digits` digits. If
 * `digits` is null, the fraction has no trailing zeros.
 */
export const isoMoment = (m: Moment, digits: number | null): string => `${isoDate(m.day)}T${isoTime(m.micros, digits)}`
