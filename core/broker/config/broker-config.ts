import { type ConfigDef, type ConfigValues, defineConfig } from '../../common/config/define.ts'
import { ConfigError, parseConfig, type RawConfig } from '../../common/config/parse.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { type MetricsAddress, parseMetricsAddress } from '../../common/metrics/address.ts'
import { brokerErrors } from '../errors.ts'
import { GROUP_CONFIG, MILLRACE_CONFIG, TRANSACTION_CONFIG } from './defs/groups.ts'
import { LOG_CONFIG } from './defs/log.ts'
import { NETWORK_CONFIG } from './defs/network.ts'
import { NODE_CONFIG } from './defs/node.ts'
import { type Listener, parseListener, parseProtocolMap } from './listeners.ts'

/**
 * All keys of the broker. Names, types and defaults are those of Kafka 4.3, except that `listeners`
 * defaults to the loopback interface.
 */
export const BROKER_CONFIG = defineConfig({
  ...NODE_CONFIG,
  ...NETWORK_CONFIG,
  ...LOG_CONFIG,
  ...GROUP_CONFIG,
  ...TRANSACTION_CONFIG,
  ...MILLRACE_CONFIG,
})

export type BrokerConfigValues = ConfigValues<typeof BROKER_CONFIG>

/** The settings with which the broker started. `values` contains the parsed value of each key. */
export interface BrokerConfig {
  readonly values: BrokerConfigValues
  /** The text of each known key that was set. */
  readonly given: ReadonlyMap<string, string>
  /** The unknown keys in the file. */
  readonly unknown: readonly string[]
  readonly listeners: readonly Listener[]
  /** The parsed addresses of `metrics.listeners`. */
  readonly metricsAddresses: readonly MetricsAddress[]
  /**
   * The addresses of `advertised.listeners`, by listener name. Port 0 means the port on which the
   * listener listens.
   */
  readonly advertised: ReadonlyMap<string, Listener>
  /** The id of the security protocol of each listener, by listener name. */
  readonly protocols: ReadonlyMap<string, number>
  readonly interBrokerListener: string
  readonly logDirs: readonly string[]
  readonly metadataDir: string
}

/**
 * Matches keys of features and products that Millrace does not have. Such keys cause no warning.
 */
const FOREIGN = /^(listener\.name\.|sasl\.|ssl\.|remote\.|confluent\.)/

function allListeners(values: BrokerConfigValues, problems: string[]) {
  const read = (key: string, texts: readonly string[]) =>
    texts.flatMap(text => {
      try {
        return [parseListener(text)]
      } catch (error) {
        problems.push(`${key}: ${(error as Error).message}`)
        return []
      }
    })
  const controllers = new Set(values['controller.listener.names'].map(n => n.toUpperCase()))
  const serves = (l: Listener) => !controllers.has(l.name)
  const listeners = read('listeners', values.listeners).filter(serves)
  const advertised = read('advertised.listeners', values['advertised.listeners'] ?? []).filter(serves)
  return { listeners, advertised }
}

function checkListeners(listeners: readonly Listener[], protocols: ReadonlyMap<string, number>, problems: string[]) {
  if (listeners.length === 0 && problems.length === 0) problems.push('listeners: a broker needs at least one listener')
  for (const l of listeners) {
    const protocol = protocols.get(l.name)
    if (protocol === undefined) problems.push(`listeners: ${l.name} is not in listener.security.protocol.map`)
    else if (protocol !== 0)
      problems.push(`listeners: ${l.name} requires TLS or SASL, which this version does not support. Use PLAINTEXT`)
    if (listeners.filter(o => o.name === l.name).length > 1) problems.push(`listeners: ${l.name} is listed twice`)
  }
}

function readMetricsAddresses(texts: readonly string[], problems: string[]): MetricsAddress[] {
  const addresses: MetricsAddress[] = []
  for (const text of texts) {
    try {
      const address = parseMetricsAddress(text)
      const isTaken = addresses.some(a => a.port === address.port && a.host === address.host && a.port !== 0)
      if (isTaken) problems.push(`metrics.listeners: ${text} is listed twice`)
      addresses.push(address)
    } catch (error) {
      problems.push(`metrics.listeners: ${messageOf(error)}`)
    }
  }
  return addresses
}

/**
 * Parses the keys of `server.properties`. Throws MR_BROKER_CONFIG, which names every invalid key.
 * Unknown keys are not errors: they are returned in `unknown`, because they cause only a warning,
 * as in Kafka.
 */
export function parseBrokerConfig(raw: RawConfig): BrokerConfig {
  let values: BrokerConfigValues
  try {
    values = parseConfig(BROKER_CONFIG, raw)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw brokerErrors.create(
      'MR_BROKER_CONFIG',
      { what: error.errors.map(e => e.message).join('; ') },
      { cause: error },
    )
  }
  const problems: string[] = []
  let protocols = new Map<string, number>()
  try {
    protocols = parseProtocolMap(values['listener.security.protocol.map'])
  } catch (error) {
    problems.push(`listener.security.protocol.map: ${(error as Error).message}`)
  }
  const { listeners, advertised } = allListeners(values, problems)
  checkListeners(listeners, protocols, problems)
  const metricsAddresses = readMetricsAddresses(values['metrics.listeners'], problems)
  for (const role of ['broker', 'controller'] as const) {
    if (!values['process.roles'].includes(role))
      problems.push(`process.roles: ${role} is missing. This version runs as broker,controller in one process`)
  }
  if (values['controller.quorum.voters'].length > 1)
    problems.push('controller.quorum.voters: this version supports only one controller')
  const logDirs = values['log.dirs']?.length ? values['log.dirs'] : values['log.dir']
  const interBroker = values['inter.broker.listener.name']?.toUpperCase() ?? listeners[0]?.name ?? 'PLAINTEXT'
  if (listeners.length > 0 && !listeners.some(l => l.name === interBroker))
    problems.push(`inter.broker.listener.name: ${interBroker} is not one of the listeners`)
  if (problems.length > 0) throw brokerErrors.create('MR_BROKER_CONFIG', { what: problems.join('; ') })

  const def: ConfigDef = BROKER_CONFIG
  const aliases = new Set(Object.values(def).flatMap(k => k.aliases ?? []))
  const given = new Map<string, string>()
  const unknown: string[] = []
  for (const [name, value] of Object.entries(raw)) {
    if (value === null || value === undefined) continue
    if (name in def) given.set(name, String(value).trim())
    else if (!aliases.has(name) && !FOREIGN.test(name)) unknown.push(name)
  }
  return {
    values,
    given,
    unknown,
    listeners,
    metricsAddresses,
    advertised: new Map(advertised.map(l => [l.name, l])),
    protocols,
    interBrokerListener: interBroker,
    logDirs,
    metadataDir: values['metadata.log.dir'] ?? logDirs[0]!,
  }
}
