import { inHashOrder, javaStringHash } from '../../../common/java-hash-map.ts'
import type { TopicPartition } from '../../types.ts'
import type { MemberSubscription, PartitionCounts } from './assignor.ts'

/** A partition's name as a map key. A topic's name cannot hold a colon. */
export function keyOf(tp: TopicPartition): string {
  return tp.topic + ':' + tp.partition
}

/** What a member owned before, and in which generation it was told so (null: it does not say). */
export interface Owned {
  readonly partitions: readonly TopicPartition[]
  readonly generation: number | null
}

export interface OwnershipView {
  /** Member ids in the order in which Java walks them. */
  readonly order: readonly string[]
  /** What each member may go on owning, by partition key. */
  readonly owned: Map<string, Map<string, TopicPartition>>
  /** Claimed by two members in one generation: neither keeps it. */
  readonly doublyClaimed: ReadonlySet<string>
  readonly sameSubscriptions: boolean
  readonly maxGeneration: number
}

/** Who owned what, with conflicting claims settled: the higher generation wins, and within one nobody does. */
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
    // Java lets a member without topics pass as equal to the next one, and then gives it partitions that it never asked for.
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
      // Java compares with the generation of the subscription itself here, not with that in the user data.
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
