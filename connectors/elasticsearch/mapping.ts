import { DATE, DECIMAL, type Schema, TIME, TIMESTAMP } from '../../core/connect/index.ts'
import { errors } from './errors.ts'

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

/** The mapping of one field's schema, as Confluent's sink makes it. */
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
      const byDefault = schema.default
      // text and binary fields have no null_value
      const takes =
        !['string', 'bytes'].includes(schema.type) && (typeof byDefault === 'number' || typeof byDefault === 'boolean')
      return takes ? { ...mapping, null_value: byDefault } : mapping
    }
  }
}

/** The mapping of a document's schema. Throws MR_ES_MAPPING for a schema that is not a struct or map. */
export function documentMapping(topic: string, schema: Schema, compactMaps: boolean): Json {
  if (schema.type !== 'struct' && schema.type !== 'map') {
    throw errors.create('MR_ES_MAPPING', { topic, cause: `it is of type ${schema.type}, not a struct` })
  }
  const mapping = mappingOf(schema, compactMaps)
  return 'properties' in mapping ? mapping : { properties: {} }
}
