/**
 * Debezium's semantic types, which are Connect schemas with a name. Consumers depend on the names,
 * versions, docs and fields of these schemas, so all of them are the same as in Debezium 3.7
 * (recorded in postgres/golden).
 */
import { map, primitive, type Schema, type SchemaOptions, struct } from 'millrace/connect'

const named = (type: 'string' | 'int32' | 'int64', name: string) => primitive(type, { name, version: 1 })

export const Json = named('string', 'io.debezium.data.Json')
export const Xml = named('string', 'io.debezium.data.Xml')
export const Uuid = named('string', 'io.debezium.data.Uuid')
export const Ltree = named('string', 'io.debezium.data.Ltree')
export const TsVector = named('string', 'io.debezium.data.Tsvector')

/** Returns the schema of an enumeration. `allowed` lists its labels in order. */
export const enumeration = (allowed: readonly string[]): Schema =>
  primitive('string', { name: 'io.debezium.data.Enum', version: 1, parameters: { allowed: allowed.join(',') } })

/**
 * Returns the schema of a bit string of at most `length` bits. Its value is little-endian bytes
 * without trailing zero bytes.
 */
export const bits = (length: number): Schema =>
  primitive('bytes', { name: 'io.debezium.data.Bits', version: 1, parameters: { length: String(length) } })

/**
 * The schema of a number whose scale is not known in advance. Each value contains its own scale.
 */
export const VariableScaleDecimal: Schema = struct(
  { scale: primitive('int32'), value: primitive('bytes') },
  { name: 'io.debezium.data.VariableScaleDecimal', version: 1, doc: 'Variable scaled decimal' },
)

const geometryOptions = (name: string, version: number, doc: string): SchemaOptions => ({
  name: `io.debezium.data.geometry.${name}`,
  version,
  doc,
})

const wkbFields = {
  wkb: primitive('bytes'),
  srid: primitive('int32', { optional: true }),
}

export const Point: Schema = struct(
  {
    x: primitive('double'),
    y: primitive('double'),
    wkb: primitive('bytes', { optional: true }),
    srid: primitive('int32', { optional: true }),
  },
  geometryOptions('Point', 1, 'Geometry (POINT)'),
)

const extensions = map(primitive('string'), primitive('string'), { optional: true })
export const Geometry: Schema = struct({ ...wkbFields, extensions }, geometryOptions('Geometry', 2, 'Geometry'))
export const Geography: Schema = struct({ ...wkbFields, extensions }, geometryOptions('Geography', 2, 'Geography'))
export const Circle: Schema = struct(
  { center: Point, radius: primitive('double') },
  geometryOptions('Circle', 1, 'Geometry (CIRCLE)'),
)
export const Line: Schema = struct(
  { a: primitive('double'), b: primitive('double'), c: primitive('double') },
  geometryOptions('Line', 1, 'Geometry (LINE)'),
)

export const Time = {
  Date: named('int32', 'io.debezium.time.Date'),
  Time: named('int32', 'io.debezium.time.Time'),
  MicroTime: named('int64', 'io.debezium.time.MicroTime'),
  NanoTime: named('int64', 'io.debezium.time.NanoTime'),
  Timestamp: named('int64', 'io.debezium.time.Timestamp'),
  MicroTimestamp: named('int64', 'io.debezium.time.MicroTimestamp'),
  NanoTimestamp: named('int64', 'io.debezium.time.NanoTimestamp'),
  ZonedTime: named('string', 'io.debezium.time.ZonedTime'),
  ZonedTimestamp: named('string', 'io.debezium.time.ZonedTimestamp'),
  IsoDate: named('string', 'io.debezium.time.IsoDate'),
  IsoTime: named('string', 'io.debezium.time.IsoTime'),
  IsoTimestamp: named('string', 'io.debezium.time.IsoTimestamp'),
  MicroDuration: named('int64', 'io.debezium.time.MicroDuration'),
  Interval: named('string', 'io.debezium.time.Interval'),
} as const
