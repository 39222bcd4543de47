import { parseType } from '../../common/config/parse.ts'
import { configKey, type MetadataImage, ResourceType } from '../quorum/image.ts'
import { BROKER_CONFIG, type BrokerConfig, type BrokerConfigValues } from './broker-config.ts'
import { brokerLayers, type DynamicBrokerConfigs } from './effective.ts'
import { TOPIC_SYNONYMS } from './topic-config.ts'

/** Keys of the broker itself that take effect at once, or that have no effect. */
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
 * Broker keys that can change while the broker runs: the defaults of topics, and some keys of the
 * broker itself.
 */
export const DYNAMIC_BROKER_KEYS: ReadonlySet<string> = new Set([
  ...OWN,
  // As in Kafka, only the first synonym of each: log.retention.ms but not log.retention.hours.
  ...Object.values(TOPIC_SYNONYMS).map(list => list[0]!.name),
])

/** Broker keys that are the defaults of topic keys. */
export const TOPIC_DEFAULT_KEYS: ReadonlySet<string> = new Set(
  Object.values(TOPIC_SYNONYMS).flatMap(list => list.map(s => s.name)),
)

const NONE: ReadonlyMap<string, string> = new Map()

/** The parsed value of a broker key that is in force now. */
export function currentSetting<N extends keyof BrokerConfigValues>(
  config: BrokerConfig,
  image: MetadataImage,
  name: N,
): BrokerConfigValues[N] {
  const text = brokerLayers(config, dynamicConfigs(image, config.values['node.id']), name)[0]?.value ?? null
  return parseType(BROKER_CONFIG[name].type, text) as BrokerConfigValues[N]
}

/** The settings made over the API, for one broker and for all brokers. */
export function dynamicConfigs(image: MetadataImage, nodeId: number): DynamicBrokerConfigs {
  return {
    own: image.configs.get(configKey(ResourceType.BROKER, String(nodeId))) ?? NONE,
    default: image.configs.get(configKey(ResourceType.BROKER, '')) ?? NONE,
  }
}
