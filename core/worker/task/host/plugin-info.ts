import { type ConfigDef, type ConfigValues, documentationOf } from '../../../common/config/define.ts'
import { type ConfigValue, parseConfig, validateConfig } from '../../../common/config/parse.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import type { AlteredOffsets, ValidateContext } from '../../../connect/connector.ts'
import type { Props } from '../../../connect/props.ts'
import { parseJson } from '../../storage/connect-json.ts'
import { errors } from '../errors.ts'
import { learnSecrets, redact } from '../failures/redact.ts'
import { shownValue } from '../kind-of.ts'
import type {
  ConfigKeyInfo,
  OffsetEntry,
  PluginInfo,
  PluginRef,
  PluginSpec,
  ValidateSpec,
  ValidationResult,
} from './messages-in.ts'
import { loadPlugin } from './plugin-loader.ts'

/**
 * The time limit of a plugin's `validate`, ms. After this time, the context's signal is aborted.
 */
const VALIDATE_TIMEOUT_MS = 20_000

/** A plugin of any type. */
interface AnyPlugin {
  readonly version?: string
  readonly config?: ConfigDef
  validate?(settings: ConfigValues<ConfigDef>, context: ValidateContext): Promise<void> | void
  alterOffsets?(settings: ConfigValues<ConfigDef>, offsets: AlteredOffsets): Promise<boolean> | boolean
  close?(): void
}

function keyInfo(name: string, key: ConfigDef[string]): ConfigKeyInfo {
  return {
    name,
    type: key.type,
    default: key.default,
    importance: key.importance,
    documentation: documentationOf(key),
    group: key.group,
    width: key.width,
    displayName: key.displayName,
    dependents: key.dependents ?? [],
    internal: key.internal ?? false,
    accepts: key.validator?.describe,
    values: key.validator?.values,
  }
}

function infoOf(plugin: AnyPlugin, ref: PluginRef): PluginInfo {
  const type = (plugin.constructor as { connectorType?: unknown }).connectorType
  return {
    version: plugin.version ?? ref.version,
    connectorType: type === 'source' || type === 'sink' ? type : undefined,
    keys: Object.entries(plugin.config ?? {}).map(([name, key]) => keyInfo(name, key)),
    hasValidate: typeof plugin.validate === 'function',
  }
}

/** Constructs a plugin and returns its declaration. */
export async function inspectPlugin(ref: PluginRef): Promise<PluginInfo> {
  return infoOf(await loadPlugin<AnyPlugin>(ref), ref)
}

/** Validates a configuration with the declaration and, if that finds no error, with `validate`. */
export async function validatePlugin(spec: ValidateSpec): Promise<ValidationResult> {
  const plugin = await loadPlugin<AnyPlugin>(spec.plugin)
  return { ...infoOf(plugin, spec.plugin), values: await validateInstance(plugin, spec.props, spec.nulls) }
}

/** Like `validatePlugin`, for a plugin that has already been constructed. */
export async function validateInstance(
  plugin: AnyPlugin,
  props: Props,
  nulls?: readonly string[],
): Promise<ConfigValue[]> {
  const { config = {} } = plugin
  const values = validateConfig(config, props, nulls)
  learnSecrets(config, props)
  const isValid = values.every(v => v.errors.length === 0)
  return isValid && plugin.validate ? ownChecks(plugin, props, values) : values
}

/**
 * Runs a plugin's `validate`. Returns the values, with the errors that `validate` adds to them.
 * Secrets in these errors are hidden.
 */
async function ownChecks(plugin: AnyPlugin, props: Props, values: readonly ConfigValue[]): Promise<ConfigValue[]> {
  const all = values.map(v => ({ ...v, errors: [...v.errors] }))
  const addError = (key: unknown, message: unknown): void => {
    if (typeof key !== 'string' || key === '')
      throw errors.create('MR_TASK_ARGUMENT', {
        method: 'addError',
        what: shownValue(key),
        expected: 'the name of a key',
      })
    const isText = typeof message === 'string' && message !== ''
    const missing = `The plugin added an error to ${key} without a message (${shownValue(message)}). This is a bug in the plugin: report it to its author.`
    const text = redact(isText ? message : message instanceof Error ? messageOf(message) : missing)
    const known = all.find(v => v.name === key)
    if (known) known.errors.push(text)
    else {
      const value = props[key] === undefined ? null : redact(props[key])
      all.push({ name: key, value, recommendedValues: [], errors: [text], visible: true })
    }
  }
  try {
    const settings = parseConfig(plugin.config ?? {}, props)
    const signal = AbortSignal.timeout(VALIDATE_TIMEOUT_MS)
    await plugin.validate?.(settings, { configs: props, values: all, signal, addError })
  } catch (error) {
    // The error is added to the first key, because users see that key first.
    const [first] = all
    if (!first) throw error
    addError(first.name, messageOf(error))
  }
  return all
}

/**
 * Calls `alterOffsets` of a source connector, which may change offsets in the external system.
 * Returns false if the connector has no such method.
 */
export async function alterOffsets(spec: PluginSpec, json: string): Promise<boolean> {
  const plugin = await loadPlugin<AnyPlugin>(spec.plugin)
  if (!plugin.alterOffsets) return false
  const { config = {} } = plugin
  learnSecrets(config, spec.props)
  const offsets = parseJson(json) as unknown as readonly OffsetEntry[]
  const returned: unknown = (await plugin.alterOffsets(parseConfig(config, spec.props), offsets)) ?? false
  if (typeof returned === 'boolean') return returned
  throw errors.create('MR_TASK_RETURNED', {
    method: 'alterOffsets',
    plugin: spec.plugin.className,
    what: shownValue(returned),
    expected: 'true or false',
  })
}
