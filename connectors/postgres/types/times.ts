import type { Schema } from 'millrace/connect'
import { epochDay, isoTime } from 'millrace/connect/java'
import {
  dateFormat,
  isoMoment,
  type Moment,
  type TemporalFormat,
  Time,
  type TimePrecisionMode,
  timeFormat,
  timestampFormat,
} from '../../cdc/index.ts'
import { ascii, type Codec, type Decode } from './codec.ts'

const two = (buf: Buffer, at: number): number => (buf[at]! - 0x30) * 10 + (buf[at + 1]! - 0x30)

const isInfinite = (buf: Buffer, start: number): boolean =>
  buf[start] === 0x69 || (buf[start] === 0x2d && buf[start + 1] === 0x69)
const infinity = (buf: Buffer, start: number): number =>
  buf[start] === 0x69 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
const isBc = (buf: Buffer, end: number): boolean => buf[end - 1] === 0x43 && buf[end - 2] === 0x42

/**
 * Returns the days from 1970 to a date such as `2024-02-29`. The year may have more than four
 * digits. `bc` tells whether the year is BC.
 */
function days(buf: Buffer, start: number, end: number, bc: boolean): number {
  let year = 0
  let at = start
  for (; buf[at] !== 0x2d && at < end; at++) year = year * 10 + (buf[at]! - 0x30)
  return epochDay(bc ? 1 - year : year, two(buf, at + 1), two(buf, at + 4))
}

const FRACTION = [0, 100_000, 10_000, 1000, 100, 10, 1]

/**
 * Returns the microseconds from midnight to a time such as `12:34:56.789`. Text after the digits is
 * ignored.
 */
function clock(buf: Buffer, start: number, end: number): number {
  const seconds = two(buf, start) * 3600 + two(buf, start + 3) * 60 + two(buf, start + 6)
  if (start + 8 >= end || buf[start + 8] !== 0x2e) return seconds * 1_000_000
  let fraction = 0
  let digits = 0
  for (let at = start + 9; at < end; at++, digits++) {
    const d = buf[at]! - 0x30
    if (d < 0 || d > 9) break
    fraction = fraction * 10 + d
  }
  return seconds * 1_000_000 + fraction * FRACTION[digits]!
}

/**
 * Returns the date and the time of a timestamp. The server prints a timestamp with a zone in UTC.
 */
function moment(buf: Buffer, start: number, end: number): Moment {
  if (isInfinite(buf, start)) return { day: infinity(buf, start), micros: 0 }
  const space = buf.indexOf(0x20, start)
  return { day: days(buf, start, space, isBc(buf, end)), micros: clock(buf, space + 1, end) }
}

function codec<V>(format: TemporalFormat<V>, parse: (buf: Buffer, start: number, end: number) => V): Codec {
  const { convert } = format
  return {
    schema: format.schema,
    decode: (buf, start, end) => convert(parse(buf, start, end)),
    filler: format.filler,
    unavailable: null,
    isText: false,
  }
}

export const dateCodec = (mode: TimePrecisionMode): Codec =>
  codec(dateFormat(mode), (buf, start, end) =>
    isInfinite(buf, start) ? infinity(buf, start) : days(buf, start, end, isBc(buf, end)),
  )

export const timeCodec = (mode: TimePrecisionMode, precision: number): Codec =>
  codec(timeFormat(mode, precision), clock)

export const timestampCodec = (mode: TimePrecisionMode, precision: number): Codec =>
  codec(timestampFormat(mode, precision), moment)

const zoned = (schema: Schema, decode: Decode, filler: string): Codec => ({
  schema,
  decode,
  filler,
  unavailable: null,
  isText: false,
})

/**
 * Returns the codec of `timestamptz`: text in UTC, with the fractional digits that the column
 * declares.
 */
