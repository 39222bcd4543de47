import { DataError } from './errors.ts'
import { primitive, type Schema, type SchemaOptions } from './schema.ts'

/**
 * The names of Connect's logical types (org.apache.kafka.connect.data). In JavaScript, the value of
 * a Decimal is a `Decimal`. The value of a Date, Time or Timestamp is a `Date` in UTC: a Date at
 * midnight, a Time on 1970-01-01. They are encoded as bytes (Decimal), days as int32 (Date),
 * milliseconds as int32 (Time) and milliseconds as int64 (Timestamp). A schema with one of
 * Debezium's names, `io.debezium.*`, is an ordinary int32, int64 or string: its values are not
 * converted.
 */
export const DECIMAL = 'org.apache.kafka.connect.data.Decimal'
export const DATE = 'org.apache.kafka.connect.data.Date'
export const TIME = 'org.apache.kafka.connect.data.Time'
export const TIMESTAMP = 'org.apache.kafka.connect.data.Timestamp'

/** Returns the schema of a Decimal with a scale. */
export function decimal(scale: number, options: SchemaOptions = {}): Schema {
  const parameters = { scale: String(scale), ...options.parameters }
  return primitive('bytes', { ...options, name: DECIMAL, version: 1, parameters })
}

/** Returns the scale in the schema of a Decimal. Throws a DataError if the schema has no scale. */
export function scaleOf(schema: Schema): number {
  const text = schema.parameters?.['scale']
  if (text === undefined) throw new DataError('Invalid Decimal schema: scale parameter not found.')
  const scale = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(scale)) {
    throw new DataError(`Invalid Decimal schema: the scale ${JSON.stringify(text.slice(0, 40))} is not an integer.`)
  }
  return scale
}

/** Returns the schema of a date without a time. */
export function date(options: SchemaOptions = {}): Schema {
  return primitive('int32', { ...options, name: DATE, version: 1 })
}

/** Returns the schema of a time of day. */
export function time(options: SchemaOptions = {}): Schema {
  return primitive('int32', { ...options, name: TIME, version: 1 })
}

/** Returns the schema of an instant, in milliseconds. */
export function timestamp(options: SchemaOptions = {}): Schema {
  return primitive('int64', { ...options, name: TIMESTAMP, version: 1 })
}
