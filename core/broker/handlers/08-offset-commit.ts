import {
  ApiKey,
  ErrorCode,
  type Message,
  type MessageInput,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from '../../protocol/index.ts'
import type { TopicPartitionOffset } from '../coordinator/shard.ts'
import type { MetadataImage, TopicImage } from '../quorum/image.ts'
import type { Handler, RequestContext } from './handler.ts'

type Request = Message<typeof OffsetCommitRequest>
type Response = MessageInput<typeof OffsetCommitResponse>
type Topic = Request['topics'][number]
type Partition = Topic['partitions'][number]

/** Returns the topic that a request names: by its name before v10, by its id since then. */
function topicOf(image: MetadataImage, topic: Topic, version: number): TopicImage | undefined {
  return version >= 10 ? image.topicsById.get(topic.topicId) : image.topicsByName.get(topic.name)
}

/**
 * Handles OffsetCommit requests. Appends all valid offsets together, then answers. Each offset that
 * is not valid gets its own error.
 */
export const offsetCommitHandler: Handler<Request, Response> = {
  key: ApiKey.OffsetCommit,
  async handle(request, ctx) {
    const { broker, apiVersion } = ctx
    const image = broker.image()
    const maxMetadata = broker.config.values['offset.metadata.max.bytes']
    const accepted: TopicPartitionOffset[] = []
    const check = (topic: TopicImage | undefined, p: Partition) => {
      if (!topic) return apiVersion >= 10 ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      if (!topic.partitions[p.partitionIndex]) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      if ((p.committedMetadata?.length ?? 0) > maxMetadata) return ErrorCode.OFFSET_METADATA_TOO_LARGE
      accepted.push(offsetOf(request, topic, p, ctx))
      return ErrorCode.NONE
    }
    const requested = request.topics.filter(t => t.partitions.length > 0)
    const topics = requested.map(t => {
      const topic = topicOf(image, t, apiVersion)
      const partitions = t.partitions.map(p => ({ partitionIndex: p.partitionIndex, errorCode: check(topic, p) }))
      return { name: t.name, topicId: t.topicId, partitions }
    })
    if (accepted.length === 0) return { topics }
    const code = await broker.coordinators.groups.commit(
      request.groupId,
      {
        memberId: request.memberId,
        groupInstanceId: request.groupInstanceId,
        generationId: request.generationIdOrMemberEpoch,
        unknownGroupCode: apiVersion >= 9 ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION,
      },
      accepted,
    )
    if (code === ErrorCode.NONE) return { topics }
    return {
      topics: topics.map(t => ({
        ...t,
        partitions: t.partitions.map(p => ({ ...p, errorCode: p.errorCode === ErrorCode.NONE ? code : p.errorCode })),
      })),
    }
  },
  onError: (errorCode, request) => ({
    topics: request.topics.map(t => ({
      name: t.name,
      topicId: t.topicId,
      partitions: t.partitions.map(p => ({ partitionIndex: p.partitionIndex, errorCode })),
    })),
  }),
}

function offsetOf(request: Request, topic: TopicImage, p: Partition, ctx: RequestContext): TopicPartitionOffset {
  const now = ctx.broker.now()
  const offset = {
    offset: p.committedOffset,
    leaderEpoch: p.committedLeaderEpoch,
    metadata: p.committedMetadata ?? '',
    commitTimestamp: now,
    expireTimestamp: request.retentionTimeMs === -1 ? null : now + request.retentionTimeMs,
    topicId: topic.id,
  }
  return { topic: topic.name, partition: p.partitionIndex, offset }
}
