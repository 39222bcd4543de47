import { ConfigError } from '../../common/config/parse.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { withPrefix } from '../config/with-prefix.ts'
import type { WorkerConfig } from '../config/worker-config.ts'
import type { PluginInspector } from '../plugins/inspector.ts'
import { type PluginRegistry, pluginRef } from '../plugins/registry.ts'
import { parseRange } from '../plugins/versions.ts'

/**
 * Checks the converters in the worker's configuration and the converters' own settings. Throws a
 * ConfigError that contains every invalid key. A converter that has no settings is not loaded.
 */
export async function checkConverters(
  config: WorkerConfig,
  registry: PluginRegistry,
  inspector: PluginInspector,
): Promise<void> {
  const errors: { key: string; message: string }[] = []
  const check = async (which: 'key' | 'value' | 'header'): Promise<void> => {
    const key = `${which}.converter` as const
    const prefix = `${key}.`
    const { 'plugin.version': version, ...settings } = withPrefix(config.props, prefix)
    try {
      const kind = which === 'header' ? 'header_converter' : 'converter'
      const plugin = registry.find(kind, config.values[key], parseRange(version))
      if (Object.keys(settings).length === 0) return
      const { values } = await inspector.validate({
        plugin: pluginRef(plugin),
        props: { 'converter.type': which, ...settings },
      })
      for (const value of values) {
        for (const error of value.errors)
          errors.push({ key: prefix + value.name, message: error.replace(/ for configuration /, `$&${prefix}`) })
      }
    } catch (error) {
      const message = `Invalid value ${config.values[key]} for configuration ${key}: ${messageOf(error)}`
      errors.push({ key, message })
    }
  }
  await Promise.all((['key', 'value', 'header'] as const).map(check))
  if (errors.length > 0) throw new ConfigError(errors)
}
