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

interface Asked {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}

interface Told {
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

/** OffsetFetch, of one group before v8 and of several since. There are no transactions yet, so every offset is stable. */
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
    const asked = request.topics?.map(t => ({ ...t, topicId: ZERO_UUID })) ?? null
    const { topics, errorCode } = groupOffsets(request.groupId, asked, ctx)
    // v1 has no place for an error but the partitions.
    if (errorCode !== ErrorCode.NONE && ctx.apiVersion < 2)
      return { topics: asked?.map(t => told(t, p => nothing(p, errorCode))) ?? [] }
    return { topics, errorCode }
  },
  onError(errorCode, request, ctx) {
    if (ctx.apiVersion >= 8) return { groups: request.groups.map(g => ({ groupId: g.groupId, topics: [], errorCode })) }
    const asked = request.topics?.map(t => ({ ...t, topicId: ZERO_UUID })) ?? []
    return { topics: asked.map(t => told(t, p => nothing(p, errorCode))), errorCode }
  },
}

/** A group's name is short and its offsets are many: whoever asks for all of them is told them once. */
function allOffsetsOnce(groups: Request['groups']): Request['groups'] {
  const told = new Set<string>()
  return groups.filter(({ groupId, topics }) => {
    if (topics !== null) return true
    if (told.has(groupId)) return false
    told.add(groupId)
    return true
  })
}

function groupOffsets(
  groupId: string,
  asked: readonly Asked[] | null,
  { broker, apiVersion }: RequestContext,
): { topics: Told[]; errorCode: number } {
  const offsets = broker.coordinators.groups.offsets(groupId)
  if (typeof offsets === 'number') return { topics: [], errorCode: offsets }
  const image = broker.image()
  const byId = apiVersion >= 10
  const topics = asked ? asked.map(t => offsetsOf(offsets, t, byId, image)) : allOffsets(offsets, byId, image)
  return { topics, errorCode: ErrorCode.NONE }
}

function offsetsOf(offsets: OffsetsView, asked: Asked, byId: boolean, image: MetadataImage): Told {
  const topic = byId ? image.topicsById.get(asked.topicId) : image.topicsByName.get(asked.name)
  if (byId && !topic) return told(asked, p => nothing(p, ErrorCode.UNKNOWN_TOPIC_ID))
  const name = topic?.name ?? asked.name
  return told(asked, p => {
    const offset = offsets.find(name, p, topic?.id ?? ZERO_UUID)
    return offset ? something(p, offset) : nothing(p, ErrorCode.NONE)
  })
}

/** Every offset of the group, but for topics that are gone where they have to be named by id. */
function allOffsets(offsets: OffsetsView, byId: boolean, image: MetadataImage): Told[] {
  const topics: Told[] = []
  for (const [name, partitions] of offsets.topics()) {
    const topicId = image.topicsByName.get(name)?.id ?? ZERO_UUID
    if (byId && topicId === ZERO_UUID) continue
    // not those of a topic that had this name before
    const told = [...partitions].filter(([, offset]) => isSameTopic(offset.topicId, topicId))
    if (told.length > 0) topics.push({ name, topicId, partitions: told.map(([p, offset]) => something(p, offset)) })
  }
  return topics
}

function told(asked: Asked, look: (partition: number) => Told['partitions'][number]): Told {
  return { name: asked.name, topicId: asked.topicId, partitions: asked.partitionIndexes.map(look) }
}

function something(partitionIndex: number, o: CommittedOffset): Told['partitions'][number] {
  const { offset, leaderEpoch, metadata } = o
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode: 0 }
}

function nothing(partitionIndex: number, errorCode: number): Told['partitions'][number] {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode }
}
