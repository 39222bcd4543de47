import type { TopicPartition } from '../../types.ts'

/** What a member of a consumer group says of itself (ConsumerProtocolSubscription). */
export interface MemberSubscription {
  readonly topics: readonly string[]
  readonly userData: Buffer | null
  readonly ownedPartitions: readonly TopicPartition[]
  /** The generation in which it owned them; -1 when unknown. */
  readonly generationId: number
  readonly rackId: string | null
  /** Static membership (`group.instance.id`). */
  readonly groupInstanceId: string | null
}

/** Partition counts of the topics that exist. */
export type PartitionCounts = ReadonlyMap<string, number>
export type GroupAssignment = Map<string, TopicPartition[]>

/** `eager`: all is revoked before joining. `cooperative`: only what moves is revoked, and the group joins again. */
export type RebalanceProtocol = 'eager' | 'cooperative'

/** Divides partitions among the members of a group. Pure: the same input gives what Java's assignor of that name gives. */
export interface Assignor {
  readonly name: string
  /** The most advanced protocol it can do. */
  readonly protocol: RebalanceProtocol
  /** Goes into the subscription; from the last assignment and its generation (null, -1 before the first). */
  userData(lastAssignment: readonly TopicPartition[] | null, generation: number): Buffer | null
  assign(counts: PartitionCounts, members: ReadonlyMap<string, MemberSubscription>): GroupAssignment
}

/** Strings in the order of their UTF-16 units, as Java's String.compareTo. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Members with a `group.instance.id` first, by it; then the others by member id (AbstractPartitionAssignor.MemberInfo). */
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

/** Every topic that some member wants and that exists, sorted. */
export function subscribedTopics(counts: PartitionCounts, members: ReadonlyMap<string, MemberSubscription>): string[] {
  const topics = new Set<string>()
  for (const m of members.values()) for (const t of m.topics) if ((counts.get(t) ?? 0) > 0) topics.add(t)
  return [...topics].sort(compareStrings)
}
