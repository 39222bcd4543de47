import {
  ApiKey,
  ErrorCode,
  type Message,
  type MessageInput,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  ZERO_UUID,
} from '../../protocol/index.ts'
import type { OffsetsView } from '../coordinator/group-coordinator.ts'
import { type CommittedOffset, isSameTopic } from '../coordinator/offsets/committed-offsets.ts'
import type { MetadataImage } from '../quorum/image.ts'
import type { Handler, RequestContext } from './handler.ts'

type Request = Message<typeof OffsetFetchRequest>
type Response = MessageInput<typeof OffsetFetchResponse>

interface RequestedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}

interface TopicOffsets {
  readonly name: string
  readonly topicId: string
  readonly partitions: {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedLeaderEpoch: number
    readonly metadata: string
    readonly errorCode: number
  }[]
}

/**
 * Handles OffsetFetch requests, for one group before v8 and for several groups since then.
 * Transactions are not supported yet, so every offset is stable.
 */
export const offsetFetchHandler: Handler<Request, Response> = {
  key: ApiKey.OffsetFetch,
  handle(request, ctx) {
    if (ctx.apiVersion >= 8)
      return {
        groups: allOffsetsOnce(request.groups).map(g => ({
          groupId: g.groupId,
          ...groupOffsets(g.groupId, g.topics, ctx),
        })),
      }
    const requested = request.topics?.map(t => ({ ...t, topicId: ZERO_UUID })) ?? null
    const { topics, errorCode } = groupOffsets(request.groupId, requested, ctx)
    // v1 has an error field only in its partitions.
    if (errorCode !== ErrorCode.NONE && ctx.apiVersion < 2)
      return { topics: requested?.map(t => topicOffsets(t, p => noOffset(p, errorCode))) ?? [] }
    return { topics, errorCode }
  },
  onError(errorCode, request, ctx) {
    if (ctx.apiVersion >= 8) return { groups: request.groups.map(g => ({ groupId: g.groupId, topics: [], errorCode })) }
    const requested = request.topics?.map(t => ({ ...t, topicId: ZERO_UUID })) ?? []
    return { topics: requested.map(t => topicOffsets(t, p => noOffset(p, errorCode))), errorCode }
  },
}

/**
 * Removes repeated requests for all offsets of the same group. Otherwise a small request could
 * cause a huge response.
 */
function allOffsetsOnce(groups: Request['groups']): Request['groups'] {
  const answered = new Set<string>()
  return groups.filter(({ groupId, topics }) => {
    if (topics !== null) return true
    if (answered.has(groupId)) return false
    answered.add(groupId)
    return true
  })
}

function groupOffsets(
  groupId: string,
  requested: readonly RequestedTopic[] | null,
  { broker, apiVersion }: RequestContext,
): { topics: TopicOffsets[]; errorCode: number } {
  const offsets = broker.coordinators.groups.offsets(groupId)
  if (typeof offsets === 'number') return { topics: [], errorCode: offsets }
  const image = broker.image()
  const byId = apiVersion >= 10
  const topics = requested ? requested.map(t => offsetsOf(offsets, t, byId, image)) : allOffsets(offsets, byId, image)
  return { topics, errorCode: ErrorCode.NONE }
}

function offsetsOf(offsets: OffsetsView, requested: RequestedTopic, byId: boolean, image: MetadataImage): TopicOffsets {
  const topic = byId ? image.topicsById.get(requested.topicId) : image.topicsByName.get(requested.name)
  if (byId && !topic) return topicOffsets(requested, p => noOffset(p, ErrorCode.UNKNOWN_TOPIC_ID))
  const name = topic?.name ?? requested.name
  return topicOffsets(requested, p => {
    const offset = offsets.find(name, p, topic?.id ?? ZERO_UUID)
    return offset ? committed(p, offset) : noOffset(p, ErrorCode.NONE)
  })
}

/** Returns all offsets of a group. Omits deleted topics if the response identifies topics by id. */
function allOffsets(offsets: OffsetsView, byId: boolean, image: MetadataImage): TopicOffsets[] {
  const topics: TopicOffsets[] = []
  for (const [name, partitions] of offsets.topics()) {
    const topicId = image.topicsByName.get(name)?.id ?? ZERO_UUID
    if (byId && topicId === ZERO_UUID) continue
    // Omit offsets that belong to an earlier topic with the same name.
    const current = [...partitions].filter(([, offset]) => isSameTopic(offset.topicId, topicId))
    if (current.length > 0)
      topics.push({ name, topicId, partitions: current.map(([p, offset]) => committed(p, offset)) })
  }
  return topics
}

function topicOffsets(
  requested: RequestedTopic,
  look: (partition: number) => TopicOffsets['partitions'][number],
): TopicOffsets {
  return { name: requested.name, topicId: requested.topicId, partitions: requested.partitionIndexes.map(look) }
}

function committed(partitionIndex: number, o: CommittedOffset): TopicOffsets['partitions'][number] {
  const { offset, leaderEpoch, metadata } = o
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode: 0 }
}

function noOffset(partitionIndex: number, errorCode: number): TopicOffsets['partitions'][number] {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode }
}
