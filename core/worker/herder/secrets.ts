import { listItems } from '../../common/config/parse.ts'
import { HIDDEN, hasHiddenInUrls, hideInUrls } from '../../common/config/password.ts'
import type { Props } from '../../connect/props.ts'
import { isSecretClientKey } from '../config/client-overrides.ts'
import { withPrefix } from '../config/with-prefix.ts'
import type { PluginInspector } from '../plugins/inspector.ts'
import { type PluginKind, type PluginRegistry, pluginRef } from '../plugins/registry.ts'
import { parseRange } from '../plugins/versions.ts'

/** Matches the names of keys that no plugin declares, but whose values are probably secrets. */
const SUSPICIOUS =
  /(password|passwd|passphrase|secret|credential|private[._-]?key|api[._-]?key|access[._-]?token|sasl\.jaas\.config)/i
export function looksSecret(key: string): boolean {
  return SUSPICIOUS.test(key)
}

const REFERENCE = /^\$\{[^}]*\}$/

/**
 * Masks the secrets in the configurations that REST returns, and replaces the masks in the
 * configurations that REST receives.
 */
export class Secrets {
  readonly #registry: PluginRegistry
  readonly #inspector: PluginInspector
  readonly #enabled: boolean

  constructor(registry: PluginRegistry, inspector: PluginInspector, enabled: boolean) {
    this.#registry = registry
    this.#inspector = inspector
    this.#enabled = enabled
  }

  /**
   * Masks the values of all PASSWORD keys, including those of converters and transformations, and
   * the passwords in URLs. Config provider references are not masked. Never fails: if a plugin
   * cannot be loaded, its secrets are recognised by the names of the keys.
   */
  async mask(props: Props): Promise<Props> {
    if (!this.#enabled) return props
    const secret = await this.#secretTest(props)
    const shown = ([key, value]: [string, string]) =>
      value !== '' && !REFERENCE.test(value) && secret(key) ? HIDDEN : hideInUrls(value)
    return Object.fromEntries(Object.entries(props).map(entry => [entry[0], shown(entry)]))
  }

  /**
   * Replaces masks with the stored values. Masks without a stored value remain. Use `masked` to
   * find their keys.
   */
  unmask(props: Props, stored: Props | null): Record<string, string> {
    const full = ([key, value]: [string, string]) => {
      const before = stored && Object.hasOwn(stored, key) ? stored[key] : undefined
      const masked = value === HIDDEN || (before !== undefined && value === hideInUrls(before))
      return masked ? (before ?? value) : value
    }
    return Object.fromEntries(Object.entries(props).map(entry => [entry[0], full(entry)]))
  }

  /** Returns the keys whose value is the mask, or contains it as the password of a URL. */
  async masked(props: Props): Promise<string[]> {
    const suspects = Object.keys(props).filter(key => props[key]!.includes(HIDDEN))
    if (suspects.length === 0 || !this.#enabled) return []
    const secret = await this.#secretTest(props)
    return suspects.filter(key => (props[key] === HIDDEN ? secret(key) : hasHiddenInUrls(props[key]!)))
  }

  /** Returns a function that checks whether a key of the configuration is a secret. */
  async #secretTest(props: Props): Promise<(key: string) => boolean> {
    const types = new Map<string, boolean>()
    const parts: [PluginKind, string | undefined, string][] = [
      ['connector', props['connector.class'], ''],
      ['converter', props['key.converter'], 'key.converter.'],
      ['converter', props['value.converter'], 'value.converter.'],
      ['header_converter', props['header.converter'], 'header.converter.'],
    ]
    for (const alias of listItems(props['transforms']))
      parts.push(['transformation', props[`transforms.${alias}.type`], `transforms.${alias}.`])
    for (const alias of listItems(props['predicates']))
      parts.push(['predicate', props[`predicates.${alias}.type`], `predicates.${alias}.`])
    await Promise.all(parts.map(([kind, name, prefix]) => this.#learn(kind, name, prefix, props, types)))
    return key => {
      const override = /^(producer|consumer|admin)\.override\.(.+)$/.exec(key)
      if (override) return isSecretClientKey(override[2]!)
      return types.get(key) ?? looksSecret(key)
    }
  }

  async #learn(
    kind: PluginKind,
    name: string | undefined,
    prefix: string,
    props: Props,
    types: Map<string, boolean>,
  ): Promise<void> {
    if (name === undefined) return
    try {
      const version = prefix === '' ? props['connector.plugin.version'] : withPrefix(props, prefix)['plugin.version']
      const plugin = this.#registry.find(kind, name, parseRange(version))
      const { keys } = await this.#inspector.inspect(pluginRef(plugin))
      for (const key of keys) types.set(prefix + key.name, key.type === 'PASSWORD')
    } catch {
      // The plugin cannot be loaded, so the names of its keys show which values are secrets.
    }
  }
}
