import { parseType } from '../../common/config/parse.ts'
import { configKey, type MetadataImage, ResourceType } from '../quorum/image.ts'
import { BROKER_CONFIG, type BrokerConfig, type BrokerConfigValues } from './broker-config.ts'
import { brokerLayers, type DynamicBrokerConfigs } from './effective.ts'
import { TOPIC_SYNONYMS } from './topic-config.ts'

/**
 * Dynamic keys that are not defaults of topic keys. Some take effect at once, and the others have
 * no effect.
 */
const OWN = [
  'log.cleaner.io.max.bytes.per.second',
  'log.cleaner.threads',
  'max.connections',
  'max.connections.per.ip',
  'max.connections.per.ip.overrides',
  'max.connection.creation.rate',
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'background.threads',
  'transaction.partition.verification.enable',
]

/**
 * The broker keys that can change while the broker is running: the defaults of topic keys, and the
 * keys in `OWN`.
 */
export const DYNAMIC_BROKER_KEYS: ReadonlySet<string> = new Set([
  ...OWN,
  // As in Kafka, only the first synonym of a topic key is dynamic, for example log.retention.ms but
  // not log.retention.hours.
  ...Object.values(TOPIC_SYNONYMS).map(list => list[0]!.name),
])

/** The broker keys that are the defaults of topic keys. */
export const TOPIC_DEFAULT_KEYS: ReadonlySet<string> = new Set(
  Object.values(TOPIC_SYNONYMS).flatMap(list => list.map(s => s.name)),
)

const NONE: ReadonlyMap<string, string> = new Map()

/** Returns the current value of a broker key, which can be a dynamic value. */
export function currentSetting<N extends keyof BrokerConfigValues>(
  config: BrokerConfig,
  image: MetadataImage,
  name: N,
): BrokerConfigValues[N] {
  const text = brokerLayers(config, dynamicConfigs(image, config.values['node.id']), name)[0]?.value ?? null
  return parseType(BROKER_CONFIG[name].type, text) as BrokerConfigValues[N]
}

/** Returns the dynamic settings of a broker: its own, and those for all brokers. */
export function dynamicConfigs(image: MetadataImage, nodeId: number): DynamicBrokerConfigs {
  return {
    own: image.configs.get(configKey(ResourceType.BROKER, String(nodeId))) ?? NONE,
    default: image.configs.get(configKey(ResourceType.BROKER, '')) ?? NONE,
  }
}
