import {
  type ConfigValues,
  type Converter,
  type ConverterContext,
  DataError,
  type Header,
  type HeaderConverter,
  messageOf,
  parseConfig,
  type RawHeader,
  type Schema,
  type SchemaAndValue,
  SchemaCache,
} from 'millrace/connect'
import { inJavaOrder } from 'millrace/connect/java'
import { jsonConverterConfig } from './config.ts'
import { EnvelopeCache, type ReadSchema } from './envelope-cache.ts'
import { type Precision, parseJson } from './parse.ts'
import { readSchema } from './read-schema.ts'
import { compileReader, DigitsNeeded } from './read-value.ts'
import { Slab } from './slab.ts'
import { renderSchema } from './write-schema.ts'
import { writeSchemaless } from './write-schemaless.ts'
import { compileWriter, faultyPath, type WriteOptions, type Writer } from './write-value.ts'

interface WriteSchema {
  /** The bytes of `{"schema":{...},"payload":`. */
  readonly head: Buffer
  /** `head` as text. Null if `head` is long, because copying its bytes is then cheaper. */
  readonly headText: string | null
  readonly write: Writer
}

const NULL: SchemaAndValue = Object.freeze({ schema: null, value: null })
const NO_SCHEMA_TEXT = '{"schema":null,"payload":'
const NO_SCHEMA = Buffer.from(NO_SCHEMA_TEXT)
/** The maximum length, in bytes, of a head that is joined to the payload as text. */
const SHORT_HEAD = 1024
const SCHEMALESS: ReadSchema = { schema: null, read: inJavaOrder, precision: 'schemaless' }

/**
 * org.apache.kafka.connect.json.JsonConverter: converts data to JSON and back. The JSON contains
 * the schema and the data, or only the data (`schemas.enable=false`).
 */
