import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, kafkaCodeOf } from '../../protocol/error-codes.ts'
import type {
  DescribeProducersRequest,
  DescribeProducersResponse,
} from '../../protocol/messages/61-describe-producers.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { topicNameProblem } from '../quorum/topic-names.ts'
import type { Handler, RequestContext } from './handler.ts'
import { detailOf, partitionProblem } from './shared.ts'

type Request = Message<typeof DescribeProducersRequest>

function producersOf(topic: string, partitionIndex: number, ctx: RequestContext) {
  const badName = topicNameProblem(topic)
  if (badName !== null) return { partitionIndex, errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: badName }
  const errorCode = partitionProblem(ctx.broker.image().topicsByName.get(topic)?.partitions[partitionIndex])
  if (errorCode !== ErrorCode.NONE) return { partitionIndex, errorCode, errorMessage: null }
  try {
    const states = ctx.broker.log(topic, partitionIndex).producerStates()
    return { partitionIndex, activeProducers: states }
  } catch (error) {
    return { partitionIndex, errorCode: kafkaCodeOf(error), errorMessage: detailOf(error) }
  }
}

/**
 * Returns each requested partition once. If repetitions were answered, a small request could cause
 * a huge response.
 */
function onceEach(topics: Request['topics']): Map<string, Set<number>> {
  const requested = new Map<string, Set<number>>()
  for (const { name, partitionIndexes } of topics) {
    const partitions = requested.get(name) ?? new Set()
    for (const p of partitionIndexes) partitions.add(p)
    requested.set(name, partitions)
  }
  return requested
}

/**
 * Handles DescribeProducers requests. Returns the idempotent producers of each partition, with
 * their last sequence numbers (KIP-664).
 */
export const describeProducersHandler: Handler<Request, MessageInput<typeof DescribeProducersResponse>> = {
  key: ApiKey.DescribeProducers,
  handle({ topics }, ctx) {
    return {
      topics: [...onceEach(topics)].map(([name, partitions]) => ({
        name,
        partitions: [...partitions].map(p => producersOf(name, p, ctx)),
      })),
    }
  },
}
