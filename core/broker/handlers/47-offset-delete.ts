import {
  ApiKey,
  ErrorCode,
  type Message,
  type MessageInput,
  type OffsetDeleteRequest,
  type OffsetDeleteResponse,
} from '../../protocol/index.ts'
import type { Handler } from './handler.ts'

type Response = MessageInput<typeof OffsetDeleteResponse>

/** Handles OffsetDelete requests. Rejects topics to which a member of the group is subscribed. */
export const offsetDeleteHandler: Handler<Message<typeof OffsetDeleteRequest>, Response> = {
  key: ApiKey.OffsetDelete,
  async handle(request, ctx) {
    const { topicsByName } = ctx.broker.image()
    const exists = (topic: string, partition: number) => !!topicsByName.get(topic)?.partitions[partition]
    const which = request.topics.flatMap(t =>
      t.partitions
        .filter(p => exists(t.name, p.partitionIndex))
        .map(p => ({ topic: t.name, partition: p.partitionIndex })),
    )
    const done = await ctx.broker.coordinators.groups.deleteOffsets(request.groupId, which)
    if (typeof done === 'number') return { errorCode: done }
    const codeOf = (topic: string, partition: number) => {
      if (!exists(topic, partition)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      return done.subscribed.has(topic) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE
    }
    const requested = request.topics.filter(t => t.partitions.length > 0)
    const topics = requested.map(t => ({
      name: t.name,
      partitions: t.partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: codeOf(t.name, partitionIndex),
      })),
    }))
    return { topics }
  },
  onError: errorCode => ({ errorCode }),
}
