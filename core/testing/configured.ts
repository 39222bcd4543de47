import type { ConfigDef, ConfigValues } from '../common/config/define.ts'
import { type ConfigValue, parseConfig } from '../common/config/parse.ts'
import type { SinkConnector, SourceConnector } from '../connect/connector.ts'
import type { Props } from '../connect/props.ts'
import { validateInstance } from '../worker/task/host/plugin-info.ts'
import { configurePlugin } from '../worker/task/host/plugin-settings.ts'

export interface ConfiguredOptions {
  /** Whether a converter is for keys. Default false. */
  readonly isKey?: boolean
}

/**
 * Configures a transformation, predicate or converter as the runtime does, and returns it. Throws a
 * ConfigError for values that the plugin's declaration refuses, and whatever the plugin's
 * `configure` throws.
 */
export function configured<T extends object>(plugin: T, props: Props = {}, options: ConfiguredOptions = {}): T {
  configurePlugin(plugin, props, options.isKey)
  return plugin
}

/**
 * Returns the settings that a connector or a task with this declaration gets. Throws a ConfigError.
 */
export function parseSettings<D extends ConfigDef>(config: D, props: Props): ConfigValues<D> {
  return parseConfig(config, props)
}

/**
 * Validates a connector's configuration as REST does: with its declaration, then with its own
 * `validate`. Returns one value for each key, with its errors.
 */
export function validateConnector(connector: SourceConnector | SinkConnector, props: Props): Promise<ConfigValue[]> {
  return validateInstance(connector, props)
}
