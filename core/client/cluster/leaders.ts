import { clientErrors } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import type { Cluster } from './cluster.ts'
import { fatalTopicError } from './topics.ts'

export interface ByLeader<T> {
  readonly groups: ReadonlyMap<number, readonly T[]>
  /**
   * The error that explains why some partitions are in no group. It is retriable if waiting may
   * help.
   */
  readonly failure: Error | null
}

/** Groups partitions by their leader. Refreshes the metadata once if a leader is missing. */
export async function byLeader<T extends TopicPartition>(
  cluster: Cluster,
  items: readonly T[],
  signal: AbortSignal,
): Promise<ByLeader<T>> {
  const { metadata } = cluster
  const isNew = cluster.track(new Set(items.map(i => i.topic)))
  const missing = () => items.some(i => (metadata.partition(i.topic, i.partition)?.leader ?? -1) < 0)
  if (isNew || missing()) await cluster.refresh(signal)
  const groups = new Map<number, T[]>()
  let failure: Error | null = null
  for (const item of items) {
    const { topic, partition } = item
    const state = metadata.topic(topic)
    const leader = state?.partitions[partition]?.leader ?? -1
    if (leader >= 0) {
      const group = groups.get(leader)
      if (group) group.push(item)
      else groups.set(leader, [item])
    } else if (state && partition >= state.partitions.length) {
      const count = state.partitions.length
      failure = clientErrors.create('MR_CLIENT_UNKNOWN_PARTITION', { topic, count, partition })
    } else {
      failure ??=
        fatalTopicError(metadata.topics.get(topic)) ?? clientErrors.create('MR_CLIENT_NO_LEADER', { topic, partition })
    }
  }
  return { groups, failure }
}
