import type { ConfigDef, ConfigKey } from '../common/config/define.ts'
import { type RawConfig, withKeyNames } from '../common/config/parse.ts'
import type { Logger } from '../common/log.ts'
import { adminConfig } from './config/admin-keys.ts'
import { consumerConfig } from './config/consumer-keys.ts'
import { JAVA_ONLY } from './config/no-effect.ts'
import { producerConfig } from './config/producer-keys.ts'
import { optionsOf, resolve } from './config/resolve.ts'
import { consumerValues } from './consumer/options.ts'
import { producerValues } from './producer/options.ts'
import type { AdminOptions, ConsumerOptions, ProducerOptions } from './types.ts'

export type ClientKind = 'producer' | 'consumer' | 'admin'

interface OptionsOf {
  producer: ProducerOptions
  consumer: ConsumerOptions
  admin: AdminOptions
}

const DEFINITIONS: Readonly<Record<ClientKind, ConfigDef>> = {
  producer: producerConfig,
  consumer: consumerConfig,
  admin: adminConfig,
}

/** All settings of all clients, by Kafka's name. */
export const clientConfig: ConfigDef = { ...adminConfig, ...consumerConfig, ...producerConfig }

/**
 * Converts Kafka's property names to the options of a client. Returns only the options that were
 * configured. Throws a ConfigError that names every invalid key. Logs a warning once for each key
 * that is unknown or has no effect. `nameOf` returns the name of a key for errors and warnings,
 * such as `producer.override.linger.ms`. Without a `kind`, the result is valid for producers and
 * consumers, and nothing is logged.
 */
export function toClientOptions<K extends ClientKind>(
  kind: K,
  raw: RawConfig,
  logger?: Logger,
  nameOf?: (key: string) => string,
): OptionsOf[K]
export function toClientOptions(raw: RawConfig): ProducerOptions & ConsumerOptions
export function toClientOptions(
  first: ClientKind | RawConfig,
  second?: RawConfig,
  logger?: Logger,
  nameOf: (key: string) => string = key => key,
): ProducerOptions | ConsumerOptions {
  if (typeof first !== 'string') return { ...optionsFor('producer', first), ...optionsFor('consumer', first) }
  const options = withKeyNames(nameOf, () => optionsFor(first, second ?? {}))
  if (!logger) return options
  warn(first, second ?? {}, logger, nameOf)
  return { ...options, logger }
}

function optionsFor(kind: ClientKind, raw: RawConfig): ProducerOptions & ConsumerOptions {
  const values =
    kind === 'producer' ? producerValues(raw) : kind === 'consumer' ? consumerValues(raw) : resolve(adminConfig, raw)
  return optionsOf(DEFINITIONS[kind], raw, values) as ProducerOptions & ConsumerOptions
}

const warned = new Set<string>()

function warn(kind: ClientKind, raw: RawConfig, logger: Logger, nameOf: (key: string) => string): void {
  for (const [key, value] of Object.entries(raw)) {
    const name = nameOf(key)
    const message = warningOf(name, value, DEFINITIONS[kind][key])
    if (message === null || warned.has(`${kind} ${name}`)) continue
    warned.add(`${kind} ${name}`)
    logger.warn(message)
  }
}

/**
 * Returns the warning for a setting, or null. A warning never contains the value, which may be a
 * secret.
 */
function warningOf(name: string, value: RawConfig[string], key: ConfigKey | undefined): string | null {
  if (!key) return `The configuration '${name}' was supplied but is not known. Check its spelling.`
  if (key.noEffect === undefined || key.noEffect === JAVA_ONLY || isDefault(key, value)) return null
  return `The configuration '${name}' has no effect: ${key.noEffect}`
}

const isDefault = (key: ConfigKey, value: RawConfig[string]) =>
  String(value ?? '').toLowerCase() === String(key.default ?? '').toLowerCase()
