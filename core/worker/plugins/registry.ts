import { pluginErrors } from '../errors.ts'
import type { PluginRef } from '../task/host/messages-in.ts'
import type { PluginDescriptor, PluginType } from './manifest.ts'
import { compareVersions, type VersionRange } from './versions.ts'

/** The kind of plugin that a configuration key needs. */
export type PluginKind = 'connector' | 'transformation' | 'predicate' | 'converter' | 'header_converter'

const TYPES: Record<PluginKind, readonly PluginType[]> = {
  connector: ['source', 'sink'],
  transformation: ['transformation'],
  predicate: ['predicate'],
  converter: ['converter'],
  header_converter: ['header_converter'],
}

/** The suffixes that can be omitted, as in Connect. */
const ENDINGS: Record<PluginType, string> = {
  source: 'Connector',
  sink: 'Connector',
  transformation: 'Transformation',
  predicate: 'Predicate',
  converter: 'Converter',
  header_converter: 'HeaderConverter',
}

function shorter(name: string, ending: string): string[] {
  return name.endsWith(ending) && name.length > ending.length ? [name, name.slice(0, -ending.length)] : [name]
}

/** Returns the short and the simple Java name of a plugin, with and without their suffix. */
function simpleNames(plugin: PluginDescriptor): Set<string> {
  const ending = ENDINGS[plugin.type]
  const names = new Set(shorter(plugin.shortName, ending))
  for (const alias of plugin.aliases) {
    for (const name of shorter(alias.slice(alias.lastIndexOf('.') + 1), ending)) names.add(name)
  }
  return names
}

function fullNames(plugin: PluginDescriptor): Set<string> {
  return new Set([plugin.className, plugin.shortName, ...plugin.aliases])
}

/** Finds plugins by name and version. */
export class PluginRegistry {
  readonly #plugins: readonly PluginDescriptor[]

  constructor(plugins: readonly PluginDescriptor[]) {
    const order = (a: PluginDescriptor, b: PluginDescriptor) =>
      a.className < b.className ? -1 : a.className > b.className ? 1 : compareVersions(a.version, b.version)
    this.#plugins = [...plugins].sort(order)
  }

  /** Returns all plugins, or all of a kind, sorted by class and version. */
  list(kind?: PluginKind): readonly PluginDescriptor[] {
    return kind ? this.#plugins.filter(p => TYPES[kind].includes(p.type)) : this.#plugins
  }

  /** Whether any version of the plugin exists. */
  has(kind: PluginKind, name: string): boolean {
    return this.#candidates(this.list(kind), name).length > 0
  }

  /** Returns the versions of a plugin in ascending order; an empty list if it is unknown. */
  versions(kind: PluginKind, name: string): string[] {
    return this.#candidates(this.list(kind), name).map(p => p.version)
  }

  /**
   * Returns the latest version, or the latest in the range, of the plugin with this full, simple or
   * short name. Throws MR_PLUGIN_UNKNOWN (which lists all plugins), MR_PLUGIN_TYPE,
   * MR_PLUGIN_AMBIGUOUS or MR_PLUGIN_VERSION.
   */
  find(kind: PluginKind, name: string, range: VersionRange | null = null): PluginDescriptor {
    const candidates = this.#candidates(this.list(kind), name)
    if (candidates.length === 0) throw this.#unknown(kind, name)
    const classes = new Set(candidates.map(p => p.className))
    if (classes.size > 1)
      throw pluginErrors.create('MR_PLUGIN_AMBIGUOUS', { name, candidates: [...classes].join(', ') })
    const fitting = range ? candidates.filter(p => range.contains(p.version)) : candidates
    const best = fitting.at(-1)
    if (best) return best
    const available = candidates.map(p => p.version).join(', ')
    throw pluginErrors.create('MR_PLUGIN_VERSION', {
      name: candidates[0]!.className,
      range: range?.text ?? '',
      available,
    })
  }

  /**
   * Returns a plugin of any kind by name, for `/connector-plugins/x/config`; null if it is unknown.
   */
  findAny(name: string, range: VersionRange | null = null): PluginDescriptor | null {
    for (const kind of Object.keys(TYPES) as PluginKind[]) {
      if (this.has(kind, name)) return this.find(kind, name, range)
    }
    return null
  }

  #candidates(plugins: readonly PluginDescriptor[], name: string): PluginDescriptor[] {
    const exact = plugins.filter(p => fullNames(p).has(name))
    return exact.length > 0 ? exact : plugins.filter(p => simpleNames(p).has(name))
  }

  #unknown(kind: PluginKind, name: string): Error {
    const other = this.#candidates(this.#plugins, name)[0]
    if (other) return pluginErrors.create('MR_PLUGIN_TYPE', { name, found: other.type, type: kind })
    const available = this.list(kind).map(p => `${p.className} ${p.version}`)
    const shown = available.length > 0 ? available.join(', ') : 'none'
    return pluginErrors.create('MR_PLUGIN_UNKNOWN', { type: kind.replace('_', ' '), name, available: shown })
  }
}

/** Returns the part of a plugin's description that a thread needs to load it. */
export function pluginRef(plugin: PluginDescriptor): PluginRef {
  const { className, module, version } = plugin
  return { className, module, export: plugin.export, version }
}
