import { listItems } from '../../common/config/parse.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import type { GivenProps } from '../config/given-props.ts'
import { checkRuntimeKey, type KeyInfo, withErrors } from '../config/runtime-keys.ts'
import { withPrefix } from '../config/worker-config.ts'
import type { PluginDescriptor } from '../plugins/manifest.ts'
import type { PluginKind, PluginRegistry } from '../plugins/registry.ts'
import { parseRange } from '../plugins/versions.ts'
import type { Placing } from './plugin-keys.ts'

/** Validates a plugin's part of the configuration. */
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
  /** The aliases of all predicates. */
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
  const typeInfo = checkRuntimeKey(
    {
      ...shared,
      name: `${prefix}type`,
      type: 'CLASS',
      documentation: `Class of the ${kind} '${alias}'.`,
      orderInGroup: 0,
      displayName: `${title} type for ${alias}`,
      recommended: registry.list(kind).map(p => p.className),
    },
    props,
  )
  if (type === undefined || type === null) return [typeInfo]
  let plugin: PluginDescriptor
  try {
    if (!registry.has(kind, type)) return [absent(typeInfo, type)]
    plugin = registry.find(kind, type, parseRange(props[`${prefix}plugin.version`]))
  } catch (error) {
    return [withErrors(typeInfo, [messageOf(error)])]
  }
  const version = checkRuntimeKey(
    {
      ...shared,
      name: `${prefix}plugin.version`,
      type: 'STRING',
      default: plugin.version,
      documentation: `Version of the ${kind} '${alias}', or a range of versions.`,
      orderInGroup: 1,
      displayName: `${title} version for ${alias}`,
      recommended: registry.versions(kind, plugin.className),
    },
    props,
  )
  const own = await ask(kind, plugin, withPrefix(props, prefix), { prefix, group })
  const gate = list === 'transforms' ? gateKeys(prefix, group, props, predicates) : []
  const sorted = [...own, ...gate].sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1))
  const negated = list === 'transforms' && props[`${prefix}negate`] !== undefined
  const withoutPredicate = negated && props[`${prefix}predicate`] === undefined
  const numbered = sorted.map((info, i) => ({ ...info, definition: { ...info.definition, order_in_group: i + 2 } }))
  const stray = `Config '${prefix}negate' was provided but there is no config '${prefix}predicate' defining a predicate to be negated.`
  return [withErrors(typeInfo, withoutPredicate ? [stray] : []), version, ...numbered]
}

/** Returns the key with an error: its class does not exist. */
export function absent(info: KeyInfo, name: string): KeyInfo {
  const key = info.definition.name
  const error = `Invalid value ${name} for configuration ${key}: Class ${name} could not be found.`
  return { ...info, value: { ...info.value, value: null, errors: [...info.value.errors, error] } }
}

/** Returns the keys `predicate` and `negate` of a transformation. */
function gateKeys(prefix: string, group: string, props: GivenProps, predicates: ReadonlySet<string>): KeyInfo[] {
  const shared = { importance: 'MEDIUM', group, orderInGroup: 0, width: 'NONE' } as const
  return [
    checkRuntimeKey(
      {
        ...shared,
        name: `${prefix}predicate`,
        type: 'STRING',
        default: null,
        documentation: 'The alias of the predicate that decides for which records this transformation is applied.',
        displayName: 'predicate',
        check: value =>
          value === null || value === '' || predicates.has(String(value))
            ? null
            : `"predicates" contains no predicate with this name`,
      },
      props,
    ),
    checkRuntimeKey(
      {
        ...shared,
        name: `${prefix}negate`,
        type: 'BOOLEAN',
        default: 'false',
        documentation: 'Whether the transformation is applied where the predicate does not hold.',
        displayName: 'negate',
      },
      props,
    ),
  ]
}
