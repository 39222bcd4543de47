import { DataError, defineConfig, type HeaderConverter, type Schema, type SchemaAndValue } from 'millrace/connect'
import { parseValue, renderValue } from 'millrace/connect/java'
import { utf8Charset } from './encoding/unicode.ts'

const NULL: SchemaAndValue = Object.freeze({ schema: null, value: null })

/**
 * org.apache.kafka.connect.storage.SimpleHeaderConverter, the default: writes headers as text, and
 * derives the type from the text when it reads them.
 */
export class SimpleHeaderConverter implements HeaderConverter {
  readonly config = defineConfig({})

  fromConnectHeader(_topic: string, _key: string, schema: Schema | null, value: unknown): Buffer | null {
    const text = renderValue(schema, value)
    return text === null ? null : utf8Charset.encode(text)
  }

  toConnectHeader(_topic: string, key: string, bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return NULL
    try {
      return parseValue(utf8Charset.decode(bytes))
    } catch (error) {
      throw new DataError(`cannot read the header ${key}`, { cause: error })
    }
  }
}
