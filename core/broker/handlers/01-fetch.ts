import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { type FetchedPartition, read, resolve } from './fetch-read.ts'
import type { FetchContext } from './fetch-sessions.ts'
import { waitForBytes } from './fetch-wait.ts'
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
  // slow readers together hold no more than this: each still gets a batch
  const limits = { left: Math.min(maxBytes, ctx.broker.fetchRoom()), first: true }
  const result: FetchedPartition[] = []
  for (const r of resolved) result.push(await read(r, limits, readCommitted))
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

/** Fetch: batches as they are in the log, from each partition's offset on; waits for them as long as the client says. */
export const fetchHandler: Handler<Request, Response> = {
  key: ApiKey.Fetch,
  async handle(request, ctx) {
    const context = ctx.broker.fetchSessions.contextOf(request, ctx.apiVersion)
    if ('errorCode' in context) return { errorCode: context.errorCode }
    const all = await readAll(context, request, ctx)
    const { sessionId, partitions } = context.answer(all)
    return { errorCode: ErrorCode.NONE, sessionId, responses: byTopic(partitions) }
  },
}
