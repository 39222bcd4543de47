import { defineConfig, key, nonEmpty, oneOf, range } from 'millrace/connect'
import { converterType } from '../common/converter-type.ts'

const shared = { width: 'MEDIUM' } as const

/** The keys of JsonConverter, which users set as `key.converter.*` and `value.converter.*`. */
export const jsonConverterConfig = defineConfig({
  'converter.type': converterType,
  'schemas.enable': key.boolean({
    ...shared,
    default: true,
    importance: 'HIGH',
    displayName: 'Enable Schemas',
    group: 'Schemas',
    documentation:
      'Whether each message contains its schema, as {"schema": ..., "payload": ...}. Without schemas, a message is plain JSON, and numbers and logical types lose their exact types.',
  }),
  'schemas.cache.size': key.int({
    ...shared,
    default: 1000,
    // For this key, Connect does not report an error for null.
    validator: { ...range(0), ofNull: undefined },
    importance: 'HIGH',
    displayName: 'Schema Cache Size',
    group: 'Schemas',
    documentation: 'The maximum number of schemas that the converter keeps in memory.',
  }),
  'decimal.format': key.string({
    ...shared,
    default: 'BASE64',
    validator: oneOf(['NUMERIC', 'BASE64'], { ignoreCase: true }),
    importance: 'LOW',
    displayName: 'Decimal Format',
    group: 'Serialization',
    documentation:
      'How decimals are written. NUMERIC: as a JSON number. BASE64: as the base64 text of the unscaled value, which only readers with the schema understand. Case does not matter.',
  }),
  'replace.null.with.default': key.boolean({
    ...shared,
    default: true,
    importance: 'LOW',
    displayName: 'Replace null with default',
    group: 'Serialization',
    documentation:
      'Whether a null in a field with a default value is written as the default value. With false, null is written.',
  }),
  'schema.content': key.string({
    ...shared,
    default: null,
    validator: nonEmpty,
    importance: 'HIGH',
    displayName: 'Schema Content',
    group: 'Schemas',
    documentation:
      'The schema of all messages, as JSON. Messages then contain only the payload. Used if schemas.enable is true.',
  }),
})
