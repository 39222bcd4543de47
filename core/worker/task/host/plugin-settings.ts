import type { ConfigDef, ConfigValues } from '../../../common/config/define.ts'
import { parseConfig } from '../../../common/config/parse.ts'
import { createLogger } from '../../../common/log.ts'
import type { ConverterContext } from '../../../connect/plugins.ts'
import type { Props } from '../../../connect/props.ts'

/** A transformation, predicate or converter of any type. */
export interface ConfigurablePlugin {
  readonly config?: ConfigDef
  configure?(settings: ConfigValues<ConfigDef>, context: ConverterContext): void
}

/** The key that tells a converter what it converts. It is set if the converter declares it. */
const CONVERTER_TYPE = 'converter.type'

/**
 * Parses a plugin's configuration with its declaration, and configures the plugin. Throws a
 * ConfigError with the messages of the validation over REST, or the error of the plugin.
 */
export function configurePlugin(
  plugin: ConfigurablePlugin,
  props: Props,
  isKey = props[CONVERTER_TYPE] === 'key',
): void {
  const config = plugin.config ?? {}
  const raw = CONVERTER_TYPE in config ? { [CONVERTER_TYPE]: isKey ? 'key' : 'value', ...props } : props
  const settings = parseConfig(config, raw)
  plugin.configure?.(settings, {
    configs: raw,
    isKey,
    logger: createLogger(`millrace.plugin.${plugin.constructor.name}`),
  })
}

/**
 * Parses the configuration of a task with its declaration, or with the connector's if it has none.
 */
export function taskSettings(
  task: { readonly config?: ConfigDef },
  connector: { readonly config: ConfigDef },
  props: Props,
): ConfigValues<ConfigDef> {
  return parseConfig(task.config ?? connector.config, props)
}
