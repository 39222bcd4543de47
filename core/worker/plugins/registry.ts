import { pluginErrors } from '../errors.ts'
import type { PluginRef } from '../task/host/messages-in.ts'
import type { PluginDescriptor, PluginType } from './manifest.ts'
import { compareVersions, type VersionRange } from './versions.ts'

/** The kind of plugin that a configuration key refers to. */
export type PluginKind = 'connector' | 'transformation' | 'predicate' | 'converter' | 'header_converter'

const TYPES: Record<PluginKind, readonly PluginType[]> = {
  connector: ['source', 'sink'],
  transformation: ['transformation'],
  predicate: ['predicate'],
  converter: ['converter'],
  header_converter: ['header_converter'],
}

/** The suffix of class names that a configuration may omit, by type, as in Connect. */
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

/** Returns the short name and the simple Java names of a plugin, with and without the suffix. */
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

/** Finds installed plugins by name and version. */
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

  /** Returns whether any version of the plugin is installed. */
  has(kind: PluginKind, name: string): boolean {
    return this.#candidates(this.list(kind), name).length > 0
  }

  /**
   * Returns the installed versions of a plugin in ascending order; an empty list for an unknown
   * plugin.
   */
  versions(kind: PluginKind, name: string): string[] {
    return this.#candidates(this.list(kind), name).map(p => p.version)
  }

  /**
   * Returns the plugin with this full, simple or short name. If several versions are installed,
   * returns the latest, or the latest in the range. Throws MR_PLUGIN_UNKNOWN (which lists all
   * plugins), MR_PLUGIN_TYPE, MR_PLUGIN_AMBIGUOUS or MR_PLUGIN_VERSION.
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
   * Returns the plugin of any kind with this name, for `/connector-plugins/x/config`; null if there
   * is no such plugin.
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

/** Returns the data that a thread needs to load the plugin. */
export function pluginRef(plugin: PluginDescriptor): PluginRef {
  const { className, module, version } = plugin
  return { className, module, export: plugin.export, version }
}
