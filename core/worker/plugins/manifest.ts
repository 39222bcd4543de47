import { isAbsolute, relative, resolve } from 'node:path'
import { pluginErrors } from '../errors.ts'

const PLUGIN_TYPES = ['source', 'sink', 'transformation', 'predicate', 'converter', 'header_converter'] as const
export type PluginType = (typeof PLUGIN_TYPES)[number]

/** A plugin that a package declares. */
export interface PluginDescriptor {
  readonly type: PluginType
  /**
   * The name that REST shows. It is the name of the corresponding Java class, or the short name if
   * there is no such class.
   */
  readonly className: string
  readonly shortName: string
  readonly aliases: readonly string[]
  /** The absolute path of the module that the manifest names. */
  readonly module: string
  readonly export: string
  readonly version: string
  /** The folder of the package. */
  readonly location: string
}

function stringField(entry: object, name: string): string | null {
  const value: unknown = Reflect.get(entry, name)
  return typeof value === 'string' && value !== '' ? value : null
}

/**
 * Returns the plugins that a package declares in its parsed package.json: `{"version": "1.0.0",
 * "millrace": {"plugins": [{type, class, aliases, module, export, version}]}}`. A plugin without a
 * version has the version of its package. Returns null for a package without a manifest. Throws
 * MR_PLUGIN_MANIFEST for an invalid manifest. Does not run the package's code.
 */
export function readManifest(json: unknown, folder: string): PluginDescriptor[] | null {
  const path = resolve(folder, 'package.json')
  if (typeof json !== 'object' || json === null)
    throw pluginErrors.create('MR_PLUGIN_MANIFEST', { path, cause: 'it is not a JSON object' })
  const section: unknown = Reflect.get(json, 'millrace')
  if (section === undefined || section === null) return null
  return readPlugins(section, { folder, path, version: stringField(json, 'version') ?? 'undefined' })
}

/** The package or the built-in folder that declares a list of plugins. */
export interface PluginPackage {
  readonly folder: string
  /** The path of the file that declares the plugins. Error messages contain it. */
  readonly path: string
  readonly version: string
}

/**
 * Returns the plugins of `{"plugins": [...]}`. Throws MR_PLUGIN_MANIFEST for an invalid
 * declaration.
 */
export function readPlugins(section: unknown, { folder, path, version }: PluginPackage): PluginDescriptor[] {
  const wrong = (cause: string) => pluginErrors.create('MR_PLUGIN_MANIFEST', { path, cause })
  const plugins: unknown = typeof section === 'object' && section !== null ? Reflect.get(section, 'plugins') : null
  if (!Array.isArray(plugins)) throw wrong('"plugins" is not a list')
  return plugins.map((entry: unknown, i): PluginDescriptor => {
    const at = `plugin ${i + 1}`
    if (typeof entry !== 'object' || entry === null) throw wrong(`${at} is not an object`)
    const type = PLUGIN_TYPES.find(t => t === stringField(entry, 'type'))
    if (!type) throw wrong(`${at} has no "type" of ${PLUGIN_TYPES.join(', ')}`)
    const shortName = stringField(entry, 'class')
    if (!shortName) throw wrong(`${at} has no "class"`)
    const module = stringField(entry, 'module')
    if (!module) throw wrong(`${at} (${shortName}) has no "module"`)
    const file = resolve(folder, module)
    const inside = relative(folder, file)
    if (inside.startsWith('..') || isAbsolute(inside)) throw wrong(`the module ${module} is outside of the package`)
    const given: unknown = Reflect.get(entry, 'aliases') ?? []
    if (!Array.isArray(given) || given.some(a => typeof a !== 'string'))
      throw wrong(`the "aliases" of ${shortName} are not a list of strings`)
    const aliases = given as string[]
    return {
      type,
      className: aliases[0] ?? shortName,
      shortName,
      aliases,
      module: file,
      export: stringField(entry, 'export') ?? 'default',
      version: stringField(entry, 'version') ?? version,
      location: folder,
    }
  })
}
