import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, errorFor, kafkaCodeOf } from '../../protocol/error-codes.ts'
import type { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts'
import * as header from '../../protocol/records/batch-header.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { TopicImage } from '../quorum/image.ts'
import { isInternalTopic } from '../quorum/topic-names.ts'
import type { Handler, RequestContext } from './handler.ts'
import { detailOf, findTopic, missingTopicCode, partitionProblem } from './shared.ts'

type Request = Message<typeof ProduceRequest>
type Response = MessageInput<typeof ProduceResponse>
type PartitionData = Request['topicData'][number]['partitionData'][number]
type PartitionResponse = NonNullable<NonNullable<Response['responses']>[number]['partitionResponses']>[number]

/** The client with which Kafka's own admin tools may write to internal topics. */
const ADMIN_CLIENT_ID = '__admin_client'

function refused(index: number, code: number, message: string | null = null): PartitionResponse {
  return { index, errorCode: code, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1, errorMessage: message }
}

function refuseTopic(request: Request, topic: TopicImage | undefined, topicId: string, ctx: RequestContext): number {
  if (request.acks < -1 || request.acks > 1) return ErrorCode.INVALID_REQUIRED_ACKS
  // there are no transactions yet: nobody can have got this id from here
  if (request.transactionalId !== null) return ErrorCode.INVALID_TXN_STATE
  if (!topic) return missingTopicCode(topicId)
  if (isInternalTopic(topic.name) && ctx.clientId !== ADMIN_CLIENT_ID) return ErrorCode.INVALID_TOPIC_EXCEPTION
  return ErrorCode.NONE
}

/** A producer sends one batch for a partition, as Kafka's `ProduceRequest.validateRecords` demands; only replicas send more. */
function refuseMore(records: Buffer, version: number): void {
  const isWhole = (at: number) =>
    records.length - at >= header.HEADER_SIZE && header.batchSize(records, at) <= records.length - at
  if (!isWhole(0)) return
  const size = header.batchSize(records, 0)
  if (size < header.HEADER_SIZE || !isWhole(size)) return
  const detail = `Produce requests with version ${version} are only allowed to contain exactly one record batch per partition`
  throw errorFor(ErrorCode.INVALID_RECORD, detail)
}

/** Appends to one partition. The append is in line before the first await. */
async function append(
  { index, records }: PartitionData,
  topic: TopicImage,
  acks: number,
  ctx: RequestContext,
): Promise<PartitionResponse> {
  try {
    const log = ctx.broker.log(topic.name, index)
    const leaderEpoch = topic.partitions[index]?.leaderEpoch ?? 0
    if (records === null) throw errorFor(ErrorCode.INVALID_RECORD)
    refuseMore(records, ctx.apiVersion)
    const done = await log.append(records, { origin: 'client', leaderEpoch, requiredAcks: acks })
    return {
      index,
      baseOffset: done.baseOffset,
      logAppendTimeMs: done.logAppendTime,
      logStartOffset: done.logStartOffset,
    }
  } catch (error) {
    const code = kafkaCodeOf(error)
    if (code === ErrorCode.UNKNOWN_SERVER_ERROR)
      ctx.broker.logger.error(`Appending to ${topic.name}-${index} failed`, error)
    return refused(index, code, detailOf(error))
  }
}

/**
 * Produce. The records' bytes go to the log as they came. Requests of one connection overlap: each is in its partitions' lines before the next
 * begins, so order holds.
 */
export const produceHandler: Handler<Request, Response> = {
  key: ApiKey.Produce,
  overlaps: true,
  handle(request, ctx) {
    const image = ctx.broker.image()
    const { acks } = request
    const pending: Promise<void>[] = []
    const responses = request.topicData.map(({ name, topicId, partitionData }) => {
      const topic = findTopic(image, name, topicId)
      const code = refuseTopic(request, topic, topicId, ctx)
      const partitionResponses: PartitionResponse[] = new Array(partitionData.length)
      for (const [i, data] of partitionData.entries()) {
        const problem = code || partitionProblem(topic?.partitions[data.index])
        if (!topic || problem !== ErrorCode.NONE) {
          partitionResponses[i] = refused(data.index, problem)
          continue
        }
        const done = append(data, topic, acks, ctx)
        pending.push(
          done.then(response => {
            partitionResponses[i] = response
          }),
        )
      }
      return { name, topicId, partitionResponses }
    })
    const response = { responses }
    if (acks === 0) return unacknowledged(pending, response, ctx)
    return Promise.all(pending).then(() => {
      ctx.memory.requestIsDone()
      return response
    })
  },
}

/** With acks=0 a client hears of an error by the loss of its connection, as in Kafka. */
async function unacknowledged(
  pending: Promise<void>[],
  response: { responses: { partitionResponses: PartitionResponse[] }[] },
  ctx: RequestContext,
) {
  await Promise.all(pending)
  ctx.memory.requestIsDone()
  for (const { partitionResponses } of response.responses) {
    for (const { errorCode } of partitionResponses) {
      if (errorCode) throw errorFor(errorCode)
    }
  }
  return null
}