export class JsonConverter implements Converter, HeaderConverter {
  readonly config = jsonConverterConfig
  #config: ConfigValues<typeof jsonConverterConfig> = parseConfig(jsonConverterConfig, {
    'converter.type': 'value',
  })
  #isKey = false
  #options: WriteOptions = { decimalFormat: 'BASE64', replaceNullWithDefault: true }
  #fixed: ReadSchema | null = null
  #read = new EnvelopeCache(1000)
  #written = new SchemaCache<WriteSchema>()
  readonly #slab = new Slab()
  readonly #compile = (schema: Schema): WriteSchema => {
    const write = compileWriter(schema, this.#options)
    const headText = `{"schema":${renderSchema(schema, this.#options)},"payload":`
    const head = Buffer.from(headText)
    return { head, headText: head.length <= SHORT_HEAD ? headText : null, write }
  }

  configure(settings: ConfigValues<typeof jsonConverterConfig>, { isKey }: ConverterContext): void {
    this.#config = settings
    this.#isKey = isKey
    this.#options = {
      decimalFormat: this.#config['decimal.format'],
      replaceNullWithDefault: this.#config['replace.null.with.default'],
    }
    this.#read = new EnvelopeCache(this.#config['schemas.cache.size'])
    this.#written = new SchemaCache()
    const content = this.#config['schema.content']
    this.#fixed = content === null ? null : this.#readSchema(parseJson(Buffer.from(content), 'schemaless'))
  }

  fromConnectData(topic: string, schema: Schema | null, value: unknown, _headers?: readonly Header[]): Buffer | null {
    if (schema === null) {
      if (value === null || value === undefined) return null
      return this.#slab.message(this.#config['schemas.enable'] ? NO_SCHEMA : null, writeSchemaless(value))
    }
    const known = this.#written.get(schema, this.#compile)
    return this.#slab.message(
      this.#config['schemas.enable'] ? known.head : null,
      this.#payload(known, topic, schema, value),
    )
  }

  fromConnectText(topic: string, schema: Schema | null, value: unknown): string | Buffer | null {
    if (schema === null) {
      if (value === null || value === undefined) return null
      const payload = writeSchemaless(value)
      return this.#config['schemas.enable'] ? `${NO_SCHEMA_TEXT}${payload}}` : payload
    }
    const known = this.#written.get(schema, this.#compile)
    const payload = this.#payload(known, topic, schema, value)
    if (!this.#config['schemas.enable']) return payload
    return known.headText === null ? this.#slab.message(known.head, payload) : `${known.headText}${payload}}`
  }

  #payload(known: WriteSchema, topic: string, schema: Schema, value: unknown): string {
    try {
      return known.write(value)
    } catch (error) {
      const path = faultyPath(schema, value, this.#options)
      const where = path === '' ? `the ${this.#side}` : `field ${path} of the ${this.#side}`
      throw new DataError(`cannot convert ${where} for topic ${topic} to JSON: ${messageOf(error)}`, { cause: error })
    }
  }

  toConnectData(topic: string, bytes: Buffer | null, _headers?: readonly RawHeader[]): SchemaAndValue {
    if (bytes === null) return NULL
    if (!this.#config['schemas.enable'] && bytes.length === 0) return NULL
    if (!this.#config['schemas.enable']) return this.#value(SCHEMALESS, topic, p => this.#parse(topic, bytes, p))
    if (this.#fixed) return this.#value(this.#fixed, topic, p => this.#parse(topic, bytes, p))
    const hit = this.#read.find(topic, bytes)
    if (hit && bytes[bytes.length - 1] === 0x7d) {
      const payload = (p: Precision) => parseJson(bytes, p, hit.payloadAt, bytes.length - 1)
      const parsed = tryParse(payload, hit.entry.precision)
      if (parsed) return this.#value(hit.entry, topic, p => (p === 'text' ? payload(p) : parsed.json))
    }
    return this.#readWhole(topic, bytes)
  }

  fromConnectHeader(topic: string, _key: string, schema: Schema | null, value: unknown): Buffer | null {
    return this.fromConnectData(topic, schema, value)
  }

  toConnectHeader(topic: string, _key: string, bytes: Buffer | null): SchemaAndValue {
    return this.toConnectData(topic, bytes)
  }

  get #side(): string {
    return this.#isKey ? 'key' : 'value'
  }

  /**
   * Parses the complete message. This is needed for the first message with a schema, and for a
   * malformed message.
   */
  #readWhole(topic: string, bytes: Buffer): SchemaAndValue {
    const parts = envelopeOf(this.#parse(topic, bytes, 'schemaless'))
    if (!parts) throw this.#notAnEnvelope(topic, bytes)
    if (parts.schema === null) return this.#value(SCHEMALESS, topic, () => parts.payload)
    const entry = this.#known(topic, parts.schema)
    this.#read.learn(topic, bytes, entry)
    const whole = (p: Precision) => envelopeOf(this.#parse(topic, bytes, p))?.payload
    return this.#value(entry, topic, p => (p === 'text' ? whole(p) : parts.payload))
  }

  /** Returns the parsed form of a message's schema. Each schema is parsed once. */
  #known(topic: string, node: unknown): ReadSchema {
    try {
      const text = JSON.stringify(node, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v))
      let entry = this.#read.get(text)
      if (!entry) {
        entry = this.#readSchema(node)
        this.#read.set(text, entry)
      }
      return entry
    } catch (error) {
      // A schema that is nested too deeply causes a RangeError.
      throw new DataError(`the schema of the ${this.#side} in topic ${topic} is invalid: ${messageOf(error)}`)
    }
  }

  #readSchema(node: unknown): ReadSchema {
    const options = { replaceNullWithDefault: this.#options.replaceNullWithDefault }
    const schema = readSchema(node, options)
    return { schema, read: compileReader(schema, options), precision: precisionOf(schema) }
  }

  #value(entry: ReadSchema, topic: string, json: (precision: Precision) => unknown): SchemaAndValue {
    try {
      return { schema: entry.schema, value: entry.read(json(entry.precision)) }
    } catch (error) {
      if (error instanceof DigitsNeeded) {
        if (error.always) entry.precision = 'text'
        return this.#value(error.always ? entry : { ...entry, precision: 'text' }, topic, json)
      }
      if (error instanceof SyntaxErrorInTopic) throw error
      throw new DataError(`cannot convert the ${this.#side} from topic ${topic}: ${messageOf(error)}`)
    }
  }

  #parse(topic: string, bytes: Buffer, precision: Precision): unknown {
    const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
    try {
      return parseJson(bytes, precision, hasMark ? 3 : 0)
    } catch (error) {
      const start = bytes.toString('utf8', 0, 60)
      const key = this.#isKey ? 'key.converter' : 'value.converter'
      throw new SyntaxErrorInTopic(
        `the ${this.#side} in topic ${topic} is not JSON (it starts with ${JSON.stringify(start)}): ${messageOf(error)}. ` +
          `Set ${key} to the converter that wrote it, such as org.apache.kafka.connect.storage.StringConverter.`,
      )
    }
  }

  #notAnEnvelope(topic: string, bytes: Buffer): DataError {
    const key = this.#isKey ? 'key.converter' : 'value.converter'
    return new DataError(
      `JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields, ` +
        `but the ${this.#side} in topic ${topic} is ${JSON.stringify(bytes.toString('utf8', 0, 60))}. If it is plain JSON, ` +
        `add this line to the configuration of the connector (or of the worker): ${key}.schemas.enable=false`,
    )
  }
}

function tryParse(parse: (precision: Precision) => unknown, precision: Precision): { json: unknown } | null {
  try {
    return { json: parse(precision) }
  } catch {
    // The rest of the message does not parse as a payload. Parsing the complete message reports the
    // error, if there is one.
    return null
  }
}

function envelopeOf(json: unknown): { schema: unknown; payload: unknown } | null {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return null
  if (Object.keys(json).length !== 2 || !('schema' in json) || !('payload' in json)) return null
  return { schema: json.schema, payload: json.payload }
}

/** An error whose message already contains the topic. */
class SyntaxErrorInTopic extends DataError {}

/** Returns the precision that a schema needs. Only int64 values can exceed 2^53. */
function precisionOf(schema: Schema): Precision {
  if (schema.type === 'int64') return 'int64'
  const inner = [schema.keySchema, schema.valueSchema, ...(schema.fields ?? []).map(f => f.schema)]
  return inner.some(s => s !== undefined && precisionOf(s) === 'int64') ? 'int64' : 'double'
}
