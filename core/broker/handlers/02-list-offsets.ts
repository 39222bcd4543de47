import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, kafkaCodeOf } from '../../protocol/error-codes.ts'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { PartitionLog } from '../log/types.ts'
import type { PartitionImage } from '../quorum/image.ts'
import type { Handler, RequestContext } from './handler.ts'
import { duplicates, partitionProblem } from './shared.ts'

type Request = Message<typeof ListOffsetsRequest>
type Response = MessageInput<typeof ListOffsetsResponse>
type Partition = Request['topics'][number]['partitions'][number]

/** The negative timestamps with a special meaning, from Kafka's ListOffsetsRequest. */
const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6

/** The first version of ListOffsets that supports each of these timestamps. */
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
      return { offset: log.logStartOffset, timestamp: -1, leaderEpoch: log.earliestEpoch }
    case MAX_TIMESTAMP:
      return (await log.maxTimestampOffset({ maxOffset: end })) ?? NOTHING
    // There is no tiered storage, so no offset is found.
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOTHING
    default:
      return (await log.offsetForTimestamp(timestamp, { maxOffset: end })) ?? NOTHING
  }
}

function problemOf(
  { timestamp, currentLeaderEpoch }: Partition,
  known: PartitionImage | undefined,
  isolationLevel: number,
  version: number,
) {
  if (isolationLevel !== 0 && isolationLevel !== 1) return ErrorCode.UNKNOWN_SERVER_ERROR
  if (timestamp < 0 && version < (SINCE[timestamp] ?? (timestamp < EARLIEST_PENDING_UPLOAD ? Infinity : 0)))
    return ErrorCode.UNSUPPORTED_VERSION
  return partitionProblem(known, currentLeaderEpoch)
}

async function answer(topic: string, p: Partition, twice: boolean, request: Request, ctx: RequestContext) {
  const { partitionIndex, timestamp } = p
  const known = ctx.broker.image().topicsByName.get(topic)?.partitions[partitionIndex]
  const errorCode = twice ? ErrorCode.INVALID_REQUEST : problemOf(p, known, request.isolationLevel, ctx.apiVersion)
  if (!known || errorCode !== ErrorCode.NONE) return { partitionIndex, errorCode, ...NOTHING }
  try {
    const log = ctx.broker.log(topic, partitionIndex)
    const found = await find(log, timestamp, known.leaderEpoch, request.isolationLevel === 1)
    return { partitionIndex, ...found }
  } catch (error) {
    return { partitionIndex, errorCode: kafkaCodeOf(error), ...NOTHING }
  }
}

const nameOf = (topic: string, { partitionIndex }: Partition) => `${topic}-${partitionIndex}`

/**
 * Handles ListOffsets requests. Returns a partition's start offset, its end offset, the offset of
 * its newest record, or the first offset for a timestamp.
 */
export const listOffsetsHandler: Handler<Request, Response> = {
  key: ApiKey.ListOffsets,
  async handle(request, ctx) {
    const twice = duplicates(request.topics.flatMap(t => t.partitions.map(p => nameOf(t.name, p))))
    const requested = new Map<string, Map<number, Partition>>()
    for (const { name, partitions } of request.topics) {
      const once = requested.get(name) ?? new Map<number, Partition>()
      for (const p of partitions) once.set(p.partitionIndex, p)
      if (once.size > 0) requested.set(name, once)
    }
    const topics = await Promise.all(
      [...requested].map(async ([name, once]) => {
        const answers = [...once.values()].map(p => answer(name, p, twice.has(nameOf(name, p)), request, ctx))
        return { name, partitions: await Promise.all(answers) }
      }),
    )
    return { topics }
  },
}
