import { date, type Schema, time, timestamp } from '../../core/connect/index.ts'
import { Time } from './semantic-types.ts'

/** `time.precision.mode` */
export const TIME_PRECISION_MODES = [
  'adaptive',
  'adaptive_time_microseconds',
  'connect',
  'isostring',
  'microseconds',
  'nanoseconds',
] as const
export type TimePrecisionMode = (typeof TIME_PRECISION_MODES)[number]

const MICROS_PER_DAY = 86_400_000_000
const LIMIT = 2n ** 63n

/** An int64: a number while it is safe, else a bigint. */
export const int64 = (value: bigint): number | bigint =>
  value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value

/** Days since 1970 of a date in the proleptic Gregorian calendar; year 0 is 1 BC. */
export function epochDay(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** The date of a day since 1970. */
export function civil(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const mp = Math.floor((5 * dayOfYear + 2) / 153)
  const month = mp < 10 ? mp + 3 : mp - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * mp + 2) / 5) + 1,
  }
}

const pad = (n: number, width: number) => String(n).padStart(width, '0')

/** As java.time prints a year: four digits at least, a sign beyond four or before year 0. */
const isoYear = (year: number) => (year > 9999 ? `+${year}` : year < 0 ? `-${pad(-year, 4)}` : pad(year, 4))

export function isoDate(days: number): string {
  const { year, month, day } = civil(days)
  return `${isoYear(year)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** `12:34:56` and as many digits of a fraction as there are, or exactly `digits` of them. */
export function isoTime(micros: number, digits: number | null = null): string {
  const seconds = Math.floor(micros / 1_000_000)
  const fraction = pad(micros % 1_000_000, 6)
  const shown = digits === null ? fraction.replace(/0+$/, '') : fraction.slice(0, digits)
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  return shown === '' ? clock : `${clock}.${shown}`
}

/** How a column's dates or times are shown: its schema, and what becomes of the value. */
export interface TemporalFormat<V> {
  readonly schema: Schema
  readonly convert: (value: V) => unknown
  /** The value of a NOT NULL column that is not known, such as in the old row of a delete. */
  readonly filler: unknown
}

/** The last millisecond that a Date can hold, on either side of 1970. */
const DATE_END = 8.64e15

/** Connect's types are Dates: infinite moments become the ends of what they hold. Throws RangeError for finite ones beyond. */
function dateOf(ms: number): Date {
  if (!Number.isFinite(ms)) return new Date(Math.sign(ms) * DATE_END)
  if (Math.abs(ms) > DATE_END)
    throw new RangeError('it is beyond the year 275760; another time.precision.mode can show it')
  return new Date(ms)
}

/** Days since 1970. Infinite dates come as +-Infinity and become Debezium's: the ends of int32. */
export function dateFormat(mode: TimePrecisionMode): TemporalFormat<number> {
  const clamp = (days: number) => Math.max(-2_147_483_648, Math.min(2_147_483_647, days))
  switch (mode) {
    case 'connect':
      return { schema: date(), convert: d => dateOf(d * 86_400_000), filler: new Date(0) }
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

/** Microseconds since midnight, up to and with 24:00. `precision` in digits, -1 where the column declares none. */
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

/** A moment without a zone. `ms` and `us` are its whole milliseconds since 1970 and the microseconds left (0..999). */
export interface Moment {
  readonly ms: number
  readonly us: number
}

const microsOf = (m: Moment): number | bigint => {
  const us = m.ms * 1000 + m.us
  return Number.isSafeInteger(us) ? us : BigInt(m.ms) * 1000n + BigInt(m.us)
}

/** What Debezium shows for infinite timestamps: the ends of int64; in milliseconds what the JDBC driver has for them. */
const END = { micros: [LIMIT - 1n, -LIMIT], millis: [9_223_372_036_825_200_000n, -9_223_372_036_832_400_000n] } as const
const end = (m: Moment, unit: keyof typeof END): bigint => END[unit][m.ms > 0 ? 0 : 1]

export function timestampFormat(mode: TimePrecisionMode, precision: number): TemporalFormat<Moment> {
  const digits = precision < 0 ? 6 : precision
  const millis = (m: Moment) => (Number.isFinite(m.ms) ? m.ms : end(m, 'millis'))
  const micros = (m: Moment) => (Number.isFinite(m.ms) ? microsOf(m) : end(m, 'micros'))
  switch (mode) {
    case 'connect':
      return {
        schema: timestamp(),
        convert: m => dateOf(m.ms),
        filler: new Date(0),
      }
    case 'isostring':
      return {
        schema: Time.IsoTimestamp,
        convert: m => (Number.isFinite(m.ms) ? `${isoMoment(m, null)}Z` : m.ms > 0 ? 'infinity' : '-infinity'),
        filler: '1970-01-01T00:00:00Z',
      }
    case 'nanoseconds':
      return {
        schema: Time.NanoTimestamp,
        convert: m => {
          if (!Number.isFinite(m.ms)) return end(m, 'micros')
          const ns = (BigInt(m.ms) * 1000n + BigInt(m.us)) * 1000n
          // beyond the years 1677 to 2262 an int64 cannot hold it
          return ns >= LIMIT || ns < -LIMIT ? null : int64(ns)
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

/** `2024-02-29T12:34:56.123456`, with exactly `digits` digits of a fraction or as many as there are. */
export function isoMoment(m: Moment, digits: number | null): string {
  const days = Math.floor(m.ms / 86_400_000)
  const micros = (m.ms - days * 86_400_000) * 1000 + m.us
  return `${isoDate(days)}T${isoTime(micros, digits)}`
}
