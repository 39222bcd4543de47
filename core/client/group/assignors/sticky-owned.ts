import { inHashOrder, javaStringHash } from '../../../common/java-hash-map.ts'
import type { TopicPartition } from '../../types.ts'
import type { MemberSubscription, PartitionCounts } from './assignor.ts'

/** Returns the map key of a partition. A topic name cannot contain a colon. */
export function keyOf(tp: TopicPartition): string {
  return tp.topic + ':' + tp.partition
}

/** The partitions that a member owned, and the generation of that assignment (null if unknown). */
export interface Owned {
  readonly partitions: readonly TopicPartition[]
  readonly generation: number | null
}

export interface OwnershipView {
  /** The member ids, in the iteration order of Java's HashMap. */
  readonly order: readonly string[]
  /** The partitions that each member may keep, by partition key. */
  readonly owned: Map<string, Map<string, TopicPartition>>
  /** Partitions that two members claim in the same generation. Neither member keeps them. */
  readonly doublyClaimed: ReadonlySet<string>
  readonly sameSubscriptions: boolean
  readonly maxGeneration: number
}

/**
 * Returns which member may keep which partitions. If two members claim a partition, the claim with
 * the higher generation is valid. With equal generations, neither claim is valid.
 */
export function viewOwnership(
  counts: PartitionCounts,
  members: ReadonlyMap<string, MemberSubscription>,
  ownedOf: (m: MemberSubscription) => Owned,
): OwnershipView {
  const order = inHashOrder([...members.keys()], javaStringHash)
  const owned = new Map<string, Map<string, TopicPartition>>()
  const doublyClaimed = new Set<string>()
  const ownerOf = new Map<string, string>()
  let topics: Set<string> | null = null
  let sameSubscriptions = true
  let maxGeneration = -1
  for (const id of order) {
    const member = members.get(id)!
    // The first member may have subscribed to no topics. Java then ignores its subscription in this
    // comparison, and assigns it partitions of topics to which it has not subscribed.
    if (topics === null) topics = new Set(member.topics)
    else if (member.topics.length !== topics.size || member.topics.some(t => !topics!.has(t))) sameSubscriptions = false
    const data = ownedOf(member)
    const generation = data.generation ?? -1
    maxGeneration = Math.max(maxGeneration, generation)
    const mine = new Map<string, TopicPartition>()
    owned.set(id, mine)
    for (const tp of data.partitions) {
      if (!counts.has(tp.topic)) continue
      const key = keyOf(tp)
      const other = ownerOf.get(key)
      if (other === undefined) {
        mine.set(key, tp)
        ownerOf.set(key, id)
        continue
      }
      // As in Java, this is the generation in the subscription, not the one in the user data.
      const otherGeneration = members.get(other)!.generationId
      if (generation < otherGeneration) continue
      owned.get(other)!.delete(key)
      ownerOf.set(key, id)
      if (generation === otherGeneration) doublyClaimed.add(key)
      else mine.set(key, tp)
    }
  }
  return { order, owned, doublyClaimed, sameSubscriptions, maxGeneration }
}
