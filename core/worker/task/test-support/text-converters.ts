import { DataError } from '../../../connect/errors.ts'
import type { Converter, HeaderConverter } from '../../../connect/plugins.ts'
import type { Converters } from '../source/source-converter.ts'

/** Converts strings to and from UTF-8. The string `!bad` cannot be read. */
const text: Converter & HeaderConverter = {
  version: '0',
  config: {},
  configure: () => undefined,
  fromConnectData: (_topic, _schema, value) => (value === null ? null : Buffer.from(String(value))),
  toConnectData: (_topic, bytes) => {
    if (bytes?.toString() === '!bad') throw new DataError('it is bad')
    return { schema: null, value: bytes?.toString() ?? null }
  },
  fromConnectHeader: (_topic, _key, _schema, value) => Buffer.from(String(value)),
  toConnectHeader: (_topic, _key, bytes) => ({ schema: null, value: bytes?.toString() ?? null }),
}

const named = { className: 'TextConverter', plugin: text }
export const textConverters: Converters = { key: named, value: named, header: named }
