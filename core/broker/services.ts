import type { Logger } from '../common/log.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import type { LogManager, PartitionLog } from './log/types.ts'
import type { Controller } from './quorum/controller-api.ts'
import type { MetadataImage } from './quorum/image.ts'
import type { ImageListener } from './quorum/publisher.ts'

/** What the coordinators and the handlers stand on: who this broker is, the metadata and the logs. */
export interface BaseServices {
  readonly config: BrokerConfig
  readonly nodeId: number
  readonly clusterId: string
  readonly logger: Logger
  /** Milliseconds since the epoch. */
  now(): number
  /** The metadata as it is now. Take it once per request: it never changes under your hands. */
  image(): MetadataImage
  /**
   * Calls back synchronously after each change of the image, with the changes. New logs exist by
   * then, and removed ones are no longer handed out. Returns a function that unsubscribes.
   */
  onImage(listener: ImageListener): () => void
  readonly logs: LogManager
  /** A partition's log. Throws a KafkaError: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER or KAFKA_STORAGE_ERROR. */
  log(topic: string, partition: number): PartitionLog
  readonly controller: Controller
  /** Aborted when the broker begins to stop. */
  readonly signal: AbortSignal
}
