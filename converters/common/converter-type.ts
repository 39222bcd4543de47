import { type ConfigDef, type ConfigKey, type ConfigValues, oneOf, type Props, parseConfig } from 'millrace/connect'

/**
 * `converter.type`, which the worker gives: whether the converter is for keys, values or headers.
 */
export const converterType = {
  type: 'STRING',
  importance: 'LOW',
  validator: oneOf(['key', 'value', 'header']),
  documentation: 'Whether the converter is for keys, values or headers. The worker sets it.',
} as const satisfies ConfigKey

/** A converter's configuration, with `converter.type` added if missing. Throws a ConfigError. */
export function parseConverterConfig<D extends ConfigDef>(def: D, props: Props, isKey = false): ConfigValues<D> {
  return parseConfig(def, { 'converter.type': isKey ? 'key' : 'value', ...props })
}
