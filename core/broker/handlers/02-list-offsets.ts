import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, errorFor, kafkaCodeOf } from '../../protocol/error-codes.ts'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { PartitionLog } from '../log/types.ts'
import type { Handler, RequestContext } from './handler.ts'
import { leaderEpochProblem } from './shared.ts'

type Request = Message<typeof ListOffsetsRequest>
type Response = MessageInput<typeof ListOffsetsResponse>
type Partition = Request['topics'][number]['partitions'][number]

/** What a timestamp below zero asks for: ListOffsetsRequest's constants. */
const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6

/** The first version in which each of them may be asked for. */
const SINCE: Readonly<Record<number, number>> = {
  [MAX_TIMESTAMP]: 7,
  [EARLIEST_LOCAL]: 8,
  [LATEST_TIERED]: 9,
  [EARLIEST_PENDING_UPLOAD]: 11,
}

interface Found {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

const NOTHING: Found = { offset: -1, timestamp: -1, leaderEpoch: -1 }

async function find(log: PartitionLog, timestamp: number, epoch: number, readCommitted: boolean): Promise<Found> {
  const end = readCommitted ? log.lastStableOffset : log.highWatermark
  switch (timestamp) {
    case LATEST:
      return { offset: end, timestamp: -1, leaderEpoch: epoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: log.logStartOffset, timestamp: -1, leaderEpoch: epoch }
    case MAX_TIMESTAMP:
      return (await log.maxTimestampOffset({ maxOffset: end })) ?? NOTHING
    // there is no tiered storage
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOTHING
    default:
      return (await log.offsetForTimestamp(timestamp, { maxOffset: end })) ?? NOTHING
  }
}

async function answer(topic: string, p: Partition, twice: boolean, request: Request, ctx: RequestContext) {
  const { partitionIndex, timestamp, currentLeaderEpoch } = p
  try {
    if (twice) throw errorFor(ErrorCode.INVALID_REQUEST)
    if (timestamp < 0 && ctx.apiVersion < (SINCE[timestamp] ?? (timestamp < EARLIEST_PENDING_UPLOAD ? Infinity : 0)))
      throw errorFor(ErrorCode.UNSUPPORTED_VERSION)
    const known = ctx.broker.image().topicsByName.get(topic)?.partitions[partitionIndex]
    if (!known) throw errorFor(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const wrongEpoch = leaderEpochProblem(currentLeaderEpoch, known)
    if (wrongEpoch !== ErrorCode.NONE) throw errorFor(wrongEpoch)
    const log = ctx.broker.log(topic, partitionIndex)
    const found = await find(log, timestamp, known.leaderEpoch, request.isolationLevel === 1)
    return { partitionIndex, ...found }
  } catch (error) {
    return { partitionIndex, errorCode: kafkaCodeOf(error), ...NOTHING }
  }
}

/** ListOffsets: the first, last or newest offset, or the one of a time. */
export const listOffsetsHandler: Handler<Request, Response> = {
  key: ApiKey.ListOffsets,
  async handle(request, ctx) {
    const topics = await Promise.all(
      request.topics.map(async ({ name, partitions }) => {
        const counts = new Map<number, number>()
        for (const p of partitions) counts.set(p.partitionIndex, (counts.get(p.partitionIndex) ?? 0) + 1)
        const once = partitions.filter((p, i) => partitions.findIndex(q => q.partitionIndex === p.partitionIndex) === i)
        const answers = once.map(p => answer(name, p, counts.get(p.partitionIndex)! > 1, request, ctx))
        return { name, partitions: await Promise.all(answers) }
      }),
    )
    return { topics }
  },
}
