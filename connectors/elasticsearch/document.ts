import {
  DATE,
  DECIMAL,
  Decimal,
  FloatingNumber,
  type Schema,
  SchemaCache,
  type SinkRecord,
  TIME,
  TIMESTAMP,
} from 'millrace/connect'
import { javaDouble, javaFloat, keysInOrder } from 'millrace/connect/java'
import { placeOf } from './document-id.ts'
import { errors } from './errors.ts'
import type { Settings } from './settings.ts'

type Write = (value: unknown) => string

const quote = (value: unknown) => JSON.stringify(String(value))

function number(value: unknown): string {
  return typeof value === 'bigint' || Number.isFinite(value) ? String(value) : quote(value)
}

/**
 * Returns a number without a schema as JSON. A double always has a decimal point, so that
 * Elasticsearch never infers an integer field.
 */
function plainNumber(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : floating(value, javaDouble)
}

function floating(value: unknown, text: (value: number) => string): string {
  return Number.isFinite(value) ? text(value as number) : quote(value)
}

/** Field names as JSON, each with a colon. Cached because they repeat. */
const names = new Map<string, string>()
const MOST_NAMES = 10_000

function nameOf(name: string): string {
  let head = names.get(name)
  if (head === undefined) {
    head = `${JSON.stringify(name)}:`
    if (names.size >= MOST_NAMES) names.clear()
    names.set(name, head)
  }
  return head
}

/** Returns data without a schema as JSON. Supports bigint, bytes, dates, decimals and maps too. */
function plain(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return plainNumber(value)
    case 'bigint':
      return String(value)
    case 'string':
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? 'null' : plainObject(value)
    default:
      return 'null'
  }
}

function plainObject(value: object): string {
  let out = ''
  if (Array.isArray(value)) {
    for (const item of value) out += `${out === '' ? '[' : ','}${plain(item)}`
    return out === '' ? '[]' : `${out}]`
  }
  if (value instanceof FloatingNumber) return JSON.stringify(value)
  if (Buffer.isBuffer(value)) return quote(value.toString('base64'))
  if (value instanceof Date) return String(value.getTime())
  if (value instanceof Decimal) return javaDouble(value.toNumber())
  if (value instanceof Map) {
    for (const [name, item] of value) out += `${out === '' ? '{' : ','}${nameOf(String(name))}${plain(item)}`
  } else {
    const fields = value as Record<string, unknown>
    for (const name of keysInOrder(fields)) out += `${out === '' ? '{' : ','}${nameOf(name)}${plain(fields[name])}`
  }
  return out === '' ? '{}' : `${out}}`
}

/** Whether a record's value can be a document: a struct or a map. */
export function isDocument({ value, valueSchema: schema }: SinkRecord): boolean {
  if (schema) return (schema.type === 'struct' || schema.type === 'map') && value !== null && value !== undefined
  if (typeof value !== 'object' || value === null || value instanceof FloatingNumber) return false
  return !Array.isArray(value) && !Buffer.isBuffer(value)
}

function typeOf({ value, valueSchema: schema }: SinkRecord): string {
  if (schema) return `of type ${schema.type}`
  if (Array.isArray(value)) return 'an array'
  if (value instanceof FloatingNumber) return 'a number'
  return Buffer.isBuffer(value) ? 'bytes' : `a ${typeof value}`
}

const AT = '@timestamp'

/**
 * Writes records as documents. Compiles one function per schema, so that nothing is looked up per
 * record.
 */
export class DocumentWriter {
  readonly #settings: Settings
  readonly #compactMaps: boolean
  readonly #writers = new SchemaCache<Write>()
  /** Functions that write a struct without its field `@timestamp`, by schema. */
  readonly #untimed = new SchemaCache<Write>()

  constructor(settings: Settings) {
    this.#settings = settings
    this.#compactMaps = settings.raw['compact.map.entries']
  }

