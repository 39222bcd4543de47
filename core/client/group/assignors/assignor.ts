import type { TopicPartition } from '../../types.ts'

/** The subscription of a group member (ConsumerProtocolSubscription). */
export interface MemberSubscription {
  readonly topics: readonly string[]
  readonly userData: Buffer | null
  readonly ownedPartitions: readonly TopicPartition[]
  /** The generation in which the member owned `ownedPartitions`; -1 if unknown. */
  readonly generationId: number
  readonly rackId: string | null
  /** The member's `group.instance.id`; null for a dynamic member. */
  readonly groupInstanceId: string | null
}

/** The partition counts of the existing topics. */
export type PartitionCounts = ReadonlyMap<string, number>
export type GroupAssignment = Map<string, TopicPartition[]>

/**
 * When members revoke partitions. `eager`: all partitions, before joining. `cooperative`: only the
 * partitions that move to another member, after which the members join again.
 */
export type RebalanceProtocol = 'eager' | 'cooperative'

/**
 * Assigns partitions to the members of a group. Returns the same assignment as Java's assignor with
 * the same name.
 */
export interface Assignor {
  readonly name: string
  /** The most advanced protocol that the assignor supports. */
  readonly protocol: RebalanceProtocol
  /**
   * Returns the user data for the subscription. `lastAssignment` is null and `generation` is -1
   * before the first assignment.
   */
  userData(lastAssignment: readonly TopicPartition[] | null, generation: number): Buffer | null
  assign(counts: PartitionCounts, members: ReadonlyMap<string, MemberSubscription>): GroupAssignment
}

/** Compares strings by UTF-16 code units, as Java's String.compareTo does. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * Returns the member ids in assignment order: members with a `group.instance.id` come first, sorted
 * by that id. Other members follow, sorted by member id (AbstractPartitionAssignor.MemberInfo).
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
