import { errorFor, isRetriableCode } from '../../protocol/error-codes.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts'
import { groupBy } from '../group-by.ts'
import { defineApi } from '../net/api.ts'
import type { TopicPartition } from '../types.ts'
import type { Cluster } from './cluster.ts'
import { byLeader } from './leaders.ts'

const ListOffsets = defineApi(ListOffsetsRequest, ListOffsetsResponse, { min: 2 })

/** Timestamps with a meaning of their own. */
export const EARLIEST = -2
export const LATEST = -1

export interface OffsetQuery extends TopicPartition {
  /** Milliseconds, or EARLIEST, LATEST, or one of Kafka's other negative ones. */
  readonly timestamp: number
}

export interface FoundOffset {
  /** -1: nothing at or after that time. */
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** Asks the partitions' leaders for offsets, in the order of the queries. Retries what is retriable. */
export async function listOffsets(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  options: { readCommitted: boolean; timeoutMs: number },
): Promise<FoundOffset[]> {
  const found = new Map<OffsetQuery, FoundOffset>()
  await cluster.retry('listing offsets', options.timeoutMs, async signal => {
    const open = queries.filter(q => !found.has(q))
    const failure = await listOffsetsOnce(cluster, open, options.readCommitted, found, signal)
    if (failure) throw failure
  })
  return queries.map(q => found.get(q)!)
}

/** One attempt: adds what it finds, and returns why it did not find the rest. */
export async function listOffsetsOnce(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  readCommitted: boolean,
  found: Map<OffsetQuery, FoundOffset>,
  signal: AbortSignal,
): Promise<Error | null> {
  // A request may name a partition once only.
  const seen = new Set<string>()
  const now: OffsetQuery[] = []
  const later: OffsetQuery[] = []
  for (const q of queries) {
    const key = `${q.topic}:${q.partition}`
    ;(seen.has(key) ? later : now).push(q)
    seen.add(key)
  }
  const failure = await ask(cluster, now, readCommitted, found, signal)
  return failure || later.length === 0 ? failure : listOffsetsOnce(cluster, later, readCommitted, found, signal)
}

async function ask(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  readCommitted: boolean,
  found: Map<OffsetQuery, FoundOffset>,
  signal: AbortSignal,
): Promise<Error | null> {
  const { groups, failure } = await byLeader(cluster, queries, signal)
  const asked = [...groups].map(([leader, list]) => askLeader(cluster, leader, list, readCommitted, found, signal))
  const failed = (await Promise.allSettled(asked)).find(r => r.status === 'rejected')
  if (failed) cluster.refreshSoon()
  return failure ?? (failed ? (failed.reason as Error) : null)
}

async function askLeader(
  cluster: Cluster,
  leader: number,
  queries: readonly OffsetQuery[],
  readCommitted: boolean,
  found: Map<OffsetQuery, FoundOffset>,
  signal: AbortSignal,
): Promise<void> {
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
