import { ApiKey } from '../../protocol/api-keys.ts'
import { kafkaCodeOf } from '../../protocol/error-codes.ts'
import type {
  DescribeProducersRequest,
  DescribeProducersResponse,
} from '../../protocol/messages/61-describe-producers.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { Handler, RequestContext } from './handler.ts'
import { detailOf } from './shared.ts'

function producersOf(topic: string, partitionIndex: number, ctx: RequestContext) {
  try {
    const states = ctx.broker.log(topic, partitionIndex).producerStates()
    return { partitionIndex, activeProducers: states }
  } catch (error) {
    return { partitionIndex, errorCode: kafkaCodeOf(error), errorMessage: detailOf(error) }
  }
}

/** DescribeProducers: who writes idempotently to a partition, and how far it has come (KIP-664). */
export const describeProducersHandler: Handler<
  Message<typeof DescribeProducersRequest>,
  MessageInput<typeof DescribeProducersResponse>
> = {
  key: ApiKey.DescribeProducers,
  handle({ topics }, ctx) {
    return {
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(p => producersOf(name, p, ctx)),
      })),
    }
  },
}
