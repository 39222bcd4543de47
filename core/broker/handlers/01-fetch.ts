import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { FetchedPartition } from './fetch-partition.ts'
import { type Resolved, read, resolve } from './fetch-read.ts'
import type { FetchContext } from './fetch-sessions.ts'
import { available, waitForBytes } from './fetch-wait.ts'
import type { Handler, RequestContext } from './handler.ts'

type Request = Message<typeof FetchRequest>
type Response = MessageInput<typeof FetchResponse>
type Topic = NonNullable<Response['responses']>[number]
type Partition = NonNullable<Topic['partitions']>[number]

const READ_COMMITTED = 1

/** Reads what the context names, in its order, within the request's and the broker's limits. */
async function readAll(context: FetchContext, request: Request, ctx: RequestContext): Promise<FetchedPartition[]> {
  const readCommitted = request.isolationLevel === READ_COMMITTED
  const maxBytes = Math.min(request.maxBytes, ctx.broker.config.values['fetch.max.bytes'])
  const { maxWaitMs, minBytes } = request
  const { signal } = ctx
  let resolved = context.targets.map(t => resolve(t, ctx))
  const wait = waitForBytes(resolved, {
    minBytes: Math.min(minBytes, maxBytes),
    maxWaitMs,
    readCommitted,
    signal,
    isGone: p => resolve(p.target, ctx).log !== p.log,
  })
  if (wait) {
    await wait
    // topics may have come and gone meanwhile
    resolved = context.targets.map(t => resolve(t, ctx))
  }
  return readWithin(resolved, maxBytes, readCommitted, ctx)
}

/** Slow readers together hold no more than there is room for: each still gets a batch. */
async function readWithin(
  resolved: readonly Resolved[],
  maxBytes: number,
  readCommitted: boolean,
  ctx: RequestContext,
) {
  let want = 0
  for (const r of resolved) if (want < maxBytes) want += available(r, maxBytes - want, readCommitted)
  const room = ctx.broker.fetchRoom.reserve(want)
  // an estimate, so that it only counts where there is less than asked for
  const left = room.bytes < want ? room.bytes : maxBytes
  const limits = { left, first: true }
  const result: FetchedPartition[] = []
  try {
    for (const r of resolved) {
      result.push(await read(r, limits, readCommitted))
      room.read(Math.max(room.bytes, left - limits.left))
    }
    room.read(left - limits.left)
  } finally {
    // by then the response is on its way, and counts as unsent
    if (limits.first) room.release()
    else setImmediate(room.release)
  }
  return result
}

function partitionOf(p: FetchedPartition): Partition {
  return {
    partitionIndex: p.target.partition,
    errorCode: p.errorCode,
    highWatermark: p.highWatermark,
    lastStableOffset: p.lastStableOffset,
    logStartOffset: p.logStartOffset,
    ...(p.divergingEpoch && { divergingEpoch: p.divergingEpoch }),
    abortedTransactions: p.aborted,
    records: p.chunks,
  }
}

/** Groups by topic what stands next to each other: a topic may come twice, as in Kafka. */
function byTopic(partitions: readonly FetchedPartition[]): Topic[] {
  const topics: { topic: string; topicId: string; partitions: Partition[] }[] = []
  let last: (typeof topics)[number] | undefined
  for (const p of partitions) {
    const { topic, topicId } = p.target
    if (!last || last.topic !== topic || last.topicId !== topicId)
      topics.push((last = { topic, topicId, partitions: [] }))
    last.partitions.push(partitionOf(p))
  }
  return topics
}

/** A whole request is refused. */
function refused({ topics }: Request, errorCode: number): Response {
  const responses = topics.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map(p => ({
      partitionIndex: p.partition,
      errorCode,
      highWatermark: -1,
      abortedTransactions: [],
      records: [],
    })),
  }))
  return { errorCode, responses }
}

/** Fetch: batches as they are in the log, from each partition's offset on; waits for them as long as the client says. */
export const fetchHandler: Handler<Request, Response> = {
  key: ApiKey.Fetch,
  async handle(request, ctx) {
    if (request.isolationLevel !== 0 && request.isolationLevel !== READ_COMMITTED)
      return refused(request, ErrorCode.UNKNOWN_SERVER_ERROR)
    const context = ctx.broker.fetchSessions.contextOf(request, ctx.apiVersion)
    if ('errorCode' in context) return { errorCode: context.errorCode }
    const all = await readAll(context, request, ctx)
    for (const { release } of all) if (release) ctx.memory.onSent(release)
    const { sessionId, partitions } = context.answer(all)
    return { errorCode: ErrorCode.NONE, sessionId, responses: byTopic(partitions) }
  },
}
