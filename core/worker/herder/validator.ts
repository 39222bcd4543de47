import type { ConfigDef, ConfigKey } from '../../common/config/define.ts'
import type { ConfigValue } from '../../common/config/parse.ts'
import { ConfigError } from '../../common/config/parse.ts'
import { HIDDEN, hideInValue } from '../../common/config/password.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Props } from '../../connect/props.ts'
import { isSecretClientKey, overrideError, overridesOf } from '../config/client-overrides.ts'
import { commonConnectorKeys, type KeyContext } from '../config/connector-keys.ts'
import { type GivenProps, withoutNulls } from '../config/given-props.ts'
import { checkRuntimeKey, definitionOf, type KeyDefinition, type KeyInfo, withErrors } from '../config/runtime-keys.ts'
import { checkSink, checkSource, sinkKeys, sourceKeys } from '../config/source-sink-keys.ts'
import { withPrefix } from '../config/with-prefix.ts'
import type { WorkerConfig } from '../config/worker-config.ts'
import type { PluginInspector } from '../plugins/inspector.ts'
import type { PluginDescriptor } from '../plugins/manifest.ts'
import { type PluginKind, type PluginRegistry, pluginRef } from '../plugins/registry.ts'
import { parseRange } from '../plugins/versions.ts'
import { definitionsOf, infosOf, type Placing } from './plugin-keys.ts'
import { RestError } from './rest-error.ts'
import { looksSecret } from './secrets.ts'
import { absent, stageInfos } from './stage-keys.ts'

/** The REST answer to a validation request. */
export interface ConfigInfos {
  readonly name: string
  readonly error_count: number
  readonly groups: readonly string[]
  readonly configs: readonly (KeyInfo | UnknownKey)[]
}

/** A key that has an error, but that neither the runtime nor the plugin declares. */
export interface UnknownKey {
  readonly definition: null
  readonly value: KeyInfo['value']
}

const NULL_VALUE = 'Null value can not be supplied as the configuration value.'

export interface ValidatorOptions {
  readonly config: WorkerConfig
  readonly registry: PluginRegistry
  readonly inspector: PluginInspector
}

/** Validates connector configurations. The inspector's threads run the plugins' own validation. */
export class Validator {
  readonly #o: ValidatorOptions

  constructor(options: ValidatorOptions) {
    this.#o = options
  }

  /**
   * Returns the connector plugin of a configuration. Throws a 400 if the class is missing, or if
   * the plugin does not exist.
   */
  pluginOf(props: Props): PluginDescriptor {
    const name = props['connector.class']
    if (name === undefined) {
      const shown = Object.entries(props).map(([k, v]) => `${k}=${looksSecret(k) ? HIDDEN : hideInValue(v)}`)
      throw new RestError(400, `Connector config {${shown.join(', ')}} contains no connector type`)
    }
    try {
      return this.#o.registry.find('connector', name, parseRange(props['connector.plugin.version']))
    } catch (error) {
      throw new RestError(400, messageOf(error))
    }
  }

  /**
   * Returns every key of the configuration with its errors. `nulls` are the keys whose value in the
   * request is null. Only keys that the connector declares may be null. Throws a RestError if the
   * connector plugin cannot be determined.
   */
  async validate(raw: Props, nulls: readonly string[] = []): Promise<ConfigInfos> {
    let props = raw
    const unreadable: { key: string; message: string }[] = []
    try {
      props = this.#o.config.providers.resolve(raw)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      unreadable.push(...error.errors)
    }
    const plugin = this.pluginOf(props)
    const own = this.#ask('connector', plugin, props, {})
    const given = { ...props, ...Object.fromEntries(nulls.map(key => [key, null])) }
    const stages = stageInfos(this.#o.registry, given, (kind, plugin, own, placing) =>
      this.#ask(kind, plugin, own, placing),
    )
    const converters = (['key', 'value', 'header'] as const).map(which => this.#converter(which, given))
    const runtime = this.#runtimeInfos(plugin, props, given)
    const ownInfos = await own
    const ownNames = new Set(ownInfos.map(info => info.definition.name))
    const wrongNulls = nulls.filter(key => !ownNames.has(key))
    const configs = [
      ...runtime,
      ...(await stages),
      ...ownInfos,
      ...this.#overrides(props),
      ...(await Promise.all(converters)).flat(),
    ]
    const complete = configs.map(info =>
      withErrors(info, [
        ...unreadable.filter(e => e.key === info.definition.name).map(e => e.message),
        ...(wrongNulls.includes(info.definition.name) ? [NULL_VALUE] : []),
      ]),
    )
    const groups = new Set<string>()
    for (const { definition } of complete) if (definition.group !== null) groups.add(definition.group)
    const known = new Set(complete.map(c => c.definition.name))
    const stray = unreadable.filter(e => !known.has(e.key)).length
    const unknown = wrongNulls
      .filter(key => !known.has(key))
      .map((name): UnknownKey => {
        const value = { name, value: null, recommended_values: [], errors: [NULL_VALUE], visible: true }
        return { definition: null, value }
      })
    return {
      name: props['connector.class']!,
      error_count: complete.reduce((n, c) => n + c.value.errors.length, stray + unknown.length),
      groups: [...groups],
      configs: [...complete, ...unknown],
    }
  }

  /** Returns the keys of a plugin. For a connector, the keys that the runtime adds are included. */
  async keysOf(plugin: PluginDescriptor): Promise<KeyDefinition[]> {
    const info = await this.#o.inspector.inspect(pluginRef(plugin))
    const isConverter = plugin.type === 'converter' || plugin.type === 'header_converter'
    const own = definitionsOf(info.keys, isConverter ? { firstOrder: 0 } : {})
    if (plugin.type !== 'source' && plugin.type !== 'sink') return own
    const context: KeyContext = { connectorVersion: plugin.version }
    const runtime = runtimeKeys(context, plugin.type)
    return [...own, ...Object.entries(runtime).map(([name, key]) => definitionOf(name, key))]
  }

  #runtimeInfos(plugin: PluginDescriptor, props: Props, given: GivenProps): KeyInfo[] {
    const { registry, config } = this.#o
    const worker = {
      key: config.values['key.converter'],
      value: config.values['value.converter'],
      header: config.values['header.converter'],
    }
    const kindOf = (which: 'key' | 'value' | 'header'): PluginKind =>
      which === 'header' ? 'header_converter' : 'converter'
    const context: KeyContext = {
      connectorVersion: plugin.version,
      connectorVersions: registry.versions('connector', plugin.className),
      converters: worker,
      converterNames: registry.list('converter').map(p => p.className),
      headerConverterNames: registry.list('header_converter').map(p => p.className),
      converterVersion: which => {
        const all = registry.versions(kindOf(which), props[`${which}.converter`] ?? worker[which])
        return { version: all.at(-1) ?? null, all }
      },
    }
    const source = plugin.type === 'source'
    const cross = source ? checkSource(props) : checkSink(props)
    return Object.entries(runtimeKeys(context, plugin.type)).map(([name, key]) => {
      const info = withErrors(
        checkRuntimeKey(name, key, given),
        cross.filter(([wrong]) => wrong === name).map(([, error]) => error),
      )
      const m = /^(key|value|header)\.converter$/.exec(name)
      const converter = info.value.value
      if (!m || converter === null || registry.has(kindOf(m[1] as 'key'), converter)) return info
      return absent(info, props[name] ?? converter)
    })
  }

