import {
  type Converter,
  DataError,
  defineConfig,
  type HeaderConverter,
  javaToString,
  type Props,
  primitive,
  type Schema,
  type SchemaAndValue,
} from '../core/connect/index.ts'
import { converterType, parseConverterConfig } from './common/converter-type.ts'
import { encodingOf, isEncoding } from './encoding.ts'

const stringConverterConfig = defineConfig({
  'converter.type': converterType,
  'converter.encoding': {
    type: 'STRING',
    default: 'UTF-8',
    importance: 'HIGH',
    width: 'MEDIUM',
    displayName: 'Encoding',
    documentation: 'The character set of the text, such as UTF-8, ISO-8859-1 or UTF-16LE.',
    validator: {
      describe: 'a character set',
      check: value => (isEncoding(String(value)) ? null : `the character set ${value} is not supported`),
    },
  },
})

/** Kafka Connect's Schema.OPTIONAL_STRING_SCHEMA: what all text is read as. */
export const OPTIONAL_STRING: Schema = primitive('string', { optional: true })

/** org.apache.kafka.connect.storage.StringConverter: text as it is; anything else as Java's toString has it. */
export class StringConverter implements Converter, HeaderConverter {
  readonly version = '0.1.0'
  readonly config = stringConverterConfig
  #encoding: BufferEncoding = 'utf8'

  configure(props: Props, isKey?: boolean): void {
    this.#encoding = encodingOf(parseConverterConfig(stringConverterConfig, props, isKey)['converter.encoding'])
  }

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Buffer | null {
    if (value === null || value === undefined) return null
    if (typeof value === 'string') return Buffer.from(value, this.#encoding)
    if (Buffer.isBuffer(value)) return value
    try {
      return Buffer.from(javaToString(schema, value), this.#encoding)
    } catch (error) {
      throw new DataError(`cannot convert data for topic ${topic} to text`, { cause: error })
    }
  }

  fromConnectText(topic: string, schema: Schema | null, value: unknown): string | Buffer | null {
    return typeof value === 'string' && this.#encoding === 'utf8' ? value : this.fromConnectData(topic, schema, value)
  }

  toConnectData(_topic: string, bytes: Buffer | null): SchemaAndValue {
    return { schema: OPTIONAL_STRING, value: bytes === null ? null : bytes.toString(this.#encoding) }
  }

  fromConnectHeader(topic: string, _key: string, schema: Schema | null, value: unknown): Buffer | null {
    return this.fromConnectData(topic, schema, value)
  }

  toConnectHeader(topic: string, _key: string, bytes: Buffer | null): SchemaAndValue {
    return this.toConnectData(topic, bytes)
  }
}
