import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, errorMessage } from '../../protocol/error-codes.ts'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { MetadataImage } from '../quorum/image.ts'
import type { Handler } from './handler.ts'
import { duplicates, findTopic, missingTopicCode } from './shared.ts'

type Request = Message<typeof DeleteTopicsRequest>
type Response = MessageInput<typeof DeleteTopicsResponse>
type Result = NonNullable<Response['responses']>[number]

interface Asked {
  readonly name: string | null
  readonly topicId: string
}

function refused({ name, topicId }: Asked, errorCode: number, message = errorMessage(errorCode)): Result {
  return { name, topicId, errorCode, errorMessage: message }
}

/** What a request asks for: topic ids to delete, and what is refused before that. */
function sortOut(asked: readonly Asked[], image: MetadataImage): { ids: Map<string, Asked>; refusals: Result[] } {
  const ids = new Map<string, Asked>()
  const refusals: Result[] = []
  const twiceByName = duplicates(asked.flatMap(a => (a.name === null || a.topicId !== ZERO_UUID ? [] : [a.name])))
  const twiceById = duplicates(asked.flatMap(a => (a.name !== null || a.topicId === ZERO_UUID ? [] : [a.topicId])))
  const told = new Set<string>()
  for (const a of asked) {
    const byName = a.name !== null
    const byId = a.topicId !== ZERO_UUID
    const topic = findTopic(image, a.name ?? '', a.topicId)
    if (byName && byId)
      refusals.push(refused(a, ErrorCode.INVALID_REQUEST, 'You may not specify both topic name and topic id.'))
    else if (!byName && !byId)
      refusals.push(refused(a, ErrorCode.INVALID_REQUEST, 'Neither topic name nor id were specified.'))
    else if (byName ? twiceByName.has(a.name) : twiceById.has(a.topicId)) {
      const key = a.name ?? a.topicId
      const what = byName ? 'Duplicate topic name.' : 'Duplicate topic id.'
      if (!told.has(key)) refusals.push(refused(a, ErrorCode.INVALID_REQUEST, what))
      told.add(key)
    } else if (!topic) refusals.push(refused(a, missingTopicCode(a.topicId)))
    else if (ids.has(topic.id)) {
      refusals.push(
        refused(a, ErrorCode.INVALID_REQUEST, 'The provided topic name maps to an ID that was already supplied.'),
      )
    } else ids.set(topic.id, a)
  }
  return { ids, refusals }
}

/** DeleteTopics, by name or by id. */
export const deleteTopicsHandler: Handler<Request, Response> = {
  key: ApiKey.DeleteTopics,
  async handle(request, ctx) {
    const asked: Asked[] =
      ctx.apiVersion >= 6 ? request.topics : request.topicNames.map(name => ({ name, topicId: ZERO_UUID }))
    if (!ctx.broker.config.values['delete.topic.enable']) {
      const code = ctx.apiVersion < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED
      return { responses: asked.map(a => refused(a, code)) }
    }
    const { ids, refusals } = sortOut(asked, ctx.broker.image())
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
