import type { ConfigDef, ConfigValues } from '../../../common/config/define.ts'
import { parseConfig, withKeyNames } from '../../../common/config/parse.ts'
import { createLogger } from '../../../common/log.ts'
import type { ConverterContext } from '../../../connect/plugins.ts'
import type { Props } from '../../../connect/props.ts'
import { errors } from '../errors.ts'

/** A transformation, predicate or converter of any type. */
export interface ConfigurablePlugin {
  readonly config?: ConfigDef
  configure?(settings: ConfigValues<ConfigDef>, context: ConverterContext): void
}

/**
 * The key that specifies whether a converter converts keys or values. It is set for each converter
 * that declares it.
 */
const CONVERTER_TYPE = 'converter.type'

/**
 * Parses a plugin's configuration with its declaration, and calls `configure`. Throws a ConfigError
 * with the messages that REST shows for the configuration, or the error of `configure`. `prefix`
 * precedes the keys in a ConfigError.
 */
export function configurePlugin(
  plugin: ConfigurablePlugin,
  props: Props,
  isKey = props[CONVERTER_TYPE] === 'key',
  prefix = '',
): void {
  const config = plugin.config ?? {}
  const raw = CONVERTER_TYPE in config ? { [CONVERTER_TYPE]: isKey ? 'key' : 'value', ...props } : props
  const returned: unknown = withKeyNames(
    key => prefix + key,
    () => {
      const settings = parseConfig(config, raw)
      const logger = createLogger(`millrace.plugin.${plugin.constructor.name}`)
      return plugin.configure?.(settings, { configs: raw, isKey, logger })
    },
  )
  if (!(returned instanceof Promise)) return
  // The plugin is used at once, and an error of the promise would end the thread.
  returned.catch(() => undefined)
  throw errors.create('MR_TASK_RETURNED', {
    method: 'configure',
    plugin: plugin.constructor.name,
    what: 'a Promise',
    expected: 'nothing: it must not be async',
  })
}

/**
 * Parses the configuration of a task. If the task declares no keys, those of the connector are
 * used.
 */
export function taskSettings(
  task: { readonly config?: ConfigDef },
  connector: { readonly config: ConfigDef },
  props: Props,
): ConfigValues<ConfigDef> {
  return parseConfig(task.config ?? connector.config, props)
}
