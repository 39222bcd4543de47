import { type ConfigKey, oneOf } from 'millrace/connect'

/**
 * `converter.type`, which the worker gives: whether the converter is for keys, values or headers.
 */
export const converterType = {
  type: 'STRING',
  importance: 'LOW',
  validator: oneOf(['key', 'value', 'header']),
  documentation: 'Whether the converter is for keys, values or headers. The worker sets it.',
} as const satisfies ConfigKey
