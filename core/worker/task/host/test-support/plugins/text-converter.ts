import { type Converter, type HeaderConverter, primitive } from '../../../../../connect/index.ts'

/** Converts strings to and from UTF-8. */
export class TextConverter implements Converter, HeaderConverter {
  fromConnectData(_topic: string, _schema: unknown, value: unknown): Buffer | null {
    return value === null ? null : Buffer.from(String(value))
  }

  toConnectData(_topic: string, bytes: Buffer | null) {
    return { schema: primitive('string', { optional: true }), value: bytes?.toString() ?? null }
  }

  fromConnectHeader(_topic: string, _key: string, schema: unknown, value: unknown): Buffer | null {
    return this.fromConnectData('', schema, value)
  }

  toConnectHeader(_topic: string, _key: string, bytes: Buffer | null) {
    return this.toConnectData('', bytes)
  }
}
