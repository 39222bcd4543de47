import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { pluginErrors } from '../errors.ts'
import { type PluginDescriptor, readManifest } from './manifest.ts'

export interface Discovered {
  readonly plugins: readonly PluginDescriptor[]
  /** Packages and folders that could not be used, and why. */
  readonly rejected: readonly { readonly path: string; readonly reason: string }[]
}

/** The program's own folder: the repository when running from sources, `dist` otherwise. */
const PROGRAM = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * Finds plugins by the manifests of packages, without running code: the built-in ones beside the program (`connectors/*`,
 * `transforms`, `converters`), then each folder of `plugin.path`, which is a package, or holds packages, or has a `node_modules`.
 * What cannot be used is logged and left out.
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
      const text = await readFile(join(real, 'package.json'), 'utf8')
      found.push(...(readManifest(parsePackage(text, real), real) ?? []))
    } catch (error) {
      if (!isAbsent(error)) reject(folder, error)
    }
  }
  for (const room of ['connectors', 'transforms', 'converters']) await takeAll(join(PROGRAM, room), take)
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

function parsePackage(text: string, folder: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw pluginErrors.create('MR_PLUGIN_MANIFEST', { path: join(folder, 'package.json'), cause: messageOf(cause) })
  }
}

/** The folder itself, then what it holds: packages, scopes (`@x`) of packages, and those of `node_modules`. */
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
