import { DataError } from '../errors.ts'
import type { SchemaAndValue } from '../plugins.ts'
import { array, map, primitive, type Schema, schemasEqual } from '../schema.ts'
import { align, commonSchema, withoutSchema } from './align.ts'
import { looksLikeTime, parseNumber, parseTemporal } from './literals.ts'
import { Tokens } from './tokens.ts'

const STRING = primitive('string')
const BOOLEAN = primitive('boolean')
const NULL: SchemaAndValue = { schema: null, value: null }

/**
 * The schemas of lists and maps whose elements have no common schema, like Connect's arrayOfNull.
 */
const ARRAY_OF_ANY: Schema = Object.freeze({ type: 'array', optional: false })
const MAP_OF_ANY: Schema = Object.freeze({ type: 'map', optional: false })

/**
 * Parses a string into a value, as org.apache.kafka.connect.data.Values.parseString does. `5` is an
 * int8, `1.5` a float, and `true` a boolean. ISO dates and times get logical types. `[..]` and
 * `{..}` are lists and maps. Anything else is a string.
 */
export function parseValue(text: string): SchemaAndValue {
  if (text === '') return { schema: STRING, value: '' }
  return parse(new Tokens(text), false) ?? NULL
}

/** Returns the parsed value, or null for the literal `null`. */
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
    // This is not a list or map, but a string that begins like one.
    tokens.rewindTo(start)
  }
  const token = tokens.next()
  if (token.trim() === '') return { schema: STRING, value: token }
  return parseToken(tokens, token.trim(), embedded)
}

function parseToken(tokens: Tokens, token: string, embedded: boolean): SchemaAndValue {
  if (/^\d/.test(token)) {
    // A colon is a delimiter, so a time consists of five tokens.
    const position = tokens.mark()
    const rest = tokens.nextJoined(4)
    const temporal = rest === null ? null : parseTemporal(token + rest)
    if (temporal) return temporal
    // A time such as 25:00:00.000Z must not become the number 25.
    if (rest !== null && !embedded && looksLikeTime(token + rest)) return { schema: STRING, value: tokens.original }
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
  const elements = new Elements()
  while (tokens.hasNext) {
    if (tokens.consume(']')) {
      const { schema: common } = elements
      if (!common) return { schema: ARRAY_OF_ANY, value: elements.values() }
      const schema = array(common)
      return { schema, value: align(schema, elements.values()) }
    }
    if (tokens.consume(',')) throw new DataError('Unable to parse an empty array element')
    elements.add(parse(tokens, true))
    const position = tokens.mark()
    if (tokens.consume(']')) tokens.rewindTo(position)
    else if (!tokens.consume(',')) throw new DataError('Array elements missing a comma')
  }
  throw new DataError('Array is missing its end')
}

function parseMap(tokens: Tokens): SchemaAndValue {
  const keys = new Elements()
  const items = new Elements()
  while (tokens.hasNext) {
    if (tokens.consume('}')) {
      const names = keys.values()
      const entries = items.values().map((item, i): [unknown, unknown] => [names[i], item])
      const value = new Map(entries)
      if (!keys.schema) return { schema: MAP_OF_ANY, value }
      if (!items.schema) return { schema: { ...MAP_OF_ANY, keySchema: keys.schema }, value }
      const schema = map(keys.schema, items.schema)
      return { schema, value: align(schema, value) }
    }
    if (tokens.consume(',')) throw new DataError('Unable to parse a map entry without key or value')
    const key = parse(tokens, true)
    if (key === null || key.value === null) throw new DataError('Map entry may not have a null key')
    if (!tokens.consume(':')) throw new DataError('Map entry is missing its colon')
    const item = parse(tokens, true)
    tokens.consume(',')
    keys.add(key)
    items.add(item)
  }
  throw new DataError('Map is missing its end')
}

/**
 * The elements of a list, or the keys or values of a map, with their common schema if it exists.
 */
class Elements {
  schema: Schema | null = null
  readonly #all: SchemaAndValue[] = []
  #none = false

  add(element: SchemaAndValue | null): void {
    this.#all.push(element ?? NULL)
    if (this.#none || !element?.schema) return
    const merged = this.schema ? commonSchema(this.schema, element.schema) : element.schema
    this.schema = merged
    if (!merged) this.#none = true
  }

  /**
   * Returns the elements for a list or map with their common schema. An element that is not a
   * number and has another schema, such as a list with another element type, becomes a value
   * without a schema.
   */
  values(): unknown[] {
    const { schema } = this
    return this.#all.map(element => {
      const isNumber = typeof element.value === 'number' || typeof element.value === 'bigint'
      const fits = schema !== null && (isNumber || schemasEqual(schema, element.schema))
      return fits ? element.value : withoutSchema(element)
    })
  }
}
