/** A partition as the metadata log has it. Source: PartitionRecord.json of Kafka 4.3. */
export interface PartitionImage {
  readonly partition: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** The leader's node id, -1 when there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** The log directories' ids (base64url) of the replicas, in the order of `replicas`. */
  readonly directories: readonly string[]
}

/** A topic. Its partitions stand at their own index: 0, 1, 2 ... */
export interface TopicImage {
  readonly name: string
  /** Kafka's Uuid in base64url, 22 characters. */
  readonly id: string
  readonly partitions: readonly PartitionImage[]
}

export interface EndpointImage {
  readonly name: string
  readonly host: string
  readonly port: number
  /** 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number
}

export interface BrokerImage {
  readonly id: number
  readonly epoch: number
  readonly incarnationId: string
  readonly endpoints: readonly EndpointImage[]
  readonly rack: string | null
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
  readonly logDirs: readonly string[]
}

/** Kafka's ConfigResource.Type. */
export const ResourceType = {
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const

/**
 * All that the metadata log says, at one offset. Immutable: a new one comes out of `applyRecords`; whoever holds one sees one consistent state.
 */
export interface MetadataImage {
  /** The offset of the last record that is in it, -1 for none. */
  readonly offset: number
  /** The epoch of the quorum's leader at that offset. */
  readonly epoch: number
  readonly topicsByName: ReadonlyMap<string, TopicImage>
  readonly topicsById: ReadonlyMap<string, TopicImage>
  /** The configs set on a resource, by `configKey(type, name)`; a resource without any is absent. */
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly brokers: ReadonlyMap<number, BrokerImage>
  readonly features: ReadonlyMap<string, number>
  /** The first producer id that belongs to no block yet. */
  readonly nextProducerId: number
}

export const EMPTY_IMAGE: MetadataImage = {
  offset: -1,
  epoch: 0,
  topicsByName: new Map(),
  topicsById: new Map(),
  configs: new Map(),
  brokers: new Map(),
  features: new Map(),
  nextProducerId: 0,
}

/** The key of a resource in `MetadataImage.configs`. */
export function configKey(type: number, name: string): string {
  return `${type}:${name}`
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map()

/** The configs that were set on a topic (not its defaults). */
export function topicConfigsOf(image: MetadataImage, topic: string): ReadonlyMap<string, string> {
  return image.configs.get(configKey(ResourceType.TOPIC, topic)) ?? NO_CONFIGS
}
