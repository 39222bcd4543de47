import { ErrorCode, errorMessage, kafkaCodeOf } from '../../protocol/error-codes.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../quorum/image.ts'

/** The operations that everybody may do while there is no authorizer: bits by AclOperation, as Kafka answers. */
export const CLUSTER_OPERATIONS = 8096
export const TOPIC_OPERATIONS = 3576
/** "Not asked for." */
export const NO_OPERATIONS = -2147483648

/** A topic of a request, which names it or gives its id (KIP-516). */
export function findTopic(image: MetadataImage, name: string, topicId: string): TopicImage | undefined {
  return topicId === ZERO_UUID ? image.topicsByName.get(name) : image.topicsById.get(topicId)
}

/** What is wrong with a topic that `findTopic` did not find. */
export function missingTopicCode(topicId: string): number {
  return topicId === ZERO_UUID ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_TOPIC_ID
}

/** Compares the leader epoch that a client believes in with the partition's (KIP-320); -1 is none. */
export function leaderEpochProblem(epoch: number, partition: PartitionImage): number {
  if (epoch === -1 || epoch === partition.leaderEpoch) return ErrorCode.NONE
  return epoch < partition.leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH
}

/** What is wrong with a partition of a request. A code, since requests may name hundreds of thousands, and each error made takes ten microseconds. */
export function partitionProblem(known: PartitionImage | undefined, epoch = -1): number {
  return known ? leaderEpochProblem(epoch, known) : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

/** An error's own words; null when it only says what its code says anyway. */
export function detailOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('detail' in error) || typeof error.detail !== 'string') return null
  return error.detail === errorMessage(kafkaCodeOf(error)) ? null : error.detail
}

/** The names that stand in a list more than once. */
export function duplicates<T>(items: Iterable<T>): Set<T> {
  const seen = new Set<T>()
  const twice = new Set<T>()
  for (const item of items) {
    if (seen.has(item)) twice.add(item)
    seen.add(item)
  }
  return twice
}
