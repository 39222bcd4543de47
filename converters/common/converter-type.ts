import { key, oneOf } from 'millrace/connect'

/** The key `converter.type`, which the worker sets. */
export const converterType = key.string({
  validator: oneOf(['key', 'value', 'header']),
  importance: 'LOW',
  documentation: 'Whether the converter is for keys, values or headers. The worker sets this key.',
})
