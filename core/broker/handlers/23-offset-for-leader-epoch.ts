import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, kafkaCodeOf } from '../../protocol/error-codes.ts'
import type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/23-offset-for-leader-epoch.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { Handler } from './handler.ts'
import { partitionProblem } from './shared.ts'

/**
 * Handles OffsetForLeaderEpoch requests. Returns the end offset of a leader epoch. Clients use the
 * offset to detect that a log was truncated (KIP-320).
 */
export const offsetForLeaderEpochHandler: Handler<
  Message<typeof OffsetForLeaderEpochRequest>,
  MessageInput<typeof OffsetForLeaderEpochResponse>
> = {
  key: ApiKey.OffsetForLeaderEpoch,
  handle(request, ctx) {
    const image = ctx.broker.image()
    return {
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
          const known = image.topicsByName.get(topic)?.partitions[partition]
          const wrong = partitionProblem(known, currentLeaderEpoch)
          if (!known || wrong !== ErrorCode.NONE) return { partition, errorCode: wrong, leaderEpoch: -1, endOffset: -1 }
          try {
            const log = ctx.broker.log(topic, partition)
            // The current epoch ends at the high watermark, because clients cannot read further.
            if (leaderEpoch === known.leaderEpoch) return { partition, leaderEpoch, endOffset: log.highWatermark }
            if (leaderEpoch > known.leaderEpoch) return { partition, leaderEpoch: -1, endOffset: -1 }
            const end = log.endOffsetForEpoch(leaderEpoch)
            return { partition, leaderEpoch: end.epoch, endOffset: end.endOffset }
          } catch (error) {
            return { partition, errorCode: kafkaCodeOf(error), leaderEpoch: -1, endOffset: -1 }
          }
        }),
      })),
    }
  },
}
