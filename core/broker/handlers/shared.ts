import { ErrorCode, errorMessage, kafkaCodeOf } from '../../protocol/error-codes.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../quorum/image.ts'

/**
 * The operations that every client may perform on the cluster, because there is no authorizer. The
 * bits are those of AclOperation, and the value equals Kafka's.
 */
export const CLUSTER_OPERATIONS = 8096
export const TOPIC_OPERATIONS = 3576
/** The value in a response if the client did not request the operations. */
export const NO_OPERATIONS = -2147483648

/** Finds a topic that a request identifies by name or by id (KIP-516). */
export function findTopic(image: MetadataImage, name: string, topicId: string): TopicImage | undefined {
  return topicId === ZERO_UUID ? image.topicsByName.get(name) : image.topicsById.get(topicId)
}

/** Returns the error code for a topic that `findTopic` did not find. */
export function missingTopicCode(topicId: string): number {
  return topicId === ZERO_UUID ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_TOPIC_ID
}

/**
 * Returns an error code if a client's leader epoch differs from that of the partition (KIP-320). -1
 * means that the client sent no epoch.
 */
export function leaderEpochProblem(epoch: number, partition: PartitionImage): number {
  if (epoch === -1 || epoch === partition.leaderEpoch) return ErrorCode.NONE
  return epoch < partition.leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH
}

/**
 * Returns the error code for a partition of a request. This is not an Error object: a request may
 * contain hundreds of thousands of partitions, and creating an Error takes ten microseconds.
 */
export function partitionProblem(known: PartitionImage | undefined, epoch = -1): number {
  return known ? leaderEpochProblem(epoch, known) : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

/**
 * Returns the message of an error, or null if it only repeats the description of the error code.
 */
export function detailOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('detail' in error) || typeof error.detail !== 'string') return null
  return error.detail === errorMessage(kafkaCodeOf(error)) ? null : error.detail
}

/** Returns the items that occur more than once. */
export function duplicates<T>(items: Iterable<T>): Set<T> {
  const seen = new Set<T>()
  const twice = new Set<T>()
  for (const item of items) {
    if (seen.has(item)) twice.add(item)
    seen.add(item)
  }
  return twice
}
