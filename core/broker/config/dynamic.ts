import { configKey, type MetadataImage, ResourceType } from '../quorum/image.ts'
import type { DynamicBrokerConfigs } from './effective.ts'
import { TOPIC_SYNONYMS } from './topic-config.ts'

/** Broker keys that may be changed while the broker runs: the topics' defaults, and some of the broker's own. */
const OWN = [
  'log.cleaner.backoff.ms',
  'log.cleaner.dedupe.buffer.size',
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
  'producer.id.expiration.ms',
  'transaction.partition.verification.enable',
]

export const DYNAMIC_BROKER_KEYS: ReadonlySet<string> = new Set([
  ...OWN,
  // as in Kafka, only the first synonym of each: log.retention.ms but not log.retention.hours
  ...Object.values(TOPIC_SYNONYMS).map(list => list[0]!.name),
])

const NONE: ReadonlyMap<string, string> = new Map()

/** What was set over the API for a broker and for all. */
export function dynamicConfigs(image: MetadataImage, nodeId: number): DynamicBrokerConfigs {
  return {
    own: image.configs.get(configKey(ResourceType.BROKER, String(nodeId))) ?? NONE,
    default: image.configs.get(configKey(ResourceType.BROKER, '')) ?? NONE,
  }
}