export function timestamptzCodec(precision: number): Codec {
  // With precision 0, a value has no fraction. A default can have a fraction, because the server
  // has not rounded it yet. All digits of such a default are kept.
  const digits = precision < 0 ? 6 : precision === 0 ? null : precision
  const decode: Decode = (buf, start, end) => {
    const m = moment(buf, start, end)
    if (!Number.isFinite(m.day)) return m.day > 0 ? 'infinity' : '-infinity'
    // if the year has four digits, only the space and the zone differ from the server's text
    if (buf[start + 4] === 0x2d && !isBc(buf, end))
      return `${ascii(buf, start, start + 10)}T${isoTime(m.micros, digits)}Z`
    return `${isoMoment(m, digits)}Z`
  }
  return zoned(Time.ZonedTimestamp, decode, '1970-01-01T00:00:00Z')
}

const DAY = 86_400_000_000

/** Returns the codec of `timetz`: text in UTC. `24:00+00` is kept; other times wrap at 24:00. */
export function timetzCodec(): Codec {
  const decode: Decode = (buf, start, end) => {
    const text = ascii(buf, start, end)
    const m = /^([\d:.]+)([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/.exec(text)
    if (!m) throw new SyntaxError(`'${text}' is not a time with a zone`)
    const offset = (Number(m[3]) * 3600 + Number(m[4] ?? 0) * 60 + Number(m[5] ?? 0)) * 1_000_000
    const local = clock(buf, start, start + m[1]!.length)
    const utc = m[2] === '+' ? local - offset : local + offset
    if (utc === DAY && local === DAY) return '24:00:00Z'
    return `${isoTime(((utc % DAY) + DAY) % DAY)}Z`
  }
  return zoned(Time.ZonedTime, decode, '00:00:00Z')
}

const INTERVAL =
  /^P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?[\d.]+)S)?)?$/

const INT64_END = 2n ** 63n

/** The mean length of a month in microseconds: 30.4375 days. */
const MONTH = 30.4375 * DAY

/**
 * Returns the codec of `interval`. `numeric`: microseconds. `string`: ISO 8601 with every unit from
 * years to seconds, even if it is 0.
 */
export function intervalCodec(mode: 'numeric' | 'string'): Codec {
  const parse = (buf: Buffer, start: number, end: number) => {
    const text = ascii(buf, start, end)
    const m = INTERVAL.exec(text)
    if (!m) throw new SyntaxError(`'${text}' is not an interval`)
    return m
  }
  if (mode === 'string') {
    const decode: Decode = (buf, start, end) => {
      if (isInfinite(buf, start)) return ascii(buf, start, end)
      const [, y = '0', mo = '0', , d = '0', h = '0', mi = '0', s = '0'] = parse(buf, start, end)
      const seconds = s.includes('.') ? s.replace(/\.?0+$/, '') : s
      return `P${y}Y${mo}M${d}DT${h}H${mi}M${seconds}S`
    }
    return zoned(Time.Interval, decode, 'P0Y0M0DT0H0M0S')
  }
  const decode: Decode = (buf, start, end) => {
    if (isInfinite(buf, start)) return infinity(buf, start) > 0 ? INT64_END - 1n : -INT64_END
    const [, y, mo, , d, h, mi, s] = parse(buf, start, end)
    const months = Number(y ?? 0) * 12 + Number(mo ?? 0)
    const [whole, fraction = ''] = (s ?? '0').split('.')
    const micros = Number(fraction.padEnd(6, '0').slice(0, 6)) * (s?.startsWith('-') ? -1 : 1)
    const seconds = Number(h ?? 0) * 3600 + Number(mi ?? 0) * 60 + Number(whole)
    const total = months * MONTH + Number(d ?? 0) * DAY + seconds * 1_000_000 + micros
    if (Number.isSafeInteger(total)) return total
    const exact =
      BigInt(months) * 2_629_800_000_000n + BigInt(d ?? 0) * BigInt(DAY) + BigInt(seconds) * 1_000_000n + BigInt(micros)
    // as in Debezium, an interval that is too long for int64 becomes the largest or smallest int64
    return exact >= INT64_END ? INT64_END - 1n : exact < -INT64_END ? -INT64_END : exact
  }
  return { schema: Time.MicroDuration, decode, filler: 0, unavailable: null, isText: false }
}
