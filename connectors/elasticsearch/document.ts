import { DATE, DECIMAL, type Decimal, type Schema, type SinkRecord, TIME, TIMESTAMP } from '../../core/connect/index.ts'
import { errors } from './errors.ts'
import type { Settings } from './settings.ts'

type Write = (value: unknown) => string

const quote = (value: unknown) => JSON.stringify(String(value))
const where = (r: SinkRecord) => ({ topic: r.originalTopic, partition: r.originalPartition, offset: r.originalOffset })

function number(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  const n = Number(value)
  return Number.isFinite(n) ? String(n) : quote(n)
}

/** JSON of data without a schema: as JSON.stringify, with bigint, bytes, dates, decimals and maps. */
function plain(value: unknown): string {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return number(value)
    case 'string':
      return JSON.stringify(value)
    case 'boolean':
      return String(value)
    case 'object':
      break
    default:
      return 'null'
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map(plain).join(',')}]`
  if (Buffer.isBuffer(value)) return quote(value.toString('base64'))
  if (value instanceof Date) return String(value.getTime())
  if (value instanceof Map) return `{${[...value].map(([k, v]) => `${quote(k)}:${plain(v)}`).join(',')}}`
  if ('unscaled' in value) return number((value as Decimal).toNumber())
  return `{${Object.entries(value)
    .map(([k, v]) => `${JSON.stringify(k)}:${plain(v)}`)
    .join(',')}}`
}

/** Makes and keeps, for each schema, the function that writes its values: nothing is looked up per record. */
export class DocumentWriter {
  readonly #compactMaps: boolean
  readonly #compiled = new WeakMap<Schema, Write>()

  constructor(compactMaps: boolean) {
    this.#compactMaps = compactMaps
  }

  /** The document's JSON. Throws MR_ES_DOCUMENT for a value that is none. */
  write(record: SinkRecord): string {
    const { value, valueSchema: schema } = record
    const isDocument = schema
      ? schema.type === 'struct' || schema.type === 'map'
      : typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
    if (!isDocument) {
      const found = schema
        ? `of type ${schema.type}`
        : Array.isArray(value)
          ? 'an array'
          : Buffer.isBuffer(value)
            ? 'bytes'
            : `a ${typeof value}`
      throw errors.create('MR_ES_DOCUMENT', { ...where(record), found })
    }
    return schema ? this.#writer(schema)(value) : plain(value)
  }

  #writer(schema: Schema): Write {
    let write = this.#compiled.get(schema)
    if (!write) {
      const inner = this.#compile(schema)
      const byDefault = schema.default
      write = value => {
        const given = value ?? byDefault
        return given === null || given === undefined ? 'null' : inner(given)
      }
      this.#compiled.set(schema, write)
    }
    return write
  }

  #compile(schema: Schema): Write {
    if (schema.name === DECIMAL) return value => number((value as Decimal).toNumber())
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
      case 'struct': {
        const fields = schema.fields!.map(f => ({
          name: f.name,
          head: `${JSON.stringify(f.name)}:`,
          write: this.#writer(f.schema),
        }))
        return value => {
          const struct = value as Record<string, unknown>
          let out = '{'
          for (const f of fields) out += `${out === '{' ? '' : ','}${f.head}${f.write(struct[f.name])}`
          return `${out}}`
        }
      }
      default:
        return number
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

const ID_TYPES = new Set(['int8', 'int16', 'int32', 'int64', 'string'])

/** The document's id; null where Elasticsearch makes one. Throws MR_ES_ID, MR_ES_ID_TOO_LONG. */
export function documentId(record: SinkRecord, settings: Settings): string | null {
  if (
    settings.dataStream
      ? settings.ignoresKey(record.topic) && settings.raw['use.autogenerated.ids']
      : settings.raw['use.autogenerated.ids']
  )
    return null
  if (settings.ignoresKey(record.topic))
    return `${record.originalTopic}+${record.originalPartition}+${record.originalOffset}`
  const { key, keySchema } = record
  const type = keySchema?.type ?? (Number.isInteger(key) || typeof key === 'bigint' ? 'int64' : typeof key)
  if (key === null || key === undefined || !ID_TYPES.has(type)) {
    throw errors.create('MR_ES_ID', {
      ...where(record),
      found: key === null || key === undefined ? 'null' : `of type ${type}`,
    })
  }
  const id = String(key)
  const bytes = Buffer.byteLength(id)
  if (bytes > 512) throw errors.create('MR_ES_ID_TOO_LONG', { ...where(record), bytes })
  return id
}

/** The document's version for `version_type=external`; null for none. Throws MR_ES_VERSION_HEADER. */
export function documentVersion(record: SinkRecord, settings: Settings): string | null {
  if (
    settings.upsert ||
    settings.dataStream ||
    settings.ignoresKey(record.topic) ||
    settings.raw['use.autogenerated.ids']
  )
    return null
  switch (settings.versions) {
    case 'none':
      return null
    case 'offset':
      return String(record.originalOffset)
    case 'timestamp':
      return String(record.timestamp ?? 0)
    case 'header': {
      const name = settings.raw['external.version.header']
      const text = String(record.headers.findLast(h => h.key === name)?.value ?? '')
      if (!/^\d+$/.test(text)) throw errors.create('MR_ES_VERSION_HEADER', { ...where(record), header: name })
      return text
    }
  }
}

/** Puts `@timestamp` into a data stream's document. Throws MR_ES_TIMESTAMP. */
export function withTimestamp(json: string, record: SinkRecord, settings: Settings): string {
  const fields = settings.raw['data.stream.timestamp.field']
  const value = record.value as Record<string, unknown> | Map<string, unknown>
  const get = (name: string) => (value instanceof Map ? value.get(name) : value[name])
  if (fields.length === 0) {
    if (get('@timestamp') !== undefined) return json
    return insert(json, String(record.timestamp ?? Date.now()))
  }
  const found = fields.map(get).find(v => v !== undefined && v !== null)
  if (found === undefined) throw errors.create('MR_ES_TIMESTAMP', { ...where(record), fields: fields.join(', ') })
  return insert(json, plain(found))
}

function insert(json: string, timestamp: string): string {
  return `{"@timestamp":${timestamp}${json === '{}' ? '' : ','}${json.slice(1)}`
}
