import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../protocol/messages/75-describe-topic-partitions.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { PartitionImage } from '../quorum/image.ts'
import { isInternalTopic, topicNameProblem } from '../quorum/topic-names.ts'
import type { Handler } from './handler.ts'
import { TOPIC_OPERATIONS } from './shared.ts'

type Request = Message<typeof DescribeTopicPartitionsRequest>
type Response = MessageInput<typeof DescribeTopicPartitionsResponse>
type Topic = NonNullable<Response['topics']>[number]

function partition(p: PartitionImage) {
  return {
    errorCode: p.leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
    partitionIndex: p.partition,
    leaderId: p.leader,
    leaderEpoch: p.leaderEpoch,
    replicaNodes: p.replicas,
    isrNodes: p.isr,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
  }
}

/**
 * Handles DescribeTopicPartitions requests. Returns the requested topics, with a limited number of
 * partitions per response. The cursor in a response shows where the next request must continue
 * (KIP-966).
 */
export const describeTopicPartitionsHandler: Handler<Request, Response> = {
  key: ApiKey.DescribeTopicPartitions,
  handle({ topics: requested, responsePartitionLimit, cursor }, ctx) {
    const image = ctx.broker.image()
    if (cursor && cursor.partitionIndex < 0)
      throw errorFor(
        ErrorCode.INVALID_REQUEST,
        `DescribeTopicPartitionsRequest cursor partition must be valid: ${cursor.partitionIndex}`,
      )
    const all = requested.length === 0
    if (cursor && !all && !requested.some(t => t.name === cursor.topicName))
      throw errorFor(
        ErrorCode.INVALID_REQUEST,
        `DescribeTopicPartitionsRequest topic list should contain the cursor topic: ${cursor.topicName}`,
      )
    const names = [...new Set(all ? image.topicsByName.keys() : requested.map(t => t.name))].sort()
    const limit = Math.max(
      1,
      Math.min(responsePartitionLimit, ctx.broker.config.values['max.request.partition.size.limit']),
    )
    const topics: Topic[] = []
    let remaining = limit
    for (const name of names) {
      if (cursor && name < cursor.topicName) continue
      if (remaining === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
      const isInternal = isInternalTopic(name)
      const topic = image.topicsByName.get(name)
      if (!topic) {
        const errorCode =
          topicNameProblem(name) === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
        topics.push({ errorCode, name, isInternal, topicAuthorizedOperations: TOPIC_OPERATIONS })
        continue
      }
      const from = cursor && name === cursor.topicName ? cursor.partitionIndex : 0
      const shown = topic.partitions.slice(from, from + remaining)
      remaining -= shown.length
      topics.push({
        name,
        topicId: topic.id,
        isInternal,
        partitions: shown.map(partition),
        topicAuthorizedOperations: TOPIC_OPERATIONS,
      })
      const next = from + shown.length
      if (next < topic.partitions.length) return { topics, nextCursor: { topicName: name, partitionIndex: next } }
    }
    return { topics, nextCursor: null }
  },
  onError: (errorCode, request) => ({
    topics: request.topics.map(({ name }) => ({ name, errorCode })),
    nextCursor: null,
  }),
}
