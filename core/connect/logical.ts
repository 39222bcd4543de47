import { DataError } from './errors.ts'
import { primitive, type Schema, type SchemaOptions } from './schema.ts'

/**
 * Connect's logical types (org.apache.kafka.connect.data). Their values in JavaScript: Decimal: `Decimal`; Date, Time and
 * Timestamp: `Date` in UTC (Date at midnight; Time on 1970-01-01). On the wire they are bytes, int32 days, int32 ms, int64 ms.
 * Debezium's own `io.debezium.*` types are plain int32, int64 or string with a name: no conversion.
 */
export const DECIMAL = 'org.apache.kafka.connect.data.Decimal'
export const DATE = 'org.apache.kafka.connect.data.Date'
export const TIME = 'org.apache.kafka.connect.data.Time'
export const TIMESTAMP = 'org.apache.kafka.connect.data.Timestamp'

export function decimal(scale: number, options: SchemaOptions = {}): Schema {
  const parameters = { scale: String(scale), ...options.parameters }
  return primitive('bytes', { ...options, name: DECIMAL, version: 1, parameters })
}

/** The scale of a Decimal's schema. Throws DataError where it has none. */
export function scaleOf(schema: Schema): number {
  const text = schema.parameters?.['scale']
  if (text === undefined) throw new DataError('Invalid Decimal schema: scale parameter not found.')
  const scale = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(scale)) {
    throw new DataError(`Invalid Decimal schema: the scale ${JSON.stringify(text.slice(0, 40))} is not an integer.`)
  }
  return scale
}

export function date(options: SchemaOptions = {}): Schema {
  return primitive('int32', { ...options, name: DATE, version: 1 })
}

export function time(options: SchemaOptions = {}): Schema {
  return primitive('int32', { ...options, name: TIME, version: 1 })
}

export function timestamp(options: SchemaOptions = {}): Schema {
  return primitive('int64', { ...options, name: TIMESTAMP, version: 1 })
}
