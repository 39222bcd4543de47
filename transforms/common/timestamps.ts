import { DataError, date, millisOf, primitive, type Schema, time, timestamp } from 'millrace/connect'
import { anyDate } from 'millrace/connect/java'
import type { JavaDateFormat } from './java-date-format.ts'
import { typeName } from './requirements.ts'

export const TARGETS = ['string', 'unix', 'Date', 'Time', 'Timestamp'] as const
export type Target = (typeof TARGETS)[number]
export const PRECISIONS = ['nanoseconds', 'microseconds', 'milliseconds', 'seconds'] as const
export type Precision = (typeof PRECISIONS)[number]

const DAY_MS = 86_400_000n

const timeOfDay = (ms: bigint): bigint => ((ms % DAY_MS) + DAY_MS) % DAY_MS

/** The number of nanoseconds in each unit. */
const NANOS: Readonly<Record<Precision, bigint>> = {
  seconds: 1_000_000_000n,
  milliseconds: 1_000_000n,
  microseconds: 1000n,
  nanoseconds: 1n,
}

export function targetSchema(target: Target, optional: boolean): Schema {
  switch (target) {
    case 'string':
      return primitive('string', { optional })
    case 'unix':
      return primitive('int64', { optional })
    case 'Date':
      return date({ optional })
    case 'Time':
      return time({ optional })
    case 'Timestamp':
      return timestamp({ optional })
  }
}

/**
 * Returns the instant of a logical type, of a Unix time with this precision, or of text in this
 * format. Throws a DataError.
 */
export function toInstant(
  schema: Schema | null,
  value: unknown,
  precision: Precision,
  format: JavaDateFormat | null,
): Date {
  if (value instanceof Date) return value
  if (schema && schema.type !== 'int64' && schema.type !== 'string') {
    throw new DataError(`Schema ${schema.type} does not correspond to a known timestamp type format`)
  }
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) {
    return anyDate(clampToLong((BigInt(value) * NANOS[precision]) / NANOS.milliseconds))
  }
  if (typeof value === 'string') {
    if (!format) throw new DataError('TimestampConverter cannot parse text without a pattern: set its key format')
    const parsed = format.parse(value)
    if (parsed) return parsed
    throw new DataError(
      `Could not parse timestamp: value (${value.slice(0, 60)}) does not match pattern (${format.pattern})`,
    )
  }
  throw new DataError(`TimestampConverter does not support ${schema?.type ?? typeName(value)} values as timestamps`)
}

const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)

/** Limits a value to the range of a long, as Java's TimeUnit does. */
const clampToLong = (n: bigint): bigint => (n > LONG_MAX ? LONG_MAX : n < LONG_MIN ? LONG_MIN : n)

/** Returns an instant as a logical type, or as a Unix time with this precision. */
export function fromInstant(instant: Date, target: Exclude<Target, 'string'>, precision: Precision): unknown {
  const ms = BigInt(millisOf(instant))
  switch (target) {
    case 'Timestamp':
      return instant
    case 'Date':
      return anyDate(ms - timeOfDay(ms))
    case 'Time':
      return new Date(Number(timeOfDay(ms)))
    case 'unix': {
      const unix = clampToLong((ms * NANOS.milliseconds) / NANOS[precision])
      const n = Number(unix)
      return Number.isSafeInteger(n) ? n : unix
    }
  }
}
