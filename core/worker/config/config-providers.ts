import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { ConfigError } from '../../common/config/parse.ts'
import { parseProperties } from '../../common/config/properties.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { JavaPattern } from '../../common/regex/java-pattern.ts'
import { setField } from '../../connect/own.ts'
import type { Props } from '../../connect/props.ts'

/** Looks up values outside of a configuration. */
interface ConfigProvider {
  /** The values under a path; throws when the path cannot be read. */
  get(path: string): Readonly<Record<string, string>>
}

/** Replaces `${provider:path:key}` and `${provider:key}` in configurations. */
export interface ConfigProviders {
  /**
   * The same configuration with every reference replaced. A reference to an unknown provider or key stays as it is, as in
   * Connect; a path that cannot be read is a ConfigError that names the key.
   */
  resolve(props: Props): Record<string, string>
}

const PACKAGE = 'org.apache.kafka.common.config.provider.'
const REFERENCE = /\$\{([^}:]*):(?:([^}]*):)?([^}:]*)\}/g

/** The providers that the worker's properties name. Throws a ConfigError for a wrong one. */
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
        message: `Invalid value ${type} for configuration ${key}: it must be FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider`,
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

/** Throws unless the path lies in one of the allowed ones; without any, all are allowed. Links are followed first. */
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

/** Keys of a properties file. */
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

/** Files of a folder: the key is a file's name, the value its content. */
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

/** Environment variables, those that the pattern allows. */
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
