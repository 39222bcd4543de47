import { errorFor, isRetriableCode } from '../../protocol/error-codes.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts'
import { groupBy } from '../group-by.ts'
import { defineApi } from '../net/api.ts'
import type { TopicPartition } from '../types.ts'
import type { Cluster } from './cluster.ts'
import { byLeader } from './leaders.ts'

const ListOffsets = defineApi(ListOffsetsRequest, ListOffsetsResponse, { min: 2 })

/** Special timestamps of Kafka's ListOffsets: the start of the log, and its end. */
export const EARLIEST = -2
export const LATEST = -1

export interface OffsetQuery extends TopicPartition {
  /**
   * Milliseconds since 1970, or a negative special timestamp of Kafka, such as EARLIEST or LATEST.
   */
  readonly timestamp: number
}

export interface FoundOffset {
  /** The offset; -1 if there is no record at or after the timestamp. */
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** The parameters of one attempt to find offsets. */
export interface OffsetSearch {
  readonly cluster: Cluster
  readonly readCommitted: boolean
  /** The offsets that were found so far. An attempt adds to this map. */
  readonly found: Map<OffsetQuery, FoundOffset>
  readonly signal: AbortSignal
}

/**
 * Returns the offsets that the leaders of the partitions report, in the order of the queries.
 * Retries retriable errors.
 */
export async function listOffsets(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  options: { readCommitted: boolean; timeoutMs: number },
): Promise<FoundOffset[]> {
  const { readCommitted, timeoutMs } = options
  const found = new Map<OffsetQuery, FoundOffset>()
  await cluster.retry('listing offsets', timeoutMs, async signal => {
    const open = queries.filter(q => !found.has(q))
    const failure = await listOffsetsOnce(open, { cluster, readCommitted, found, signal })
    if (failure) throw failure
  })
  return queries.map(q => found.get(q)!)
}

/**
 * Makes one attempt to find offsets, and stores them in `found`. Returns null if all were found, or
 * the reason why some are missing.
 */
export async function listOffsetsOnce(queries: readonly OffsetQuery[], search: OffsetSearch): Promise<Error | null> {
  // A request may contain each partition only once, so send further queries for the same partition
  // later.
  const seen = new Set<string>()
  const now: OffsetQuery[] = []
  const later: OffsetQuery[] = []
  for (const q of queries) {
    const key = `${q.topic}:${q.partition}`
    ;(seen.has(key) ? later : now).push(q)
    seen.add(key)
  }
  const failure = await askLeaders(now, search)
  return failure || later.length === 0 ? failure : listOffsetsOnce(later, search)
}

async function askLeaders(queries: readonly OffsetQuery[], search: OffsetSearch): Promise<Error | null> {
  const { cluster, signal } = search
  const { groups, failure } = await byLeader(cluster, queries, signal)
  const asked = [...groups].map(([leader, list]) => askLeader(leader, list, search))
  const failed = (await Promise.allSettled(asked)).find(r => r.status === 'rejected')
  if (failed) cluster.refreshSoon()
  return failure ?? (failed ? (failed.reason as Error) : null)
}

async function askLeader(leader: number, queries: readonly OffsetQuery[], search: OffsetSearch): Promise<void> {
  const { cluster, readCommitted, found, signal } = search
  const topics = groupBy(queries, q => q.topic).map(([name, list]) => ({
    name,
    partitions: list.map(q => ({
      partitionIndex: q.partition,
      currentLeaderEpoch: cluster.metadata.partition(name, q.partition)?.leaderEpoch ?? -1,
      timestamp: q.timestamp,
    })),
  }))
  const timeoutMs = cluster.options.requestTimeoutMs
  const input = { replicaId: -1, isolationLevel: readCommitted ? 1 : 0, topics, timeoutMs }
  const response = await cluster.request(leader, ListOffsets, input, { signal })
  let failure: Error | null = null
  for (const t of response.topics) {
    for (const p of t.partitions) {
      const query = queries.find(q => q.topic === t.name && q.partition === p.partitionIndex && !found.has(q))
      if (!query) continue
      if (p.errorCode === 0) {
        found.set(query, { offset: p.offset, timestamp: p.timestamp, leaderEpoch: p.leaderEpoch })
      } else if (failure === null || !isRetriableCode(p.errorCode)) {
        failure = errorFor(p.errorCode, `offsets of ${t.name}-${p.partitionIndex}: ${errorFor(p.errorCode).detail}`)
      }
    }
  }
  if (failure) throw failure
}
