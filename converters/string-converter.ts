import {
  type ConfigValues,
  type Converter,
  DataError,
  defineConfig,
  type HeaderConverter,
  key,
  primitive,
  type Schema,
  type SchemaAndValue,
} from 'millrace/connect'
import { javaToString } from 'millrace/connect/java'
import { converterType } from './common/converter-type.ts'
import { type Charset, charsetOf, isCharset } from './encoding/charsets.ts'
import { utf8Charset } from './encoding/unicode.ts'

const stringConverterConfig = defineConfig({
  'converter.type': converterType,
  'converter.encoding': key.string({
    default: 'UTF-8',
    validator: {
      describe: 'a character set',
      check: value => (isCharset(String(value)) ? null : `the character set ${value} is not supported`),
    },
    importance: 'HIGH',
    width: 'MEDIUM',
    displayName: 'Encoding',
    documentation:
      'The character encoding, by its Java name: UTF-8, UTF-16, UTF-32 (also with LE and BE), US-ASCII, ISO-8859-1 to -16, windows-1250 to -1258, KOI8-R and -U, and the single-byte IBM code pages.',
  }),
})

/** The schema of all text that this converter reads: Connect's Schema.OPTIONAL_STRING_SCHEMA. */
export const OPTIONAL_STRING: Schema = primitive('string', { optional: true })

/**
 * org.apache.kafka.connect.storage.StringConverter: converts strings to bytes and back. Other
 * values are written as text, like Java's toString.
 */
export class StringConverter implements Converter, HeaderConverter {
  readonly config = stringConverterConfig
  #charset: Charset = utf8Charset

  configure(settings: ConfigValues<typeof stringConverterConfig>): void {
    const name = settings['converter.encoding']
    this.#charset = charsetOf(name) ?? utf8Charset
  }

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Buffer | null {
    if (value === null || value === undefined) return null
    if (typeof value === 'string') return this.#charset.encode(value)
    if (Buffer.isBuffer(value)) return value
    try {
      return this.#charset.encode(javaToString(schema, value))
    } catch (error) {
      throw new DataError(`cannot convert data for topic ${topic} to text`, { cause: error })
    }
  }

  fromConnectText(topic: string, schema: Schema | null, value: unknown): string | Buffer | null {
    const isUtf8 = typeof value === 'string' && this.#charset === utf8Charset && value.isWellFormed()
    return isUtf8 ? value : this.fromConnectData(topic, schema, value)
  }

  toConnectData(_topic: string, bytes: Buffer | null): SchemaAndValue {
    return { schema: OPTIONAL_STRING, value: bytes === null ? null : this.#charset.decode(bytes) }
  }

  fromConnectHeader(topic: string, _key: string, schema: Schema | null, value: unknown): Buffer | null {
    return this.fromConnectData(topic, schema, value)
  }

  toConnectHeader(topic: string, _key: string, bytes: Buffer | null): SchemaAndValue {
    return this.toConnectData(topic, bytes)
  }
}