  /**
   * Returns the document as JSON; for a data stream, with its `@timestamp`. Throws MR_ES_DOCUMENT
   * or MR_ES_TIMESTAMP.
   */
  write(record: SinkRecord): string {
    if (!isDocument(record)) throw errors.create('MR_ES_DOCUMENT', { ...placeOf(record), found: typeOf(record) })
    if (this.#settings.dataStream) return this.#timed(record)
    return record.valueSchema ? this.#writer(record.valueSchema)(record.value) : plain(record.value)
  }

  #timed(record: SinkRecord): string {
    const { value, valueSchema: schema } = record
    const timestamp = timestampOf(record, this.#settings)
    let json: string
    if (schema?.type === 'struct') {
      json = this.#untimed.get(schema, s => this.#compileStruct(s, AT))(value)
    } else {
      const entries = value instanceof Map ? [...value] : Object.entries(value as object)
      const rest = new Map(entries.filter(([name]) => name !== AT))
      json = schema ? this.#writer(schema)(rest) : plain(rest)
    }
    // A map that is not compact is written as a list. Elasticsearch rejects such a document.
    if (!json.startsWith('{')) return json
    return `{"${AT}":${timestamp}${json === '{}' ? '' : ','}${json.slice(1)}`
  }

  #writer(schema: Schema): Write {
    return this.#writers.get(schema, this.#compileOptional)
  }

  readonly #compileOptional = (schema: Schema): Write => {
    const write = this.#compile(schema)
    const byDefault = schema.default
    return value => {
      const present = value ?? byDefault
      return present === null || present === undefined ? 'null' : write(present)
    }
  }

  #compile(schema: Schema): Write {
    // Writes 1.0 and not 1, so that Elasticsearch does not infer an integer field.
    if (schema.name === DECIMAL) return value => floating((value as Decimal).toNumber(), javaDouble)
    if (schema.name === DATE || schema.name === TIME || schema.name === TIMESTAMP)
      return value => String((value as Date).getTime())
    switch (schema.type) {
      case 'boolean':
        return value => (value ? 'true' : 'false')
      case 'string':
        return value => JSON.stringify(value)
      case 'bytes':
        return value => quote((value as Buffer).toString('base64'))
      case 'array': {
        const item = this.#writer(schema.valueSchema!)
        return value => `[${(value as unknown[]).map(item).join(',')}]`
      }
      case 'map':
        return this.#compileMap(schema)
      case 'struct':
        return this.#compileStruct(schema)
      case 'float':
        return value => floating(value, javaFloat)
      case 'double':
        return value => floating(value, javaDouble)
      default:
        return number
    }
  }

  #compileStruct(schema: Schema, without?: string): Write {
    const fields = schema
      .fields!.filter(f => f.name !== without)
      .map((f, n) => ({
        name: f.name,
        head: `${n === 0 ? '{' : ','}${JSON.stringify(f.name)}:`,
        write: this.#writer(f.schema),
        inherited: f.name in Object.prototype,
      }))
    if (fields.length === 0) return () => '{}'
    return value => {
      const struct = value as Record<string, unknown>
      let out = ''
      for (const f of fields) {
        out += f.head + f.write(f.inherited && !Object.hasOwn(struct, f.name) ? null : struct[f.name])
      }
      return `${out}}`
    }
  }

  #compileMap(schema: Schema): Write {
    const key = this.#writer(schema.keySchema!)
    const item = this.#writer(schema.valueSchema!)
    const entries = (value: unknown) => (value instanceof Map ? [...value] : Object.entries(value as object))
    if (this.#compactMaps && schema.keySchema!.type === 'string') {
      return value =>
        `{${entries(value)
          .map(([k, v]) => `${quote(k)}:${item(v)}`)
          .join(',')}}`
    }
    return value =>
      `[${entries(value)
        .map(([k, v]) => `{"key":${key(k)},"value":${item(v)}}`)
        .join(',')}]`
  }
}

/**
 * Returns the `@timestamp` of a data stream's document as JSON. If no fields are configured, it is
 * the timestamp of the record. Otherwise it is the first of the configured fields that has a value,
 * or else the document's own `@timestamp`. Throws MR_ES_TIMESTAMP.
 */
function timestampOf(record: SinkRecord, settings: Settings): string {
  const fields = settings.raw['data.stream.timestamp.field']
  if (fields.length === 0) return String(record.timestamp ?? Date.now())
  const value = record.value as Record<string, unknown> | Map<string, unknown>
  const get = (name: string) => (value instanceof Map ? value.get(name) : Object.hasOwn(value, name) && value[name])
  const found = [...fields, AT].map(get).find(v => v !== undefined && v !== null && v !== false)
  if (found === undefined) throw errors.create('MR_ES_TIMESTAMP', { ...placeOf(record), fields: fields.join(', ') })
  return plain(found)
}
