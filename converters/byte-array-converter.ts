import {
  type Converter,
  DataError,
  defineConfig,
  type HeaderConverter,
  primitive,
  type Schema,
  type SchemaAndValue,
} from 'millrace/connect'
import { converterType } from './common/converter-type.ts'

const OPTIONAL_BYTES = primitive('bytes', { optional: true })

/** org.apache.kafka.connect.converters.ByteArrayConverter: passes bytes through unchanged. */
export class ByteArrayConverter implements Converter, HeaderConverter {
  readonly config = defineConfig({ 'converter.type': converterType })

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Buffer | null {
    if (schema !== null && schema.type !== 'bytes') {
      throw new DataError(`Invalid schema type for ByteArrayConverter: ${schema.type} (topic ${topic})`)
    }
    if (value === null || value === undefined) return null
    if (Buffer.isBuffer(value)) return value
    if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length)
    throw new DataError(
      `ByteArrayConverter takes only bytes, but topic ${topic} got a ${typeof value}. ` +
        `Use another converter, or a transformation that converts the data to bytes.`,
    )
  }

  toConnectData(_topic: string, bytes: Buffer | null): SchemaAndValue {
    return { schema: OPTIONAL_BYTES, value: bytes }
  }

  fromConnectHeader(topic: string, _key: string, schema: Schema | null, value: unknown): Buffer | null {
    return this.fromConnectData(topic, schema, value)
  }

  toConnectHeader(topic: string, _key: string, bytes: Buffer | null): SchemaAndValue {
    return this.toConnectData(topic, bytes)
  }
}
