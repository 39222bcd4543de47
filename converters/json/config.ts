import { defineConfig, nonEmpty } from 'millrace/connect'
import { converterType } from '../common/converter-type.ts'

const DECIMAL_FORMAT = 'String must be one of (case insensitive): NUMERIC, BASE64'

/** The keys of JsonConverter, as `key.converter.*` and `value.converter.*`. */
export const jsonConverterConfig = defineConfig({
  'converter.type': converterType,
  'schemas.enable': {
    type: 'BOOLEAN',
    default: true,
    importance: 'HIGH',
    width: 'MEDIUM',
    displayName: 'Enable Schemas',
    group: 'Schemas',
    documentation: 'Whether each key and value carries its schema: {"schema": ..., "payload": ...}.',
  },
  'schemas.cache.size': {
    type: 'INT',
    default: 1000,
    importance: 'HIGH',
    width: 'MEDIUM',
    displayName: 'Schema Cache Size',
    group: 'Schemas',
    validator: { describe: '[0,...]', check: value => ((value as number) < 0 ? 'Value must be at least 0' : null) },
    documentation: 'How many schemas are kept compiled.',
  },
  'decimal.format': {
    type: 'STRING',
    default: 'BASE64',
    importance: 'LOW',
    width: 'MEDIUM',
    displayName: 'Decimal Format',
    group: 'Serialization',
    validator: {
      describe: 'one of BASE64, NUMERIC, in any case',
      values: ['BASE64', 'NUMERIC'],
      ofNull: DECIMAL_FORMAT,
      check: value => (/^(?:base64|numeric)$/i.test(String(value)) ? null : DECIMAL_FORMAT),
    },
    documentation:
      'How decimals are written: BASE64 (the bytes of the unscaled value) or NUMERIC (a JSON number). Case does not matter.',
  },
  'replace.null.with.default': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    width: 'MEDIUM',
    displayName: 'Replace null with default',
    group: 'Serialization',
    documentation:
      'Whether a null is replaced by the default of its field. false: null is written, and the default only where the field is absent.',
  },
  'schema.content': {
    type: 'STRING',
    default: null,
    importance: 'HIGH',
    width: 'MEDIUM',
    displayName: 'Schema Content',
    group: 'Schemas',
    validator: nonEmpty,
    documentation:
      'The schema of all messages, as JSON; messages then hold only the payload. Used when schemas.enable is true.',
  },
})
