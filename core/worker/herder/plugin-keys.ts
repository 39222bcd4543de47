import type { ConfigValue } from '../../common/config/parse.ts'
import { hideInValue } from '../../common/config/password.ts'
import type { KeyDefinition, KeyInfo } from '../config/runtime-keys.ts'
import type { ConfigKeyInfo } from '../task/host/messages-in.ts'

const textOf = (value: ConfigKeyInfo['default']): string | null => {
  if (value === null || value === undefined) return null
  return Array.isArray(value) ? value.join(',') : String(value)
}

export interface Placing {
  /** The prefix of each key, for example `transforms.a.`. */
  readonly prefix?: string
  /** Replaces the groups that the plugin declares. */
  readonly group?: string
  /** The `order_in_group` of the first key. Default: 1. */
  readonly firstOrder?: number
}

/**
 * Returns a plugin's keys in REST's format, without internal keys. Within each group,
 * `order_in_group` follows the order of declaration.
 */
export function definitionsOf(keys: readonly ConfigKeyInfo[], placing: Placing = {}): KeyDefinition[] {
  const counts = new Map<string, number>()
  const prefix = placing.prefix ?? ''
  return keys
    .filter(key => !key.internal)
    .map((key): KeyDefinition => {
      const group = placing.group ?? key.group ?? null
      let order = -1
      if (group !== null) {
        order = counts.get(group) ?? placing.firstOrder ?? 1
        counts.set(group, order + 1)
      }
      return {
        name: prefix + key.name,
        type: key.type,
        required: key.default === undefined,
        default_value: textOf(key.default),
        importance: key.importance,
        documentation: key.documentation,
        group,
        order_in_group: order,
        width: key.width ?? 'NONE',
        display_name: key.displayName ?? key.name,
        dependents: key.dependents.map(name => prefix + name),
      }
    })
}

/**
 * Returns the keys with their validated values. The prefix is also added to keys in error messages.
 */
export function infosOf(
  keys: readonly ConfigKeyInfo[],
  values: readonly ConfigValue[],
  placing: Placing = {},
): KeyInfo[] {
  const prefix = placing.prefix ?? ''
  const byName = new Map(values.map(v => [prefix + v.name, v]))
  return definitionsOf(keys, placing).map(definition => {
    const value = byName.get(definition.name)
    return {
      definition,
      value: {
        name: definition.name,
        value: typeof value?.value === 'string' ? hideInValue(value.value) : null,
        recommended_values: value?.recommendedValues ?? [],
        errors: (value?.errors ?? []).map(error => withPrefix(hideInValue(error), prefix)),
        visible: value?.visible ?? true,
      },
    }
  })
}

function withPrefix(error: string, prefix: string): string {
  if (prefix === '') return error
  return error
    .replace(/^(Missing required configuration ")/, `$1${prefix.replaceAll('$', '$$$$')}`)
    .replace(/( for configuration )(?=[^:]+:)/, `$1${prefix.replaceAll('$', '$$$$')}`)
}
