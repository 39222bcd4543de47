import type { ConfigDef } from '../../../common/config/define.ts'
import { type ConfigValue, validateConfig } from '../../../common/config/parse.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import type { Props } from '../../../connect/props.ts'
import { parseJson } from '../../storage/connect-json.ts'
import { learnSecrets, redact } from '../failures/redact.ts'
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

/** What a plugin's own checks may take before their signal aborts, ms. */
const VALIDATE_TIMEOUT_MS = 20_000

/** What is read of a plugin of any type. */
interface AnyPlugin {
  readonly version: string
  readonly config: ConfigDef
  validate?(props: Props, values: ConfigValue[], signal: AbortSignal): Promise<ConfigValue[]> | ConfigValue[]
  alterOffsets?(props: Props, offsets: readonly OffsetEntry[]): Promise<boolean>
  close?(): void
}

function keyInfo(name: string, key: ConfigDef[string]): ConfigKeyInfo {
  return {
    name,
    type: key.type,
    default: key.default,
    importance: key.importance,
    documentation: key.documentation,
    group: key.group,
    width: key.width,
    displayName: key.displayName,
    dependents: key.dependents ?? [],
    internal: key.internal ?? false,
    accepts: key.validator?.describe,
    values: key.validator?.values,
  }
}

function infoOf(plugin: AnyPlugin): PluginInfo {
  const type = (plugin.constructor as { connectorType?: unknown }).connectorType
  return {
    version: plugin.version,
    connectorType: type === 'source' || type === 'sink' ? type : undefined,
    keys: Object.entries(plugin.config).map(([name, key]) => keyInfo(name, key)),
    hasValidate: typeof plugin.validate === 'function',
  }
}

/** Constructs the plugin and reads its declaration. */
export async function inspectPlugin(ref: PluginRef): Promise<PluginInfo> {
  return infoOf(await loadPlugin<AnyPlugin>(ref))
}

/** Validates by the declaration; where that finds nothing wrong, by the plugin's own checks too. */
export async function validatePlugin(spec: ValidateSpec): Promise<ValidationResult> {
  const plugin = await loadPlugin<AnyPlugin>(spec.plugin)
  const values = validateConfig(plugin.config, spec.props, spec.nulls)
  const info = infoOf(plugin)
  learnSecrets(plugin.config, spec.props)
  if (!plugin.validate || values.some(v => v.errors.length > 0)) return { ...info, values }
  try {
    const checked = await plugin.validate(spec.props, values, AbortSignal.timeout(VALIDATE_TIMEOUT_MS))
    return { ...info, values: checked.map(v => ({ ...v, errors: v.errors.map(error => redact(String(error))) })) }
  } catch (error) {
    // A check that itself fails says as much as one that finds a fault; it is shown where the user looks first.
    const [first, ...rest] = values
    if (!first) throw error
    return { ...info, values: [{ ...first, errors: [...first.errors, redact(messageOf(error))] }, ...rest] }
  }
}

/** Lets a source connector take care of altered offsets; false where it leaves them to the runtime. */
export async function alterOffsets(spec: PluginSpec, json: string): Promise<boolean> {
  const plugin = await loadPlugin<AnyPlugin>(spec.plugin)
  learnSecrets(plugin.config, spec.props)
  const offsets = parseJson(json) as unknown as readonly OffsetEntry[]
  return (await plugin.alterOffsets?.(spec.props, offsets)) ?? false
}
