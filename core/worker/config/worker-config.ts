import { networkInterfaces } from 'node:os'
import { adminConfig } from '../../client/config/admin-keys.ts'
import type { ConfigDef, ConfigValues } from '../../common/config/define.ts'
import { parseConfig, type RawConfig } from '../../common/config/parse.ts'
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
  /** The worker's properties, with the references to config providers resolved. */
  readonly props: Props
  readonly values: ConfigValues<typeof baseKeys>
  readonly providers: ConfigProviders
}

/** The validated configuration of a worker. */
export type WorkerConfig = Base &
  (
    | { readonly mode: 'standalone'; readonly own: ConfigValues<typeof standaloneKeys> }
    | { readonly mode: 'distributed'; readonly own: ConfigValues<typeof distributedKeys> }
  )

const PREFIXES =
  /^(producer|consumer|admin|config\.providers|key\.converter|value\.converter|header\.converter|ssl|sasl|listeners\.https|admin\.listeners\.https|offset\.storage|status\.storage|config\.storage|connect|metrics\.context)\./
/** Returns whether a key is a setting of the worker's own clients, and not of the worker itself. */
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
  const base = { props, providers }
  warnOfUnknown(props, workerKeys[mode], logger)
  if (mode === 'standalone') {
    const values = parseConfig(workerKeys.standalone, props)
    return { ...base, mode, values, own: values }
  }
  const values = parseConfig(workerKeys.distributed, props)
  return { ...base, mode, values, own: values }
}

function warnOfUnknown(props: Props, keys: ConfigDef, logger: Logger): void {
  for (const key of Object.keys(props)) {
    if (!(key in keys) && !PREFIXES.test(key) && !isClientKey(key))
      logger.warn(`The configuration '${key}' was supplied but is not known. Check its spelling.`)
  }
}

/** Returns the settings of the worker's own clients. As in Connect, they have no prefix. */
export function workerClientProps(config: WorkerConfig): Record<string, string> {
  const props: Record<string, string> = {
    'bootstrap.servers': config.values['bootstrap.servers'].join(','),
  }
  for (const [key, value] of Object.entries(config.props)) if (isClientKey(key)) props[key] = value
  return props
}

/**
 * Returns an address of this machine that other machines can reach. It is used in `worker_id` if
 * the REST API listens on all interfaces.
 */
export function ownAddress(): string {
  for (const list of Object.values(networkInterfaces())) {
    for (const address of list ?? []) if (!address.internal && address.family === 'IPv4') return address.address
  }
  return '127.0.0.1'
}
