import { clientConfig } from '../../client/index.ts'
import type { Props } from '../../connect/props.ts'
import { withPrefix } from './worker-config.ts'

export type ClientKind = 'producer' | 'consumer' | 'admin'
export type OverridePolicy = 'All' | 'None' | 'Principal' | 'Allowlist'

/** The policy of a class name: `org.apache.kafka...AllConnectorClientConfigOverridePolicy` is `All`. */
export function policyOf(name: string): OverridePolicy {
  return name.replace(/^.*\./, '').replace(/ConnectorClientConfigOverridePolicy$/, '') as OverridePolicy
}

const PRINCIPAL = new Set(['sasl.jaas.config', 'sasl.mechanism', 'security.protocol'])

const SECRETS = Object.entries(clientConfig).flatMap(([name, key]) => (key.type === 'PASSWORD' ? [name] : []))

/** Whether a client setting is of type PASSWORD, also with a prefix such as `producer.`. */
export function isSecretClientKey(key: string): boolean {
  return SECRETS.some(name => key === name || key.endsWith(`.${name}`))
}

/** Why a setting may not be overridden, in Connect's words; null when it may. */
export function overrideError(policy: OverridePolicy, allowlist: readonly string[], key: string): string | null {
  const allowed =
    policy === 'All' ||
    (policy === 'Principal' && PRINCIPAL.has(key)) ||
    (policy === 'Allowlist' && allowlist.includes(key))
  return allowed
    ? null
    : `The '${policy}' policy does not allow '${key}' to be overridden in the connector configuration.`
}

/** The settings that a connector overrides, without prefix. */
export function overridesOf(connector: Props, kind: ClientKind): Record<string, string> {
  return withPrefix(connector, `${kind}.override.`)
}

/**
 * A connector's client settings: the runtime's defaults, the worker's `producer.` (`consumer.`, `admin.`), the connector's
 * `producer.override.`, the later winning. As in Connect, the worker's top-level security settings are not among them.
 */
export function clientProps(
  kind: ClientKind,
  defaults: Props,
  worker: Props,
  connector: Props,
): Record<string, string> {
  return { ...defaults, ...withPrefix(worker, `${kind}.`), ...overridesOf(connector, kind) }
}
