import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/43-elect-leaders.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { Handler } from './handler.ts'

/**
 * Handles ElectLeaders requests. With a single node, the preferred replica is always the leader, so
 * no election is needed.
 */
export const electLeadersHandler: Handler<
  Message<typeof ElectLeadersRequest>,
  MessageInput<typeof ElectLeadersResponse>
> = {
  key: ApiKey.ElectLeaders,
  handle({ electionType, topicPartitions }, ctx) {
    if (electionType !== 0 && electionType !== 1) {
      const errorMessage = `Unknown election type ${electionType}`
      const refusal = { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
      const refused = (topicPartitions ?? []).map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map(partitionId => ({ partitionId, ...refusal })),
      }))
      return { errorCode: ErrorCode.INVALID_REQUEST, replicaElectionResults: refused }
    }
    const image = ctx.broker.image()
    if (topicPartitions === null)
      return { replicaElectionResults: [...image.topicsByName.keys()].map(topic => ({ topic, partitionResult: [] })) }
    return {
      replicaElectionResults: topicPartitions.map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map(partitionId => {
          const known = image.topicsByName.get(topic)
          if (known?.partitions[partitionId])
            return {
              partitionId,
              errorCode: ErrorCode.ELECTION_NOT_NEEDED,
              errorMessage: 'Leader election not needed for topic partition.',
            }
          return {
            partitionId,
            errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
            errorMessage: known ? `No such partition as ${topic}-${partitionId}` : `No such topic as ${topic}`,
          }
        }),
      })),
    }
  },
}
