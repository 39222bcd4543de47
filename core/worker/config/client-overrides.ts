import { securityConfig } from '../../client/config/security-keys.ts'
import type { Validator } from '../../common/config/define.ts'
import { oneOf } from '../../common/config/validators.ts'
import type { Props } from '../../connect/props.ts'
import { withPrefix } from './with-prefix.ts'

export type ClientKind = 'producer' | 'consumer' | 'admin'
const POLICIES = ['All', 'None', 'Principal', 'Allowlist'] as const
export type OverridePolicy = (typeof POLICIES)[number]

const CLASS = /^org\.apache\.kafka\.connect\.connector\.policy\.(\w+)ConnectorClientConfigOverridePolicy$/
const SIMPLE_CLASS = /ConnectorClientConfigOverridePolicy$/
const shortName = (value: unknown) => (CLASS.exec(String(value))?.[1] ?? String(value)).replace(SIMPLE_CLASS, '')
const policies = oneOf(POLICIES, { message: 'Must be one of' })

/**
 * Accepts an override policy's short name or Java class name. The parsed value is the short name.
 */
export const overridePolicy: Validator<OverridePolicy> = {
  ...policies,
  check: (value, name) => policies.check(shortName(value), name),
  canonical: shortName,
}

const PRINCIPAL = new Set(['sasl.jaas.config', 'sasl.mechanism', 'security.protocol'])

// Task threads load this module, so it does not import the declarations of all client settings.
const SECRETS = Object.entries(securityConfig).flatMap(([name, key]) => (key.type === 'PASSWORD' ? [name] : []))

/**
 * Returns whether a client setting is of type PASSWORD. The key may have a prefix, for example
 * `producer.`.
 */
export function isSecretClientKey(key: string): boolean {
  return SECRETS.some(name => key === name || key.endsWith(`.${name}`))
}

/**
 * Returns Connect's message if the policy forbids a connector to override a setting; otherwise
 * null.
 */
export function overrideError(policy: OverridePolicy, allowlist: readonly string[], key: string): string | null {
  const allowed =
    policy === 'All' ||
    (policy === 'Principal' && PRINCIPAL.has(key)) ||
    (policy === 'Allowlist' && allowlist.includes(key))
  return allowed
    ? null
    : `The '${policy}' policy does not allow '${key}' to be overridden in the connector configuration.`
}

/** Returns the client settings that a connector overrides, without the prefix. */
export function overridesOf(connector: Props, kind: ClientKind): Record<string, string> {
  return withPrefix(connector, `${kind}.override.`)
}

/**
 * Returns the settings of a connector's client. They are merged from the runtime's defaults, the
 * worker's settings with the prefix `producer.` (or `consumer.`, `admin.`), and the connector's
 * settings with the prefix `producer.override.`. Later values win. As in Connect, the worker's
 * client settings without a prefix are not included.
 */
export function clientProps(
  kind: ClientKind,
  defaults: Props,
  worker: Props,
  connector: Props,
): Record<string, string> {
  return { ...defaults, ...withPrefix(worker, `${kind}.`), ...overridesOf(connector, kind) }
}

/**
 * Returns the names under which the worker or the connector has set the keys of a client, by the
 * key without its prefix.
 */
export function clientKeyNames(kind: ClientKind, worker: Props, connector: Props): Record<string, string> {
  const named = (keys: string[], prefix: string) => keys.map(key => [key, prefix + key])
  return Object.fromEntries([
    ...named(Object.keys(withPrefix(worker, `${kind}.`)), `${kind}.`),
    ...named(Object.keys(overridesOf(connector, kind)), `${kind}.override.`),
  ])
}
