import { networkInterfaces } from 'node:os'
import { adminConfig, parseAddress } from '../../client/index.ts'
import type { ConfigValues } from '../../common/config/define.ts'
import { ConfigError, parseConfig, type RawConfig } from '../../common/config/parse.ts'
import type { Logger } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import { commonKeys, standaloneKeys } from './common-keys.ts'
import { type ConfigProviders, createProviders } from './config-providers.ts'
import { distributedKeys } from './distributed-keys.ts'
import { restKeys } from './rest-keys.ts'

export type WorkerMode = 'standalone' | 'distributed'

const baseKeys = { ...commonKeys, ...restKeys }
const workerKeys = {
  standalone: { ...baseKeys, ...standaloneKeys },
  distributed: { ...baseKeys, ...distributedKeys },
}

interface Base {
  /** The given properties, with the references to config providers resolved. */
  readonly props: Props
  readonly values: ConfigValues<typeof baseKeys>
  readonly providers: ConfigProviders
}

/** The checked configuration of a worker. */
export type WorkerConfig = Base &
  (
    | { readonly mode: 'standalone'; readonly own: ConfigValues<typeof standaloneKeys> }
    | { readonly mode: 'distributed'; readonly own: ConfigValues<typeof distributedKeys> }
  )

const PREFIXES =
  /^(producer|consumer|admin|config\.providers|key\.converter|value\.converter|header\.converter|ssl|sasl|listeners\.https|admin\.listeners\.https|offset\.storage|status\.storage|config\.storage|connect|metrics\.context)\./
/** A setting of the worker's own clients, which is not a setting of the worker itself. */
const isClientKey = (key: string) => (key in adminConfig || key === 'client.rack') && !(key in baseKeys)

/**
 * Checks the properties of a worker. Throws a ConfigError that names every invalid key. Logs a
 * warning for each unknown key.
 */
export function parseWorkerConfig(raw: RawConfig, mode: WorkerMode, logger: Logger): WorkerConfig {
  const entries = Object.entries(raw).filter(([, value]) => value !== null && value !== undefined)
  const given: Props = Object.fromEntries(entries.map(([key, value]) => [key, String(value)]))
  const providers = createProviders(given)
  const props = providers.resolve(given)
  const keys = workerKeys[mode]
  const values = parseConfig(keys, props)
  const errors = crossChecks(values)
  if (errors.length > 0) throw new ConfigError(errors)
  for (const key of Object.keys(props)) {
    if (!(key in keys) && !PREFIXES.test(key) && !isClientKey(key))
      logger.warn(`The configuration '${key}' was supplied but is not known. Check its spelling.`)
  }
  const base = { props, values: values as ConfigValues<typeof baseKeys>, providers }
  return mode === 'standalone'
    ? { ...base, mode, own: values as ConfigValues<typeof standaloneKeys> }
    : { ...base, mode, own: values as ConfigValues<typeof distributedKeys> }
}

function crossChecks(values: ConfigValues<typeof baseKeys>): { key: string; message: string }[] {
  const errors: { key: string; message: string }[] = []
  for (const key of ['listeners', 'admin.listeners'] as const) {
    for (const text of values[key] ?? []) {
      if (!parseListener(text))
        errors.push({
          key,
          message: `Invalid value ${text} for configuration ${key}: Must be http://host:port or https://host:port`,
        })
    }
  }
  if (values.listeners.length === 0)
    errors.push({
      key: 'listeners',
      message: 'Invalid value for configuration listeners: At least one listener is required',
    })
  for (const server of values['bootstrap.servers']) {
    if (!parseAddress(server))
      errors.push({
        key: 'bootstrap.servers',
        message: `Invalid value ${server} for configuration bootstrap.servers: Must be host:port, with a port between 1 and 65535`,
      })
  }
  const policy = values['connector.client.config.override.policy']
  if (
    !/^(org\.apache\.kafka\.connect\.connector\.policy\.)?(All|None|Principal|Allowlist)(ConnectorClientConfigOverridePolicy)?$/.test(
      policy,
    )
  )
    errors.push({
      key: 'connector.client.config.override.policy',
      message: `Invalid value ${policy} for configuration connector.client.config.override.policy: Must be one of All, None, Principal, Allowlist`,
    })
  return errors
}

export interface Listener {
  readonly scheme: 'http' | 'https'
  /** Empty for all interfaces. */
  readonly host: string
  readonly port: number
}

/** Parses `http://127.0.0.1:8083`, `http://:8083` or `https://[::1]:0`. Returns null for anything else. */
export function parseListener(text: string): Listener | null {
  const m = /^(https?):\/\/(\[[\da-fA-F:.]+\]|[^:/\s]*):(\d{1,5})\/?$/i.exec(text.trim())
  if (!m || Number(m[3]) > 65535) return null
  return {
    scheme: m[1]!.toLowerCase() as 'http' | 'https',
    host: m[2]!.replace(/^\[|\]$/g, ''),
    port: Number(m[3]),
  }
}

/** The keys with a prefix. The prefix is removed. */
export function withPrefix<V extends string | null>(
  props: Readonly<Record<string, V>>,
  prefix: string,
): Record<string, V> {
  const found = Object.entries(props).filter(([key]) => key.startsWith(prefix) && key.length > prefix.length)
  return Object.fromEntries(found.map(([key, value]) => [key.slice(prefix.length), value]))
}

/** The settings of the worker's own clients: the client settings without a prefix, as in Connect. */
export function workerClientProps(config: WorkerConfig): Record<string, string> {
  const props: Record<string, string> = {
    'bootstrap.servers': config.values['bootstrap.servers'].join(','),
  }
  for (const [key, value] of Object.entries(config.props)) if (isClientKey(key)) props[key] = value
  return props
}

/** An address of this machine that others can reach, for `worker_id` if the listener is on all interfaces. */
export function ownAddress(): string {
  for (const list of Object.values(networkInterfaces())) {
    for (const address of list ?? []) if (!address.internal && address.family === 'IPv4') return address.address
  }
  return '127.0.0.1'
}
