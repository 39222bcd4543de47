import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { VERSION } from '../../common/version.ts'
import { pluginErrors } from '../errors.ts'
import { type PluginDescriptor, readManifest, readPlugins } from './manifest.ts'

export interface Discovered {
  readonly plugins: readonly PluginDescriptor[]
  /** The packages and folders that were skipped, and why. */
  readonly rejected: readonly { readonly path: string; readonly reason: string }[]
}

/**
 * The root folder of this program. It is the repository if the program runs from the sources, and
 * `dist` otherwise.
 */
const PROGRAM = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * The file that declares the plugins of a built-in folder. A package.json would make the folder a
 * separate package, in which `import 'millrace/connect'` could not use the `exports` of the
 * program's package.
 */
const BUILT_IN_MANIFEST = 'plugins.json'

/**
 * Finds plugins by their manifests, without running their code. The built-in plugins
 * (`connectors/*`, `transforms`, `converters`) come first, followed by those in the folders of
 * `plugin.path`. A folder of `plugin.path` is a package, contains packages, or has a `node_modules`
 * folder. Invalid packages are logged and skipped.
 */
export async function discoverPlugins(pluginPath: readonly string[], logger: Logger): Promise<Discovered> {
  const found: PluginDescriptor[] = []
  const rejected: { path: string; reason: string }[] = []
  const seen = new Set<string>()
  const reject = (path: string, error: unknown) => {
    rejected.push({ path, reason: messageOf(error) })
    logger.warn(`Plugins of ${path} are not available: ${messageOf(error)}`)
  }
  const take = async (folder: string): Promise<void> => {
    try {
      const real = await realpath(folder)
      if (seen.has(real)) return
      seen.add(real)
      const path = join(real, 'package.json')
      found.push(...(readManifest(parse(await readFile(path, 'utf8'), path), real) ?? []))
    } catch (error) {
      if (!isAbsent(error)) reject(folder, error)
    }
  }
  const takeBuiltIn = async (folder: string): Promise<void> => {
    const path = join(folder, BUILT_IN_MANIFEST)
    try {
      found.push(...readPlugins(parse(await readFile(path, 'utf8'), path), { folder, path, version: VERSION }))
    } catch (error) {
      if (!isAbsent(error)) reject(folder, error)
    }
  }
  for (const folder of ['connectors', 'transforms', 'converters']) await takeAll(join(PROGRAM, folder), takeBuiltIn)
  for (const folder of pluginPath) {
    const path = resolve(folder)
    try {
      await takeAll(path, take, true)
    } catch (error) {
      reject(path, pluginErrors.create('MR_PLUGIN_PATH', { path, cause: messageOf(error) }, { cause: error }))
    }
  }
  return { plugins: found, rejected }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw pluginErrors.create('MR_PLUGIN_MANIFEST', { path, cause: messageOf(cause) })
  }
}

/**
 * Calls `take` for the folder, and for the packages in it, in its scopes (`@x`) and in its
 * `node_modules`.
 */
async function takeAll(folder: string, take: (folder: string) => Promise<void>, mustExist = false): Promise<void> {
  let entries: Dirent[]
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (mustExist || !isAbsent(error)) throw error
    return
  }
  await take(folder)
  const names = entries.filter(e => e.isDirectory() || e.isSymbolicLink()).map(e => e.name)
  for (const name of names.sort()) {
    const path = join(folder, name)
    if (name === 'node_modules' || name.startsWith('@')) await takeAll(path, take)
    else if (!name.startsWith('.')) await take(path)
  }
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOENT' || code === 'ENOTDIR'
}
