import { array, DataError, map, primitive, type Schema, type SchemaOptions, struct } from 'millrace/connect'
import { NumberText } from './parse.ts'
import { compileReader, DigitsNeeded, type ReadOptions } from './read-value.ts'

type Node = Readonly<Record<string, unknown>>

const PRIMITIVES = new Set(['int8', 'int16', 'int32', 'int64', 'float', 'double', 'boolean', 'string', 'bytes'])

function asNode(value: unknown, what: string): Node {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DataError(what)
  return value as Node
}

function attributes(node: Node): SchemaOptions {
  const { name, version, doc, parameters, optional } = node
  if (name !== undefined && name !== null && typeof name !== 'string') {
    throw new DataError('Invalid schema name: must be a string')
  }
  if (version !== undefined && version !== null && !Number.isInteger(version)) {
    throw new DataError('Invalid schema version: must be an integer')
  }
  if (doc !== undefined && doc !== null && typeof doc !== 'string') {
    throw new DataError('Invalid schema documentation: must be a string')
  }
  const options: Record<string, unknown> = { optional: optional === true }
  if (typeof name === 'string') options['name'] = name
  if (typeof version === 'number') options['version'] = version
  if (typeof doc === 'string') options['doc'] = doc
  if (parameters !== undefined && parameters !== null) {
    const entries = Object.entries(asNode(parameters, 'Invalid schema parameters: must be an object'))
    if (entries.some(([, v]) => typeof v !== 'string')) {
      throw new DataError('Invalid schema parameters: must be strings')
    }
    options['parameters'] = Object.freeze(Object.fromEntries(entries))
  }
  return options
}

function fieldsOf(node: Node, options: ReadOptions): Map<string, Schema> {
  const { fields } = node
  if (!Array.isArray(fields)) throw new DataError('Struct schema\'s "fields" argument is not an array.')
  const out = new Map<string, Schema>()
  for (const item of fields) {
    const f = asNode(item, 'Struct schema has a field that is not an object')
    if (typeof f['field'] !== 'string') throw new DataError("Struct schema's field name not specified properly")
    if (out.has(f['field'])) throw new DataError(`Cannot create field because of field name duplication ${f['field']}`)
    out.set(f['field'], readSchema(f, options))
  }
  return out
}

function bare(node: Node, options: ReadOptions, attrs: SchemaOptions): Schema {
  const { type } = node
  if (typeof type !== 'string') throw new DataError("Schema must contain 'type' field")
  if (PRIMITIVES.has(type)) return primitive(type as 'string', attrs)
  switch (type) {
    case 'array':
      return array(readSchema(asNode(node['items'], 'Array schema did not specify the element type'), options), attrs)
    case 'map': {
      const keys = asNode(node['keys'], 'Map schema did not specify the key type')
      const values = asNode(node['values'], 'Map schema did not specify the value type')
      return map(readSchema(keys, options), readSchema(values, options), attrs)
    }
    case 'struct':
      return struct(fieldsOf(node, options), attrs)
    default:
      throw new DataError(`Unknown schema type: ${type}`)
  }
}

/** Parses the "schema" member of JsonConverter's envelope. Throws a DataError. */
export function readSchema(node: unknown, options: ReadOptions): Schema {
  const object = asNode(node, "Schema must contain 'type' field")
  const schema = bare(object, options, attributes(object))
  const given = object['default']
  if (given === undefined || given === null) return schema
  return Object.freeze({ ...schema, default: readDefault(schema, given, options) })
}

function readDefault(schema: Schema, given: unknown, options: ReadOptions): unknown {
  const read = compileReader(schema, options)
  try {
    return read(given)
  } catch (error) {
    if (!(error instanceof DigitsNeeded)) throw error
    return read(new NumberText(String(given)))
  }
}
