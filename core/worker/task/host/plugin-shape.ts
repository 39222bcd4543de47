import { errors } from '../errors.ts'
import { kindOf, shownValue } from '../kind-of.ts'

const TYPES = ['BOOLEAN', 'STRING', 'INT', 'SHORT', 'LONG', 'DOUBLE', 'LIST', 'CLASS', 'PASSWORD']
const IMPORTANCES = ['HIGH', 'MEDIUM', 'LOW']

/**
 * Checks the `version` and the `config` of a plugin, and checks that the plugin has these methods.
 * Throws MR_PLUGIN_DECLARATION.
 */
export function checkPlugin(plugin: unknown, className: string, methods: readonly string[] = []): void {
  const cause = pluginFault(plugin, methods)
  if (cause !== null) throw errors.create('MR_PLUGIN_DECLARATION', { plugin: className, cause })
}

/** Checks that `taskClass` of a connector is a class. Throws MR_PLUGIN_DECLARATION. */
export function checkTaskClass(taskClass: unknown, className: string): void {
  if (typeof taskClass === 'function') return
  const cause = `taskClass is ${kindOf(taskClass)}, not a class`
  throw errors.create('MR_PLUGIN_DECLARATION', { plugin: className, cause })
}

function pluginFault(plugin: unknown, methods: readonly string[]): string | null {
  if (typeof plugin !== 'object' || plugin === null) return `its constructor returns ${kindOf(plugin)}`
  const { version, config } = plugin as Record<string, unknown>
  if (version !== undefined && typeof version !== 'string') return `version is ${kindOf(version)}, not a string`
  const fault = config === undefined ? null : configFault(config)
  if (fault !== null) return fault
  const missing = methods.find(name => typeof (plugin as Record<string, unknown>)[name] !== 'function')
  return missing === undefined ? null : `it has no method ${missing}`
}

function configFault(config: unknown): string | null {
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    return `config is ${kindOf(config)}, not an object with the declaration of each key`
  for (const [name, key] of Object.entries(config)) {
    const fault = keyFault(key)
    if (fault !== null) return `${fault} in the declaration of the key ${name}; use the builders of "key"`
  }
  return null
}

function keyFault(key: unknown): string | null {
  if (typeof key !== 'object' || key === null) return `there is ${kindOf(key)} instead of an object`
  const { type, importance, documentation, validator, recommend } = key as Record<string, unknown>
  if (!TYPES.includes(type as string)) return `the type is ${shownValue(type)}`
  if (!IMPORTANCES.includes(importance as string)) return `the importance is ${shownValue(importance)}`
  if (typeof documentation !== 'string') return `the documentation is ${kindOf(documentation)}`
  if (validator !== undefined && !hasCheck(validator)) return 'the validator has no method check'
  if (recommend !== undefined && typeof recommend !== 'function') return `recommend is ${kindOf(recommend)}`
  return null
}

function hasCheck(validator: unknown): boolean {
  return (
    typeof validator === 'object' && validator !== null && 'check' in validator && typeof validator.check === 'function'
  )
}
