import type { Validator } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { listItems } from '../../common/config/parse.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import type { GivenProps } from '../config/given-props.ts'
import { checkRuntimeKey, type KeyInfo, withErrors } from '../config/runtime-keys.ts'
import { withPrefix } from '../config/with-prefix.ts'
import type { PluginDescriptor } from '../plugins/manifest.ts'
import type { PluginKind, PluginRegistry } from '../plugins/registry.ts'
import { parseRange } from '../plugins/versions.ts'
import type { Placing } from './plugin-keys.ts'

/** Validates the part of a connector configuration that belongs to a plugin. */
export type Ask = (
  kind: PluginKind,
  plugin: PluginDescriptor,
  props: GivenProps,
  placing: Placing,
) => Promise<KeyInfo[]>

/** Returns the keys of all transformations and predicates, in the order of their aliases. */
export async function stageInfos(registry: PluginRegistry, props: GivenProps, ask: Ask): Promise<KeyInfo[]> {
  const predicates = new Set(listItems(props['predicates']))
  const context: StageContext = { registry, props, predicates, ask }
  const parts = [
    ...[...new Set(listItems(props['transforms']))].map(alias => stageInfo('transforms', alias, context)),
    ...[...predicates].map(alias => stageInfo('predicates', alias, context)),
  ]
  return (await Promise.all(parts)).flat()
}

interface StageContext {
  readonly registry: PluginRegistry
  readonly props: GivenProps
  /** The aliases of the configured predicates. */
  readonly predicates: ReadonlySet<string>
  readonly ask: Ask
}

async function stageInfo(
  list: 'transforms' | 'predicates',
  alias: string,
  { registry, props, predicates, ask }: StageContext,
): Promise<KeyInfo[]> {
  const kind = list === 'transforms' ? 'transformation' : 'predicate'
  const title = list === 'transforms' ? 'Transformation' : 'Predicate'
  const prefix = `${list}.${alias}.`
  const group = `${list === 'transforms' ? 'Transforms' : 'Predicates'}: ${alias}`
  const type = props[`${prefix}type`]
  const shared = { importance: 'HIGH', group, width: 'LONG' } as const
  const typeKey = key.class({
    ...shared,
    documentation: `The class of the ${kind} '${alias}'.`,
    orderInGroup: 0,
    displayName: `${title} type for ${alias}`,
    recommend: () => registry.list(kind).map(p => p.className),
  })
  const typeInfo = checkRuntimeKey(`${prefix}type`, typeKey, props)
  if (type === undefined || type === null) return [typeInfo]
  let plugin: PluginDescriptor
  try {
    if (!registry.has(kind, type)) return [absent(typeInfo, type)]
    plugin = registry.find(kind, type, parseRange(props[`${prefix}plugin.version`]))
  } catch (error) {
    return [withErrors(typeInfo, [messageOf(error)])]
  }
  const { className } = plugin
  const versionKey = key.string({
    ...shared,
    default: plugin.version,
    documentation: `The version of the ${kind} '${alias}', or a range of versions such as [1.0,2.0).`,
    orderInGroup: 1,
    displayName: `${title} version for ${alias}`,
    recommend: () => registry.versions(kind, className),
  })
  const version = checkRuntimeKey(`${prefix}plugin.version`, versionKey, props)
  const own = await ask(kind, plugin, withPrefix(props, prefix), { prefix, group })
  const gate = list === 'transforms' ? gateKeys(prefix, group, props, predicates) : []
  const sorted = [...own, ...gate].sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1))
  const negated = list === 'transforms' && props[`${prefix}negate`] !== undefined
  const withoutPredicate = negated && props[`${prefix}predicate`] === undefined
  const numbered = sorted.map((info, i) => ({ ...info, definition: { ...info.definition, order_in_group: i + 2 } }))
  const stray = `Config '${prefix}negate' was provided but there is no config '${prefix}predicate' defining a predicate to be negated.`
  return [withErrors(typeInfo, withoutPredicate ? [stray] : []), version, ...numbered]
}

/** Returns the key with the error message that the class does not exist. */
export function absent(info: KeyInfo, name: string): KeyInfo {
  const key = info.definition.name
  const error = `Invalid value ${name} for configuration ${key}: Class ${name} could not be found.`
  return { ...info, value: { ...info.value, value: null, errors: [...info.value.errors, error] } }
}

/** Returns the keys `predicate` and `negate`, which the runtime adds to each transformation. */
function gateKeys(prefix: string, group: string, props: GivenProps, predicates: ReadonlySet<string>): KeyInfo[] {
  const shared = { importance: 'MEDIUM', group, orderInGroup: 0 } as const
  const known: Validator = {
    describe: 'an alias of predicates',
    check: value =>
      value === null || value === '' || predicates.has(String(value))
        ? null
        : `there is no predicate of this name in "predicates"`,
  }
  const gate = {
    predicate: key.string({
      ...shared,
      default: null,
      validator: known,
      documentation: 'The alias of the predicate that decides to which records this transformation is applied.',
      displayName: 'predicate',
    }),
    negate: key.boolean({
      ...shared,
      default: false,
      documentation: 'Whether the transformation is applied to the records that the predicate does not match.',
      displayName: 'negate',
    }),
  }
  return Object.entries(gate).map(([name, declared]) => checkRuntimeKey(prefix + name, declared, props))
}
