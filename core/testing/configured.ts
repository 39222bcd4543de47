import type { ConfigDef, ConfigValues } from '../common/config/define.ts'
import { type ConfigValue, parseConfig } from '../common/config/parse.ts'
import type { SinkConnector, SourceConnector } from '../connect/connector.ts'
import type { Props } from '../connect/props.ts'
import { validateInstance } from '../worker/task/host/plugin-info.ts'
import { configurePlugin } from '../worker/task/host/plugin-settings.ts'

export interface ConfiguredOptions {
  /** Whether the plugin is a converter for keys. Default: false. */
  readonly isKey?: boolean
}

/**
 * Configures a transformation, predicate or converter as the runtime does, and returns it. Throws a
 * ConfigError if a value does not match the plugin's declaration. Also throws the errors of the
 * plugin's `configure`.
 */
export function configured<T extends object>(plugin: T, props: Props = {}, options: ConfiguredOptions = {}): T {
  configurePlugin(plugin, props, options.isKey)
  return plugin
}

/**
 * Returns the parsed settings that the runtime passes to a connector or task with this declaration.
 * Throws a ConfigError if a value is invalid.
 */
export function parseSettings<D extends ConfigDef>(config: D, props: Props): ConfigValues<D> {
  return parseConfig(config, props)
}

/**
 * Validates a configuration as REST does: first with the connector's declaration, then with the
 * connector's `validate`. Returns the value and the errors of each key.
 */
export function validateConnector(connector: SourceConnector | SinkConnector, props: Props): Promise<ConfigValue[]> {
  return validateInstance(connector, props)
}
