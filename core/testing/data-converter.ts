import { DataError } from '../connect/errors.ts'
import type { Converter, HeaderConverter, SchemaAndValue } from '../connect/plugins.ts'
import type { Schema } from '../connect/schema.ts'
import { valueFault } from '../connect/value-fault.ts'

/**
 * A converter that stores each value in memory, unchanged. The bytes of a value contain only its
 * index in memory. As in Connect, a value that does not match its schema is rejected.
 */
export class DataConverter implements Converter, HeaderConverter {
  readonly #kept: SchemaAndValue[] = []

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Buffer | null {
    const fault = valueFault(schema, value)
    if (fault !== null) throw new DataError(`the record for topic ${topic} does not match its schema: ${fault}`)
    if (value === null || value === undefined) return null
    this.#kept.push({ schema, value })
    return Buffer.from(String(this.#kept.length - 1))
  }

  toConnectData(_topic: string, bytes: Buffer | null): SchemaAndValue {
    return bytes === null ? { schema: null, value: null } : this.#kept[Number(bytes.toString())]!
  }

  fromConnectHeader(topic: string, _key: string, schema: Schema | null, value: unknown): Buffer | null {
    return this.fromConnectData(topic, schema, value)
  }

  toConnectHeader(topic: string, _key: string, bytes: Buffer | null): SchemaAndValue {
    return this.toConnectData(topic, bytes)
  }
}
