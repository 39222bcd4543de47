import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, errorFor, kafkaCodeOf } from '../../protocol/error-codes.ts'
import type { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts'
import * as header from '../../protocol/records/batch-header.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { claimsTransaction, singleBatch } from '../log/validation/check-header.ts'
import { RecordsRejected } from '../log/validation/rules.ts'
import type { TopicStats } from '../metrics/broker-stats.ts'
import type { TopicImage } from '../quorum/image.ts'
import { isInternalTopic } from '../quorum/topic-names.ts'
import type { Handler, RequestContext } from './handler.ts'
import { detailOf, findTopic, missingTopicCode, partitionProblem } from './shared.ts'

type Request = Message<typeof ProduceRequest>
type Response = MessageInput<typeof ProduceResponse>
type PartitionData = Request['topicData'][number]['partitionData'][number]
type PartitionResponse = NonNullable<NonNullable<Response['responses']>[number]['partitionResponses']>[number]

/** The client id of Kafka's own admin tools, which may write to internal topics. */
const ADMIN_CLIENT_ID = '__admin_client'

/** Stands for an unknown offset in a response. */
const NO_OFFSET = -1
/** The error codes with which Kafka omits the log start offset. */
const WITHOUT_LOG_START = new Set<number>([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

function refused(index: number, error: unknown, logStartOffset = NO_OFFSET): PartitionResponse {
  const errorCode = typeof error === 'number' ? error : kafkaCodeOf(error)
  return {
    index,
    errorCode,
    baseOffset: NO_OFFSET,
    logAppendTimeMs: -1,
    logStartOffset: WITHOUT_LOG_START.has(errorCode) ? NO_OFFSET : logStartOffset,
    recordErrors: recordErrorsOf(error),
    errorMessage: detailOf(error),
  }
}

/** Returns the invalid records of a rejected batch (KIP-467). */
function recordErrorsOf(error: unknown) {
  if (!(error instanceof RecordsRejected)) return []
  return error.recordErrors.map(e => ({ batchIndex: e.index, batchIndexErrorMessage: e.message }))
}

/** Whether a batch of the request claims to belong to a transaction. */
function hasTransactions(request: Request): boolean {
  return request.topicData.some(t => t.partitionData.some(p => claimsTransaction(p.records)))
}

/** Returns an error code for the whole request. If there is an error, nothing is appended. */
function requestProblem(request: Request): number {
  if (request.acks < -1 || request.acks > 1) return ErrorCode.INVALID_REQUIRED_ACKS
  if (request.transactionalId === null && hasTransactions(request)) {
    return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  }
  return ErrorCode.NONE
}

function topicProblem(topic: TopicImage | undefined, topicId: string, ctx: RequestContext): number {
  if (!topic) return ctx.apiVersion >= 13 ? ErrorCode.UNKNOWN_TOPIC_ID : missingTopicCode(topicId)
  if (isInternalTopic(topic.name) && ctx.clientId !== ADMIN_CLIENT_ID) return ErrorCode.INVALID_TOPIC_EXCEPTION
  return ErrorCode.NONE
}

/**
 * Appends to one partition. The append is queued before the first await, which keeps the order of
 * requests.
 */
async function append(
  { index, records }: PartitionData,
  topic: TopicImage,
  ctx: RequestContext,
): Promise<PartitionResponse> {
  let logStartOffset = NO_OFFSET
  const stats = ctx.broker.stats.topic(topic.name)
  stats.produceRequests++
  const bytes = records?.length ?? 0
  try {
    const batch = singleBatch(records, ctx.apiVersion)
    const log = ctx.broker.log(topic.name, index)
    logStartOffset = log.logStartOffset
    // Transactions are not supported yet, so no producer can have started a transaction.
    if (claimsTransaction(batch) && header.producerId(batch, 0) >= 0) throw errorFor(ErrorCode.INVALID_TXN_STATE)
    const leaderEpoch = topic.partitions[index]?.leaderEpoch ?? 0
    const done = await log.append(batch, { origin: 'client', leaderEpoch })
    if (!done.duplicate) {
      stats.messagesIn += done.lastOffset - done.baseOffset + 1
      stats.bytesIn += bytes
    }
    return {
      index,
      baseOffset: done.baseOffset,
      logAppendTimeMs: done.logAppendTime,
      logStartOffset: done.logStartOffset,
    }
  } catch (error) {
    if (kafkaCodeOf(error) === ErrorCode.UNKNOWN_SERVER_ERROR)
      ctx.broker.logger.error(`Cannot append to ${topic.name}-${index}`, error)
    countFailure(stats, kafkaCodeOf(error), bytes)
    return refused(index, error, logStartOffset)
  }
}

/**
 * The error codes that do not count as failed requests. As in Kafka, only unexpected errors count.
 */
const NOT_FAILED = new Set<number>([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

function countFailure(stats: TopicStats, code: number, bytes: number): void {
  if (code === ErrorCode.MESSAGE_TOO_LARGE || code === ErrorCode.RECORD_LIST_TOO_LARGE) stats.bytesRejected += bytes
  if (!NOT_FAILED.has(code)) stats.failedProduceRequests++
}

/**
 * Handles Produce requests. The log stores the bytes of the records unchanged. Requests of one
 * connection overlap, and their order is kept: each request queues its appends before the next
 * request begins.
 */
export const produceHandler: Handler<Request, Response> = {
  key: ApiKey.Produce,
  overlaps: true,
  handle(request, ctx) {
    const image = ctx.broker.image()
    const { acks } = request
    const problem = requestProblem(request)
    const pending: Promise<void>[] = []
    const stats = ctx.broker.stats.api(ApiKey.Produce, 'Produce')
    const responses = request.topicData.map(({ name, topicId, partitionData }) => {
      const topic = findTopic(image, name, topicId)
      const code = problem || topicProblem(topic, topicId, ctx)
      const partitionResponses: PartitionResponse[] = new Array(partitionData.length)
      for (const [i, data] of partitionData.entries()) {
        const problem = code || partitionProblem(topic?.partitions[data.index])
        if (!topic || problem !== ErrorCode.NONE) {
          partitionResponses[i] = refused(data.index, problem)
          stats.error(problem)
          continue
        }
        const done = append(data, topic, ctx)
        pending.push(
          done.then(response => {
            partitionResponses[i] = response
            stats.error(response.errorCode ?? ErrorCode.NONE)
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

/**
 * Completes a request with acks=0. Such a request has no response, so an error closes the
 * connection, as in Kafka.
 */
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
