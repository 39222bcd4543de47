import {
  DATE,
  DataError,
  DECIMAL,
  Decimal,
  FloatingNumber,
  type Schema,
  type Struct,
  scaleOf,
  setField,
  TIME,
  TIMESTAMP,
} from 'millrace/connect'
import { anyDate, DEFAULT_TABLE, hashMapOrder } from 'millrace/connect/java'
import { NumberText } from './parse.ts'
import { DAY_MS, describe } from './write-value.ts'

/**
 * Converts parsed JSON to a value of a schema. Throws a DataError if the JSON does not fit the
 * schema.
 */
export type Reader = (json: unknown) => unknown

export interface ReadOptions {
  readonly replaceNullWithDefault: boolean
}

/**
 * Signals that a number lost digits when it was parsed. The caller must parse the text again with
 * NumberText.
 */
export class DigitsNeeded extends Error {
  /**
   * Whether all messages with this schema need NumberText, because its decimals are JSON numbers.
   */
  readonly always: boolean
  constructor(always: boolean) {
    super('digits needed')
    this.always = always
  }
}

function mismatch(schema: Schema, json: unknown): DataError {
  const type = schema.name ? `${schema.type} (${schema.name})` : schema.type
  return new DataError(`${describe(json)} is not a value of type ${type}`)
}

/** Compiles a function that reads values of a schema. */
export function compileReader(schema: Schema, options: ReadOptions): Reader {
  const read = logicalReader(schema) ?? typeReader(schema, options)
  const byDefault = options.replaceNullWithDefault ? (schema.default ?? null) : null
  return json => {
    if (json !== null && json !== undefined) return read(json)
    if (byDefault !== null) return byDefault
    if (schema.optional) return null
    throw new DataError(`Invalid null value for required ${schema.type.toUpperCase()} field`)
  }
}

function logicalReader(schema: Schema): Reader | null {
  switch (schema.name) {
    case DECIMAL: {
      return json => {
        if (json instanceof NumberText) return Decimal.parse(json.text)
        if (typeof json !== 'string') throw new DigitsNeeded(true)
        return Decimal.fromBuffer(base64(schema, json), scaleOf(schema))
      }
    }
    case DATE:
      return json => anyDate(integer(schema, json, 2 ** 31) * DAY_MS)
    case TIME:
      return json => new Date(integer(schema, json, 2 ** 31))
    case TIMESTAMP:
      return json => anyDate(long(schema, json))
    default:
      return null
  }
}

/** Whether parsed JSON is an object, and not an array, a NumberText or a FloatingNumber. */
function isObject(json: unknown): json is Struct {
  return (
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    !(json instanceof NumberText) &&
    !(json instanceof FloatingNumber)
  )
}

/** Returns the value of a number, which may have been parsed as a NumberText or FloatingNumber. */
function plain(json: unknown): unknown {
  return json instanceof NumberText || json instanceof FloatingNumber ? json.value : json
}

function long(schema: Schema, json: unknown): number | bigint {
  // Adding 0 removes the sign of -0.
  if (typeof json === 'number' && Number.isSafeInteger(json)) return json + 0
  if (typeof json === 'number' && Number.isInteger(json)) throw new DigitsNeeded(false)
  const n = plain(json)
  if (typeof n === 'number' && Number.isInteger(n)) return n
  if (typeof n === 'bigint' && BigInt.asIntN(64, n) === n) return n
  throw mismatch(schema, n)
}

function integer(schema: Schema, json: unknown, limit: number): number {
  const n = typeof json === 'number' ? json : plain(json)
  // Adding 0 removes the sign of -0.
  if (typeof n === 'number' && Number.isInteger(n) && n >= -limit && n < limit) return n + 0
  throw mismatch(schema, n)
}

