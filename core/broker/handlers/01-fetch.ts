import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { TopicStats } from '../metrics/broker-stats.ts'
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

/**
 * Waits for data, then reads the partitions in order, within the limits of the request and the
 * broker.
 */
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
    wasRemoved: p => resolve(p.target, ctx).log !== p.log,
  })
  if (wait) {
    await wait
    // Topics may have been created or deleted while the fetch waited.
    resolved = context.targets.map(t => resolve(t, ctx))
  }
  return readWithin(resolved, maxBytes, readCommitted, ctx)
}

/**
 * Reads within a reservation of the fetch budget, so that the unsent responses of slow clients stay
 * within the broker's limit. Every fetch may read at least one batch.
 */
async function readWithin(
  resolved: readonly Resolved[],
  maxBytes: number,
  readCommitted: boolean,
  ctx: RequestContext,
) {
  let want = 0
  for (const r of resolved) if (want < maxBytes) want += available(r, maxBytes - want, readCommitted)
  const reservation = ctx.broker.fetchBudget.reserve(want)
  // `want` is only an estimate. If all of it could be reserved, the fetch may read up to
  // `maxBytes`. Otherwise it may read only the reserved bytes.
  const left = reservation.bytes < want ? reservation.bytes : maxBytes
  const limits = { left, first: true }
  const result: FetchedPartition[] = []
  try {
    for (const r of resolved) {
      const part = await read(r, limits, readCommitted)
      if (r.log) count(ctx.broker.stats.topic(r.topic), part)
      result.push(part)
      reservation.read(Math.max(reservation.bytes, left - limits.left))
    }
    reservation.read(left - limits.left)
  } finally {
    // If data was read, keep the reservation until the next event loop turn. By then the response
    // is being sent, and its bytes count as unsent bytes.
    if (limits.first) reservation.release()
    else setImmediate(reservation.release)
  }
  return result
}

function count(stats: TopicStats, part: FetchedPartition): void {
  stats.fetchRequests++
  stats.bytesOut += part.size
  if (part.errorCode === ErrorCode.UNKNOWN_SERVER_ERROR) stats.failedFetchRequests++
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

/**
 * Groups adjacent partitions of the same topic. As in Kafka, the result may contain a topic more
 * than once.
 */
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

/** Returns a response that rejects the whole request. */
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

/**
 * Handles Fetch requests. Waits until enough bytes are available or the request's wait time has
 * passed. Then returns unchanged batches, from the requested offset of each partition.
 */
export const fetchHandler: Handler<Request, Response> = {
  key: ApiKey.Fetch,
  async handle(request, ctx) {
    if (request.isolationLevel !== 0 && request.isolationLevel !== READ_COMMITTED)
      return refused(request, ErrorCode.UNKNOWN_SERVER_ERROR)
    const context = ctx.broker.fetchSessions.contextOf(request, ctx.apiVersion)
    const stats = ctx.broker.stats.api(ApiKey.Fetch, 'Fetch')
    if ('errorCode' in context) {
      stats.error(context.errorCode)
      return { errorCode: context.errorCode }
    }
    const all = await readAll(context, request, ctx)
    for (const { release, errorCode } of all) {
      stats.error(errorCode)
      if (release) ctx.memory.onSent(release)
    }
    const { sessionId, partitions } = context.answer(all)
    return { errorCode: ErrorCode.NONE, sessionId, responses: byTopic(partitions) }
  },
}