  async #converter(which: 'key' | 'value' | 'header', props: GivenProps): Promise<KeyInfo[]> {
    const name = props[`${which}.converter`]
    const kind = which === 'header' ? 'header_converter' : 'converter'
    if (name === undefined || name === null || !this.#o.registry.has(kind, name)) return []
    const prefix = `${which}.converter.`
    const plugin = this.#o.registry.find(kind, name, parseRange(props[`${prefix}plugin.version`]))
    // As in Connect, `converter.type` is set unless the configuration contains it.
    const given = withPrefix(props, prefix)
    const own = { ...given, 'converter.type': given['converter.type'] ?? which }
    return this.#ask(kind, plugin, own, { prefix, firstOrder: 0 })
  }

  /**
   * Validates a plugin's part of the configuration. If a connector's validation itself fails, the
   * message of that failure becomes an error of the connector's first key.
   */
  async #ask(kind: PluginKind, plugin: PluginDescriptor, given: GivenProps, placing: Placing): Promise<KeyInfo[]> {
    const [props, nulls] = withoutNulls(given)
    try {
      const result = await this.#o.inspector.validate({ plugin: pluginRef(plugin), props, nulls })
      return infosOf(result.keys, result.values, placing)
    } catch (error) {
      if (kind !== 'connector') throw new RestError(400, messageOf(error))
      return this.#failedCheck(plugin, error)
    }
  }

  /**
   * Returns the connector's keys. The first key has the message of the failed validation as its
   * error.
   */
  async #failedCheck(plugin: PluginDescriptor, error: unknown): Promise<KeyInfo[]> {
    const { keys } = await this.#o.inspector.inspect(pluginRef(plugin)).catch(() => {
      throw new RestError(400, messageOf(error))
    })
    const values = keys.map(
      (key, i): ConfigValue => ({
        name: key.name,
        value: null,
        recommendedValues: [],
        errors: i === 0 ? [messageOf(error)] : [],
        visible: true,
      }),
    )
    return infosOf(keys, values)
  }

  #overrides(props: Props): KeyInfo[] {
    const { values } = this.#o.config
    const policy = values['connector.client.config.override.policy']
    const infos: KeyInfo[] = []
    for (const kind of ['producer', 'consumer', 'admin'] as const) {
      for (const key of Object.keys(overridesOf(props, kind))) {
        const name = `${kind}.override.${key}`
        const error = overrideError(policy, values['connector.client.config.override.allowlist'], key)
        const declared: ConfigKey = {
          type: isSecretClientKey(key) ? 'PASSWORD' : 'STRING',
          default: null,
          importance: 'LOW',
          documentation: `The setting ${key} of the ${kind} that the tasks of the connector use.`,
          displayName: key,
        }
        const info = checkRuntimeKey(name, declared, props)
        infos.push(withErrors(info, error === null ? [] : [error]))
      }
    }
    return infos
  }
}

/** Returns the keys that the runtime adds to a connector. */
function runtimeKeys(context: KeyContext, type: PluginDescriptor['type']): ConfigDef {
  return { ...commonConnectorKeys(context), ...(type === 'source' ? sourceKeys : sinkKeys) }
}

/** Returns Connect's message about an invalid configuration; null if the configuration is valid. */
export function invalidMessage(infos: ConfigInfos): string | null {
  if (infos.error_count === 0) return null
  const lines = infos.configs.flatMap(c => c.value.errors)
  return [
    `Connector configuration is invalid and contains the following ${infos.error_count} error(s):`,
    ...lines,
    'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  ].join('\n')
}
