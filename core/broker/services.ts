import type { Logger } from '../common/log.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import type { LogManager, PartitionLog } from './log/types.ts'
import type { Controller } from './quorum/controller-api.ts'
import type { MetadataImage } from './quorum/image.ts'
import type { ImageListener } from './quorum/publisher.ts'

/**
 * The services that the coordinators and handlers share: the broker's identity, its metadata and
 * its logs.
 */
export interface BaseServices {
  readonly config: BrokerConfig
  readonly nodeId: number
  readonly clusterId: string
  readonly logger: Logger
  /** The current time, in milliseconds since the epoch. */
  now(): number
  /**
   * The current metadata image. Images are immutable: take one per request and use it throughout.
   */
  image(): MetadataImage
  /**
   * Calls `listener` synchronously after each change of the image. When it is called, new logs
   * exist and removed logs are no longer returned. Returns a function that unsubscribes.
   */
  onImage(listener: ImageListener): () => void
  readonly logs: LogManager
  /**
   * Returns a partition's log. Throws a KafkaError: UNKNOWN_TOPIC_OR_PARTITION,
   * NOT_LEADER_OR_FOLLOWER or KAFKA_STORAGE_ERROR.
   */
  log(topic: string, partition: number): PartitionLog
  readonly controller: Controller
  /** Aborted when the broker begins to stop. */
  readonly signal: AbortSignal
}
