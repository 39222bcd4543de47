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

/** Connect tells a converter in this key what it converts; it is set if the converter declares it. */
const CONVERTER_TYPE = 'converter.type'

/**
 * Parses a plugin's configuration with its own declaration and configures it. Throws a ConfigError with the messages
 * that validation over REST gives, or what the plugin throws.
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

/** Returns the parsed configuration of a task: by the task's own declaration, or else by the connector's. */
export function taskSettings(
  task: { readonly config?: ConfigDef },
  connector: { readonly config: ConfigDef },
  props: Props,
): ConfigValues<ConfigDef> {
  return parseConfig(task.config ?? connector.config, props)
}
