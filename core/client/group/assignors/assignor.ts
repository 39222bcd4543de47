import type { TopicPartition } from '../../types.ts'

/** The subscription of a group member (ConsumerProtocolSubscription). */
export interface MemberSubscription {
  readonly topics: readonly string[]
  readonly userData: Buffer | null
  readonly ownedPartitions: readonly TopicPartition[]
  /** The generation in which it owned them; -1 if unknown. */
  readonly generationId: number
  readonly rackId: string | null
  /** Static membership (`group.instance.id`). */
  readonly groupInstanceId: string | null
}

/** The partition counts of the existing topics. */
export type PartitionCounts = ReadonlyMap<string, number>
export type GroupAssignment = Map<string, TopicPartition[]>

/**
 * `eager`: members revoke all partitions before they join. `cooperative`: they revoke only
 * partitions that move, then join again.
 */
export type RebalanceProtocol = 'eager' | 'cooperative'

/**
 * Assigns partitions to the members of a group. Returns the same assignment as Java's assignor with
 * this name.
 */
export interface Assignor {
  readonly name: string
  /** The most advanced protocol that it supports. */
  readonly protocol: RebalanceProtocol
  /**
   * Returns the user data for the subscription, from the last assignment and its generation (null
   * and -1 before the first).
   */
  userData(lastAssignment: readonly TopicPartition[] | null, generation: number): Buffer | null
  assign(counts: PartitionCounts, members: ReadonlyMap<string, MemberSubscription>): GroupAssignment
}

/** Compares strings by UTF-16 code units, as Java's String.compareTo does. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * Sorts members: first those with a `group.instance.id`, by that id; then the others, by member id
 * (AbstractPartitionAssignor.MemberInfo).
 */
export function sortMembers(ids: Iterable<string>, members: ReadonlyMap<string, MemberSubscription>): string[] {
  return [...ids].sort((a, b) => {
    const ia = members.get(a)?.groupInstanceId ?? null
    const ib = members.get(b)?.groupInstanceId ?? null
    if (ia !== null && ib !== null) return compareStrings(ia, ib)
    if (ia !== null) return -1
    if (ib !== null) return 1
    return compareStrings(a, b)
  })
}

/** Returns the existing topics that members have subscribed to, sorted. */
export function subscribedTopics(counts: PartitionCounts, members: ReadonlyMap<string, MemberSubscription>): string[] {
  const topics = new Set<string>()
  for (const m of members.values()) for (const t of m.topics) if ((counts.get(t) ?? 0) > 0) topics.add(t)
  return [...topics].sort(compareStrings)
}
