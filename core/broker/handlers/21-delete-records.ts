import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, errorFor, kafkaCodeOf } from '../../protocol/error-codes.ts'
import type { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { isInternalTopic } from '../quorum/topic-names.ts'
import type { Handler, RequestContext } from './handler.ts'
import { partitionProblem } from './shared.ts'

async function deleteBefore(topic: string, partition: number, offset: number, ctx: RequestContext) {
  const problem = partitionProblem(ctx.broker.image().topicsByName.get(topic)?.partitions[partition])
  if (problem !== ErrorCode.NONE) return { partitionIndex: partition, lowWatermark: -1, errorCode: problem }
  try {
    const log = ctx.broker.log(topic, partition)
    if (isInternalTopic(topic)) throw errorFor(ErrorCode.INVALID_TOPIC_EXCEPTION)
    if (!log.config.cleanupPolicy.includes('delete')) throw errorFor(ErrorCode.POLICY_VIOLATION)
    const lowWatermark = await log.deleteRecordsBefore(offset)
    return { partitionIndex: partition, lowWatermark }
  } catch (error) {
    return { partitionIndex: partition, lowWatermark: -1, errorCode: kafkaCodeOf(error) }
  }
}

/** Handles DeleteRecords requests. Advances the log start offset of each partition. */
export const deleteRecordsHandler: Handler<
  Message<typeof DeleteRecordsRequest>,
  MessageInput<typeof DeleteRecordsResponse>
> = {
  key: ApiKey.DeleteRecords,
  async handle(request, ctx) {
    // If the request contains a partition twice, the last offset applies.
    const requested = new Map<string, Map<number, number>>()
    for (const { name, partitions } of request.topics) {
      const last = requested.get(name) ?? new Map<number, number>()
      for (const p of partitions) last.set(p.partitionIndex, p.offset)
      if (last.size > 0) requested.set(name, last)
    }
    const topics = await Promise.all(
      [...requested].map(async ([name, last]) => {
        const done = [...last].map(([partition, offset]) => deleteBefore(name, partition, offset, ctx))
        return { name, partitions: await Promise.all(done) }
      }),
    )
    return { topics }
  },
}
