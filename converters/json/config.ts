import { defineConfig, nonEmpty, oneOf, range } from '../../core/connect/index.ts'

/** The keys of JsonConverter, as `key.converter.*` and `value.converter.*`. */
export const jsonConverterConfig = defineConfig({
  'schemas.enable': {
    type: 'BOOLEAN',
    default: true,
    importance: 'HIGH',
    displayName: 'Enable Schemas',
    group: 'Schemas',
    documentation: 'Whether each key and value carries its schema: {"schema": ..., "payload": ...}.',
  },
  'schemas.cache.size': {
    type: 'INT',
    default: 1000,
    importance: 'HIGH',
    displayName: 'Schema Cache Size',
    group: 'Schemas',
    validator: range(1),
    documentation: 'How many schemas are kept compiled.',
  },
  'decimal.format': {
    type: 'STRING',
    default: 'BASE64',
    importance: 'LOW',
    displayName: 'Decimal Format',
    group: 'Serialization',
    validator: oneOf(['BASE64', 'NUMERIC'], { ignoreCase: true }),
    documentation:
      'How decimals are written: BASE64 (the bytes of the unscaled value) or NUMERIC (a JSON number). Case does not matter.',
  },
  'replace.null.with.default': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    displayName: 'Replace null with default',
    group: 'Serialization',
    documentation:
      'Whether a null is replaced by the default of its field. false: null is written, and the default only where the field is absent.',
  },
  'schema.content': {
    type: 'STRING',
    default: null,
    importance: 'HIGH',
    displayName: 'Schema Content',
    group: 'Schemas',
    validator: nonEmpty,
    documentation:
      'The schema of all messages, as JSON; messages then hold only the payload. Used when schemas.enable is true.',
  },
})
