import type { TopicPartition } from '../../types.ts'
import {
  type Assignor,
  type GroupAssignment,
  type MemberSubscription,
  type PartitionCounts,
  subscribedTopics,
} from './assignor.ts'
import { assignConstrained } from './sticky-constrained.ts'
import { assignGeneral } from './sticky-general.ts'
import { keyOf, type Owned, viewOwnership } from './sticky-owned.ts'
import { decodeStickyUserData, encodeStickyUserData } from './sticky-user-data.ts'

/**
 * Kafka's StickyAssignor, which is eager. Members send their previous partitions in the user data.
 */
export const stickyAssignor: Assignor = {
  name: 'sticky',
  protocol: 'eager',
  userData: (last, generation) => (last === null ? null : encodeStickyUserData(last, generation)),
  assign: (counts, members) => assignSticky(counts, members, m => decodeStickyUserData(m.userData)).assignment,
}

/**
 * Kafka's CooperativeStickyAssignor. One rebalance revokes the partitions that move, and the next
 * rebalance assigns them.
 */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  protocol: 'cooperative',
  userData(_last, generation) {
    const data = Buffer.alloc(4)
    data.writeInt32BE(generation)
    return data
  },
  assign(counts, members) {
    const result = assignSticky(counts, members, cooperativeOwned)
    for (const [key, id] of result.transferring ?? transfers(members, result.assignment)) {
      result.assignment.set(
        id,
        result.assignment.get(id)!.filter(tp => keyOf(tp) !== key),
      )
    }
    return result.assignment
  },
}

function cooperativeOwned(m: MemberSubscription): Owned {
  if (m.generationId >= 0) return { partitions: m.ownedPartitions, generation: m.generationId }
  if (m.userData === null) return { partitions: m.ownedPartitions, generation: null }
  return { partitions: m.ownedPartitions, generation: m.userData.length >= 4 ? m.userData.readInt32BE(0) : -1 }
}

function assignSticky(
  counts: PartitionCounts,
  members: ReadonlyMap<string, MemberSubscription>,
  ownedOf: (m: MemberSubscription) => Owned,
): { assignment: GroupAssignment; transferring: ReadonlyMap<string, string> | null } {
  const wanted = new Map(subscribedTopics(counts, members).map(t => [t, counts.get(t)!]))
  const view = viewOwnership(wanted, members, ownedOf)
  if (view.sameSubscriptions) return assignConstrained(wanted, view)
  return { assignment: assignGeneral(wanted, members, view, ownedOf), transferring: null }
}

/** Returns the newly assigned partitions that another member still owns, with their new owners. */
function transfers(
  members: ReadonlyMap<string, MemberSubscription>,
  assignment: ReadonlyMap<string, readonly TopicPartition[]>,
): Map<string, string> {
  const added = new Map<string, string>()
  const revoked = new Set<string>()
  for (const [id, partitions] of assignment) {
    const owned = new Set(members.get(id)!.ownedPartitions.map(keyOf))
    const assigned = new Set(partitions.map(keyOf))
    for (const key of assigned) if (!owned.has(key)) added.set(key, id)
    for (const key of owned) if (!assigned.has(key)) revoked.add(key)
  }
  for (const key of [...added.keys()]) if (!revoked.has(key)) added.delete(key)
  return added
}
