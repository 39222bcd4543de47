import { DATE, DECIMAL, Decimal, type Schema, TIME, TIMESTAMP } from 'millrace/connect'

type Json = Record<string, unknown>

const PRIMITIVES: Readonly<Record<string, string>> = {
  int8: 'byte',
  int16: 'short',
  int32: 'integer',
  int64: 'long',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  bytes: 'binary',
}

function primitive(schema: Schema): Json {
  if (schema.name === DECIMAL) return { type: 'double' }
  if (schema.name === DATE || schema.name === TIME || schema.name === TIMESTAMP) return { type: 'date' }
  if (schema.type === 'string') return { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } }
  return { type: PRIMITIVES[schema.type] }
}

/**
 * Returns a field's default for `null_value`. Returns null if there is no default, or if it is text
 * or bytes, for which no `null_value` is set.
 */
function nullValue(byDefault: unknown): number | boolean | null {
  if (typeof byDefault === 'number' || typeof byDefault === 'boolean') return byDefault
  if (byDefault instanceof Date) return byDefault.getTime()
  return byDefault instanceof Decimal ? byDefault.toNumber() : null
}

/** Returns the mapping of a field's schema, as Confluent's sink creates it. */
function mappingOf(schema: Schema, compactMaps: boolean): Json {
  switch (schema.type) {
    case 'struct':
      return { properties: Object.fromEntries(schema.fields!.map(f => [f.name, mappingOf(f.schema, compactMaps)])) }
    case 'array':
      return mappingOf(schema.valueSchema!, compactMaps)
    case 'map':
      if (compactMaps && schema.keySchema!.type === 'string') return { type: 'object' }
      return {
        properties: {
          key: mappingOf(schema.keySchema!, compactMaps),
          value: mappingOf(schema.valueSchema!, compactMaps),
        },
      }
    default: {
      const mapping = primitive(schema)
      const byDefault = nullValue(schema.default)
      return byDefault === null ? mapping : { ...mapping, null_value: byDefault }
    }
  }
}

/** Returns the mapping of a document's schema, which is a struct or a map. */
export function documentMapping(schema: Schema, compactMaps: boolean): Json {
  const mapping = mappingOf(schema, compactMaps)
  return 'properties' in mapping ? mapping : { properties: {} }
}
