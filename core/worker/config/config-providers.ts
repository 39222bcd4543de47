import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { ConfigError } from '../../common/config/parse.ts'
import { parseProperties } from '../../common/config/properties.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { JavaPattern } from '../../common/regex/java-pattern.ts'
import { setField } from '../../connect/own.ts'
import type { Props } from '../../connect/props.ts'

/** Looks up values that are stored outside of configurations. */
interface ConfigProvider {
  /** Returns the values at a path. Throws if the path cannot be read. */
  get(path: string): Readonly<Record<string, string>>
}

/** Replaces `${provider:path:key}` and `${provider:key}` in configurations. */
export interface ConfigProviders {
  /**
   * Replaces every reference. As in Connect, a reference to an unknown provider or key is not
   * replaced. Throws a ConfigError that names the key if a path cannot be read.
   */
  resolve(props: Props): Record<string, string>
}

const PACKAGE = 'org.apache.kafka.common.config.provider.'
const REFERENCE = /\$\{([^}:]*):(?:([^}]*):)?([^}:]*)\}/g

/** Creates the providers in the worker's properties. Throws a ConfigError for an unknown class. */
export function createProviders(worker: Props): ConfigProviders {
  const names = (worker['config.providers'] ?? '')
    .split(',')
    .map(n => n.trim())
    .filter(n => n !== '')
  const providers = new Map<string, ConfigProvider>()
  const errors: { key: string; message: string }[] = []
  for (const name of names) {
    const key = `config.providers.${name}.class`
    const type = worker[key]
    const params: Record<string, string> = {}
    const prefix = `config.providers.${name}.param.`
    for (const [k, v] of Object.entries(worker)) if (k.startsWith(prefix)) params[k.slice(prefix.length)] = v
    const provider = type === undefined ? null : createProvider(type, params)
    if (provider) providers.set(name, provider)
    else if (type === undefined)
      errors.push({ key, message: `Missing required configuration "${key}" which has no default value.` })
    else
      errors.push({
        key,
        message: `Invalid value ${type} for configuration ${key}: Must be FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider`,
      })
  }
  if (errors.length > 0) throw new ConfigError(errors)
  return { resolve: props => resolveAll(props, providers) }
}

function createProvider(type: string, params: Props): ConfigProvider | null {
  switch (type.startsWith(PACKAGE) ? type.slice(PACKAGE.length) : type) {
    case 'FileConfigProvider':
      return new FileProvider(params['allowed.paths'])
    case 'DirectoryConfigProvider':
      return new DirectoryProvider(params['allowed.paths'])
    case 'EnvVarConfigProvider':
      return new EnvProvider(params['allowlist.pattern'])
    default:
      return null
  }
}

function resolveAll(props: Props, providers: ReadonlyMap<string, ConfigProvider>): Record<string, string> {
  const read = new Map<string, Readonly<Record<string, string>>>()
  const resolved: Record<string, string> = {}
  const errors: { key: string; message: string }[] = []
  for (const [key, value] of Object.entries(props)) {
    const text = value.replace(REFERENCE, (whole, name: string, path: string | undefined, field: string) => {
      const provider = providers.get(name)
      if (!provider) return whole
      const id = `${name}:${path ?? ''}`
      try {
        let values = read.get(id)
        if (!values) read.set(id, (values = provider.get(path ?? '')))
        return Object.hasOwn(values, field) ? values[field]! : whole
      } catch (error) {
        errors.push({ key, message: `Could not read '${path ?? ''}' for configuration ${key}: ${messageOf(error)}` })
        return whole
      }
    })
    setField(resolved, key, text)
  }
  if (errors.length > 0) throw new ConfigError(errors)
  return resolved
}

/**
 * Throws if the path is not in an allowed folder. Without allowed folders, every path is allowed.
 * Symbolic links are resolved before the check.
 */
function checkAllowed(path: string, allowed: string | undefined): void {
  const roots = (allowed ?? '')
    .split(',')
    .map(p => p.trim())
    .filter(p => p !== '')
  if (roots.length === 0) return
  const real = realpathSync(path)
  const inside = roots.some(root => {
    const away = relative(realpathSync(resolve(root)), real)
    return away === '' || (!away.startsWith('..') && !isAbsolute(away))
  })
  if (!inside) throw new Error(`it is not in allowed.paths`)
}

/** Reads values from a properties file. */
class FileProvider implements ConfigProvider {
  readonly #allowed: string | undefined
  constructor(allowed: string | undefined) {
    this.#allowed = allowed
  }

  get(path: string): Record<string, string> {
    checkAllowed(path, this.#allowed)
    return parseProperties(readFileSync(path, 'utf8'))
  }
}

/**
 * Reads values from the files in a folder. The key is a file's name, and the value is its content.
 */
class DirectoryProvider implements ConfigProvider {
  readonly #allowed: string | undefined
  constructor(allowed: string | undefined) {
    this.#allowed = allowed
  }

  get(path: string): Record<string, string> {
    checkAllowed(path, this.#allowed)
    const values: Record<string, string> = {}
    for (const name of readdirSync(path)) {
      const file = join(path, name)
      if (!statSync(file).isFile()) continue
      checkAllowed(file, this.#allowed)
      setField(values, name, readFileSync(file, 'utf8'))
    }
    return values
  }
}

/** Reads the environment variables whose names match the allowlist pattern. */
class EnvProvider implements ConfigProvider {
  readonly #pattern: JavaPattern
  constructor(pattern: string | undefined) {
    this.#pattern = JavaPattern.compile(pattern ?? '.*')
  }

  get(path: string): Record<string, string> {
    if (path !== '') throw new Error('the environment has no paths: write ${env:NAME}')
    const values: Record<string, string> = {}
    for (const [name, value] of Object.entries(process.env)) {
      if (value !== undefined && this.#pattern.matches(name)) values[name] = value
    }
    return values
  }
}