function float(schema: Schema, json: unknown): number {
  const n = typeof json === 'number' ? json : plain(json)
  // Adding 0 removes the sign of -0, because Java's BigDecimal has no negative zero.
  if (typeof n === 'number') return n + 0
  if (typeof n === 'bigint') return Number(n)
  // Java's converter writes these values as strings, because JSON has no such numbers.
  if (n === 'NaN' || n === 'Infinity' || n === '-Infinity') return Number(n)
  throw mismatch(schema, n)
}

function base64(schema: Schema, json: unknown): Buffer {
  if (typeof json !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(json)) throw mismatch(schema, json)
  return Buffer.from(json, 'base64')
}

const INT_LIMITS: Readonly<Record<string, number>> = { int8: 2 ** 7, int16: 2 ** 15, int32: 2 ** 31 }

function typeReader(schema: Schema, options: ReadOptions): Reader {
  switch (schema.type) {
    case 'int8':
    case 'int16':
    case 'int32': {
      const limit = INT_LIMITS[schema.type]!
      return json => integer(schema, json, limit)
    }
    case 'int64':
      return json => long(schema, json)
    case 'float':
      return json => Math.fround(float(schema, json))
    case 'double':
      return json => float(schema, json)
    case 'boolean':
      return json => {
        if (typeof json !== 'boolean') throw mismatch(schema, json)
        return json
      }
    case 'string':
      return json => {
        if (typeof json !== 'string') throw mismatch(schema, json)
        return json
      }
    case 'bytes':
      return json => base64(schema, json)
    case 'array': {
      const item = compileReader(schema.valueSchema!, options)
      return json => {
        if (!Array.isArray(json)) throw mismatch(schema, json)
        return json.map(item)
      }
    }
    case 'map':
      return mapReader(schema, options)
    case 'struct':
      return structReader(schema, options)
  }
}

// Connect reads maps into a HashMap. The order of the HashMap is visible when the map is written
// again.
function mapReader(schema: Schema, options: ReadOptions): Reader {
  const key = compileReader(schema.keySchema!, options)
  const item = compileReader(schema.valueSchema!, options)
  const ofLongs = schema.keySchema!.type === 'int64'
  const inOrder = (entries: readonly (readonly [unknown, unknown])[]) =>
    new Map(hashMapOrder([...new Map(entries)], entry => entry[0], ofLongs, DEFAULT_TABLE))
  return json => {
    if (Array.isArray(json) && schema.keySchema!.type !== 'string') {
      return inOrder(
        json.map((pair: unknown) => {
          if (Array.isArray(pair) && pair.length === 2) return [key(pair[0]), item(pair[1])] as const
          throw new DataError('Map entry must be an array of a key and a value')
        }),
      )
    }
    if (!isObject(json)) throw mismatch(schema, json)
    return inOrder(Object.entries(json).map(([k, v]) => [key(k), item(v)] as const))
  }
}

// The parsed object itself becomes the struct. Only values that JSON cannot represent are replaced.
function structReader(schema: Schema, options: ReadOptions): Reader {
  const fields = schema.fields ?? []
  const names = fields.map(f => f.name)
  const readers = fields.map(f => compileReader(f.schema, options))
  const inherited = names.map(name => name in Object.prototype)
  return json => {
    if (!isObject(json)) throw mismatch(schema, json)
    const struct = json
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      try {
        const given = inherited[i] && !Object.hasOwn(struct, name) ? null : struct[name]
        const value = readers[i]!(given)
        if (Object.is(value, given)) continue
        setField(struct, name, value)
      } catch (error) {
        throw error instanceof DigitsNeeded ? error : withPath(name, error)
      }
    }
    return struct
  }
}

/** Returns the error with the name of a field added to its path: `after.price: ...`. */
function withPath(name: string, error: unknown): DataError {
  const at = error instanceof FieldError ? `${name}.${error.path}` : name
  const message = error instanceof FieldError ? error.bare : error instanceof Error ? error.message : String(error)
  return new FieldError(at, message)
}

class FieldError extends DataError {
  readonly path: string
  readonly bare: string
  constructor(path: string, message: string) {
    super(`field ${path}: ${message}`)
    this.path = path
    this.bare = message
  }
}
