import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, errorMessage } from '../../protocol/error-codes.ts'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { MetadataImage } from '../quorum/image.ts'
import type { Handler } from './handler.ts'
import { duplicates, findTopic } from './shared.ts'

type Request = Message<typeof DeleteTopicsRequest>
type Response = MessageInput<typeof DeleteTopicsResponse>
type Result = NonNullable<Response['responses']>[number]

interface RequestedTopic {
  readonly name: string | null
  readonly topicId: string
}

function refused({ name, topicId }: RequestedTopic, errorCode: number, message = errorMessage(errorCode)): Result {
  return { name, topicId, errorCode, errorMessage: message }
}

interface DeletionPlan {
  /** The topics to delete, by topic id. */
  readonly ids: ReadonlyMap<string, RequestedTopic>
  readonly refusals: readonly Result[]
}

const invalid = (a: RequestedTopic, message: string) => refused(a, ErrorCode.INVALID_REQUEST, message)

/**
 * Sorts the requested topics into deletions and errors. As in Kafka's ControllerApis, a topic that
 * the request names more than once is not deleted.
 */
function planDeletions(requested: readonly RequestedTopic[], image: MetadataImage): DeletionPlan {
  const refusals: Result[] = []
  const single: RequestedTopic[] = []
  for (const a of requested) {
    const [byName, byId] = [a.name !== null, a.topicId !== ZERO_UUID]
    if (byName && byId) refusals.push(invalid(a, 'You may not specify both topic name and topic id.'))
    else if (!byName && !byId) refusals.push(invalid(a, 'Neither topic name nor id were specified.'))
    else single.push(a)
  }
  const named = single.filter(a => a.name !== null)
  const identified = single.filter(a => a.name === null)
  const twiceByName = duplicates(named.map(a => a.name!))
  const twiceById = duplicates(identified.map(a => a.topicId))
  for (const name of twiceByName) refusals.push(invalid({ name, topicId: ZERO_UUID }, 'Duplicate topic name.'))
  for (const topicId of twiceById) refusals.push(invalid({ name: null, topicId }, 'Duplicate topic id.'))
  const ids = new Map<string, RequestedTopic>()
  for (const a of identified) {
    if (twiceById.has(a.topicId)) continue
    if (image.topicsById.has(a.topicId)) ids.set(a.topicId, a)
    else refusals.push(refused(a, ErrorCode.UNKNOWN_TOPIC_ID))
  }
  for (const a of named) {
    if (twiceByName.has(a.name!)) continue
    const topic = findTopic(image, a.name!, ZERO_UUID)
    if (!topic) refusals.push(refused(a, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
    else if (ids.delete(topic.id) || twiceById.has(topic.id)) {
      const both = { name: a.name, topicId: topic.id }
      refusals.push(invalid(both, 'The provided topic name maps to an ID that was already supplied.'))
    } else ids.set(topic.id, a)
  }
  return { ids, refusals }
}

/** Handles DeleteTopics requests, in which topics are identified by name or by id. */
export const deleteTopicsHandler: Handler<Request, Response> = {
  key: ApiKey.DeleteTopics,
  async handle(request, ctx) {
    const requested: RequestedTopic[] =
      ctx.apiVersion >= 6 ? request.topics : request.topicNames.map(name => ({ name, topicId: ZERO_UUID }))
    if (!ctx.broker.config.values['delete.topic.enable']) {
      const code = ctx.apiVersion < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED
      return { responses: requested.map(a => refused(a, code)) }
    }
    const { ids, refusals } = planDeletions(requested, ctx.broker.image())
    const outcomes = await ctx.broker.controller.deleteTopics([...ids.keys()])
    const results = [...ids].map(([id, a], i): Result => {
      const outcome = outcomes[i]!
      if (outcome.error)
        return refused(a, a.name === null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      return { name: outcome.value.name, topicId: id, errorMessage: null }
    })
    return { responses: [...refusals, ...results] }
  },
  onError: (errorCode, request) => ({
    responses: [...request.topics, ...request.topicNames.map(name => ({ name, topicId: ZERO_UUID }))].map(t =>
      refused(t, errorCode),
    ),
  }),
}
