import { PersistentMap } from './persistent-map.ts'
import type { UnknownTag } from './unknown-tags.ts'

/**
 * Fields of a partition that only Apache Kafka writes: reassignments, recovery and eligible
 * leaders.
 */
export interface PartitionExtras {
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly leaderRecoveryState: number
  readonly eligibleLeaderReplicas: readonly number[] | null
  readonly lastKnownElr: readonly number[] | null
}

/** A partition in the metadata. Source: PartitionRecord.json of Kafka 4.3. */
export interface PartitionImage {
  readonly partition: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** The node id of the leader. -1 if there is no leader. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /**
   * The ids (base64url) of the log directories that contain the replicas, in the order of
   * `replicas`.
   */
  readonly directories: readonly string[]
  /** Absent if all these fields have their default values. */
  readonly extras?: PartitionExtras
}

/** A topic. A partition's number is its index in `partitions`. */
export interface TopicImage {
  readonly name: string
  /** The topic id: Kafka's Uuid in base64url, which has 22 characters. */
  readonly id: string
  readonly partitions: readonly PartitionImage[]
}

export interface EndpointImage {
  readonly name: string
  readonly host: string
  readonly port: number
  /** The security protocol: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
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
  readonly cordonedLogDirs: readonly string[] | null
  readonly features: readonly FeatureRange[]
}

/** The range of levels that a broker supports for a feature. */
export interface FeatureRange {
  readonly name: string
  readonly minSupportedVersion: number
  readonly maxSupportedVersion: number
}

/** An unchanged record that Millrace does not use. Metadata snapshots contain it again. */
export interface KeptRecord {
  /** The position of the record among all kept records. */
  readonly order: number
  readonly bytes: Buffer
}

/**
 * The unchanged control records about the quorum, from the log and its snapshots. A field is null
 * if no such record exists.
 */
export interface QuorumRecords {
  readonly kraftVersion: Buffer | null
  readonly voters: Buffer | null
}

/** The types of resources that have configs, from Kafka's ConfigResource.Type. */
export const ResourceType = {
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const

/**
 * The metadata at one offset of the metadata log. Images are immutable: `applyRecords` returns a
 * new image. A reference to an image therefore always shows one consistent state.
 */
export interface MetadataImage {
  /** The offset of the last applied record. -1 if no record was applied. */
  readonly offset: number
  /** The epoch of the quorum's leader at that offset. */
  readonly epoch: number
  /** The timestamp of the last batch, in milliseconds. */
  readonly timestamp: number
  readonly topicsByName: ReadonlyMap<string, TopicImage>
  readonly topicsById: ReadonlyMap<string, TopicImage>
  /** The names of topics that contain a dot or an underscore, by `collisionKey`. */
  readonly collisions: ReadonlyMap<string, readonly string[]>
  /**
   * The configs that are set on a resource, by `configKey(type, name)`. Does not contain resources
   * without configs.
   */
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly brokers: ReadonlyMap<number, BrokerImage>
  readonly features: ReadonlyMap<string, number>
  /** The first producer id that is not in a block yet. */
  readonly nextProducerId: number
  /**
   * Records that are kept for Apache Kafka (ACLs, SCRAM credentials, quotas ...) or for a newer
   * version of Millrace. See kept-records.ts.
   */
  readonly kept: ReadonlyMap<string, KeptRecord>
  /** The `order` of the next kept record. */
  readonly keptOrder: number
  /** Tagged fields that this version of Millrace does not know, by `tagKeys`. */
  readonly unknownTags: ReadonlyMap<string, readonly UnknownTag[]>
  readonly quorum: QuorumRecords
}

export const EMPTY_IMAGE: MetadataImage = {
  offset: -1,
  epoch: 0,
  timestamp: 0,
  topicsByName: PersistentMap.empty(),
  topicsById: PersistentMap.empty(),
  collisions: PersistentMap.empty(),
  configs: PersistentMap.empty(),
  brokers: new Map(),
  features: new Map(),
  nextProducerId: 0,
  kept: PersistentMap.empty(),
  keptOrder: 0,
  unknownTags: PersistentMap.empty(),
  quorum: { kraftVersion: null, voters: null },
}

/** What differs between an image and a later image. The two images contain the details. */
export interface ImageDelta {
  /** The ids of topics that were created, changed or removed. */
  readonly topicIds: ReadonlySet<string>
  /** The resources whose configs changed, by `configKey`. */
  readonly configKeys: ReadonlySet<string>
}

export function mergeDeltas(a: ImageDelta, b: ImageDelta): ImageDelta {
  return {
    topicIds: new Set([...a.topicIds, ...b.topicIds]),
    configKeys: new Set([...a.configKeys, ...b.configKeys]),
  }
}

/** Returns the key of a resource in `MetadataImage.configs`. */
export function configKey(type: number, name: string): string {
  return `${type}:${name}`
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map()

/** Returns the configs that are set on a topic, without defaults. */
export function topicConfigsOf(image: MetadataImage, topic: string): ReadonlyMap<string, string> {
  return image.configs.get(configKey(ResourceType.TOPIC, topic)) ?? NO_CONFIGS
}
