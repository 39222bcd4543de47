import { DataError } from '../errors.ts'
import type { SchemaAndValue } from '../plugins.ts'
import { array, map, primitive, type Schema } from '../schema.ts'
import { align, commonSchema } from './align.ts'
import { parseNumber, parseTemporal } from './literals.ts'
import { Tokens } from './tokens.ts'

const STRING = primitive('string')
const BOOLEAN = primitive('boolean')
const NULL: SchemaAndValue = { schema: null, value: null }

/** Lists and maps whose elements have nothing in common have no schema for them, as Connect's arrayOfNull. */
const ARRAY_OF_ANY: Schema = Object.freeze({ type: 'array', optional: false })
const MAP_OF_ANY: Schema = Object.freeze({ type: 'map', optional: false })

/**
 * The value that a text stands for (org.apache.kafka.connect.data.Values.parseString): `5` is an int8, `1.5` a float, `true` a
 * boolean, dates and times in ISO form the logical types, `[..]` and `{..}` lists and maps; anything else is a string.
 */
export function parseValue(text: string): SchemaAndValue {
  if (text === '') return { schema: STRING, value: '' }
  return parse(new Tokens(text), false) ?? NULL
}

/** Null stands for the literal `null`. */
function parse(tokens: Tokens, embedded: boolean): SchemaAndValue | null {
  if (!tokens.hasNext) return null
  if (embedded && tokens.consume('"')) return parseQuoted(tokens)
  if (tokens.consume('null')) return null
  if (tokens.consume('true')) return { schema: BOOLEAN, value: true }
  if (tokens.consume('false')) return { schema: BOOLEAN, value: false }
  const start = tokens.mark()
  try {
    if (tokens.consume('[')) return parseArray(tokens)
    if (tokens.consume('{')) return parseMap(tokens)
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    // Not a list or map after all: a text that begins like one.
    tokens.rewindTo(start)
  }
  const token = tokens.next()
  if (token.trim() === '') return { schema: STRING, value: token }
  return parseToken(tokens, token.trim(), embedded)
}

function parseToken(tokens: Tokens, token: string, embedded: boolean): SchemaAndValue {
  if (/^\d/.test(token)) {
    // A colon is a delimiter, so a time is five tokens.
    const position = tokens.mark()
    const rest = tokens.nextJoined(4)
    const temporal = rest === null ? null : parseTemporal(token + rest)
    if (temporal) return temporal
    tokens.rewindTo(position)
    const date = parseTemporal(token)
    if (date) return date
  }
  const number = parseNumber(token)
  if (number) return number
  if (embedded) throw new DataError('Failed to parse embedded value')
  return { schema: STRING, value: tokens.original }
}

function parseQuoted(tokens: Tokens): SchemaAndValue {
  let content = ''
  while (tokens.hasNext && !tokens.consume('"', true)) content += tokens.next()
  return parseTemporal(content) ?? { schema: STRING, value: content }
}

function parseArray(tokens: Tokens): SchemaAndValue {
  const values: unknown[] = []
  const common = new CommonSchema()
  while (tokens.hasNext) {
    if (tokens.consume(']')) {
      if (!common.schema) return { schema: ARRAY_OF_ANY, value: values }
      const schema = array(common.schema)
      return { schema, value: align(schema, values) }
    }
    if (tokens.consume(',')) throw new DataError('Unable to parse an empty array element')
    const element = parse(tokens, true)
    common.merge(element)
    values.push(element?.value ?? null)
    const position = tokens.mark()
    if (tokens.consume(']')) tokens.rewindTo(position)
    else if (!tokens.consume(',')) throw new DataError('Array elements missing a comma')
  }
  throw new DataError('Array is missing its end')
}

function parseMap(tokens: Tokens): SchemaAndValue {
  const values = new Map<unknown, unknown>()
  const keys = new CommonSchema()
  const items = new CommonSchema()
  while (tokens.hasNext) {
    if (tokens.consume('}')) {
      if (!keys.schema) return { schema: MAP_OF_ANY, value: values }
      if (!items.schema) return { schema: { ...MAP_OF_ANY, keySchema: keys.schema }, value: values }
      const schema = map(keys.schema, items.schema)
      return { schema, value: align(schema, values) }
    }
    if (tokens.consume(',')) throw new DataError('Unable to parse a map entry without key or value')
    const key = parse(tokens, true)
    if (key === null || key.value === null) throw new DataError('Map entry may not have a null key')
    if (!tokens.consume(':')) throw new DataError('Map entry is missing its colon')
    const item = parse(tokens, true)
    values.set(key.value, item?.value ?? null)
    tokens.consume(',')
    keys.merge(key)
    items.merge(item)
  }
  throw new DataError('Map is missing its end')
}

/** The schema that fits all elements so far, if there is one. */
class CommonSchema {
  schema: Schema | null = null
  #none = false

  merge(element: SchemaAndValue | null): void {
    if (this.#none || !element?.schema) return
    const merged = this.schema ? commonSchema(this.schema, element.schema) : element.schema
    this.schema = merged
    if (!merged) this.#none = true
  }
}
