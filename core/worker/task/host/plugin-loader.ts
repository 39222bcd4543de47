import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { messageOf } from '../../../common/errors/error-table.ts'
import { errors } from '../errors.ts'
import type { PluginRef } from './messages-in.ts'
import { checkPlugin } from './plugin-shape.ts'

/**
 * Returns the URL of one of this program's modules. The extension is `.ts` in the sources and `.js`
 * in dist.
 */
function own(path: string): string {
  const js = new URL(`${path}.js`, import.meta.url)
  return existsSync(fileURLToPath(js)) ? js.href : new URL(`${path}.ts`, import.meta.url).href
}

let hooked = false

/**
 * Makes `import 'millrace/connect'` (or `'millrace'`) in any plugin resolve to this program's
 * module, even if the plugin's package has installed a copy of millrace. Each class then exists
 * only once, so `instanceof` works.
 */
export function hookPluginApi(): void {
  if (hooked) return
  hooked = true
  const api = own('../../../connect/index')
  const modules = new Map([
    ['millrace', api],
    ['millrace/connect', api],
    ['millrace/connect/java', own('../../../connect/java')],
  ])
  registerHooks({
    resolve(specifier, context, next) {
      const url = modules.get(specifier)
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true }
    },
  })
}

/** The classes that were registered and need no import, by the `module` of their `PluginRef`. */
const registered = new Map<string, new () => unknown>()
let registrations = 0

/** A plugin whose class is already loaded. Disposing of the plugin removes its registration. */
export interface RegisteredPlugin extends Disposable {
  readonly ref: PluginRef
}

/**
 * Registers a class, so that `loadPlugin` constructs it without importing a module. Tests that run
 * in one process use this function.
 */
export function registerPlugin(type: new () => unknown, version: string): RegisteredPlugin {
  const module = `registered:${++registrations}`
  registered.set(module, type)
  return {
    ref: { className: type.name, module, export: type.name, version },
    [Symbol.dispose]: () => void registered.delete(module),
  }
}

/**
 * Returns the URL of a plugin's module. If a `.js` file does not exist, its `.ts` source is used.
 */
function moduleUrl(module: string): URL {
  const url = module.startsWith('file:') ? new URL(module) : pathToFileURL(module)
  if (existsSync(fileURLToPath(url)) || !url.pathname.endsWith('.js')) return url
  const ts = new URL(url.href.replace(/\.js$/, '.ts'))
  return existsSync(fileURLToPath(ts)) ? ts : url
}

/**
 * Imports a plugin's module and constructs its class. Throws MR_PLUGIN_LOAD, MR_PLUGIN_EXPORT or
 * MR_PLUGIN_CONSTRUCT.
 */
export async function loadPlugin<T>(ref: PluginRef, methods: readonly string[] = []): Promise<T> {
  const plugin = await instanceOf<T>(ref)
  checkPlugin(plugin, ref.className, methods)
  return plugin
}

async function instanceOf<T>(ref: PluginRef): Promise<T> {
  const plugin = ref.className
  const known = registered.get(ref.module)
  if (known) return construct(known as new () => T, plugin)
  const url = moduleUrl(ref.module)
  let module: Record<string, unknown>
  try {
    module = (await import(url.href)) as Record<string, unknown>
  } catch (cause) {
    throw errors.create('MR_PLUGIN_LOAD', { plugin, module: fileURLToPath(url), cause: messageOf(cause) }, { cause })
  }
  const found = module[ref.export]
  if (typeof found !== 'function') {
    const names = Object.keys(module).join(', ') || 'no exports'
    throw errors.create('MR_PLUGIN_EXPORT', { plugin, module: fileURLToPath(url), export: ref.export, found: names })
  }
  return construct(found as new () => T, plugin)
}

/** Constructs the class of a plugin. Throws MR_PLUGIN_CONSTRUCT if the constructor throws. */
export function construct<T>(type: new () => T, plugin: string): T {
  try {
    return new type()
  } catch (cause) {
    throw errors.create('MR_PLUGIN_CONSTRUCT', { plugin, cause: messageOf(cause) }, { cause })
  }
}
