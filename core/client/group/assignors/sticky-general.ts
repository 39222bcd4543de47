import type { TopicPartition } from '../../types.ts'
import { compareStrings, type GroupAssignment, type MemberSubscription, type PartitionCounts } from './assignor.ts'
import { PartitionMovements } from './sticky-movements.ts'
import { keyOf, type Owned, type OwnershipView } from './sticky-owned.ts'

type Held = Map<string, Map<string, TopicPartition>>

/**
 * Returns the sticky assignment if members have subscribed to different topics (the general case of
 * AbstractStickyAssignor, without racks). Members keep the partitions of their subscribed topics.
 * Each unassigned partition goes to the subscribed member with the fewest partitions. Then
 * partitions move as long as that improves the balance.
 */
export function assignGeneral(
  counts: PartitionCounts,
  members: ReadonlyMap<string, MemberSubscription>,
  view: OwnershipView,
  ownedOf: (m: MemberSubscription) => Owned,
): GroupAssignment {
  const state = new General(counts, members, view)
  state.dropUnwanted()
  state.balance(previousOwners(members, view, ownedOf))
  return new Map([...state.held].map(([id, partitions]) => [id, [...partitions.values()]]))
}

/**
 * Returns, for each partition, the owner from before the current generation. A partition may return
 * to this owner if that improves the balance.
 */
function previousOwners(
  members: ReadonlyMap<string, MemberSubscription>,
  view: OwnershipView,
  ownedOf: (m: MemberSubscription) => Owned,
): Map<string, { member: string; generation: number }> {
  const previous = new Map<string, { member: string; generation: number }>()
  for (const member of view.order) {
    const data = ownedOf(members.get(member)!)
    const generation = data.generation ?? -1
    if (generation >= view.maxGeneration) continue
    for (const tp of data.partitions) {
      const known = previous.get(keyOf(tp))
      if (known === undefined || generation > known.generation) previous.set(keyOf(tp), { member, generation })
    }
  }
  return previous
}

class General {
  held: Held
  readonly #counts: PartitionCounts
  readonly #members: ReadonlyMap<string, MemberSubscription>
  readonly #takersOf = new Map<string, string[]>()
  readonly #topicsOf = new Map<string, Set<string>>()
  /**
   * The owner of each partition. As in Java, the entry of a partition remains until the partition
   * is assigned again, even if its owner has unsubscribed.
   */
  #ownerOf = new Map<string, string>()
  #all: TopicPartition[] = []
  /**
   * The members that may still lose or get partitions, sorted by the number of their partitions.
   */
  #byLoad: string[]
  #mustRevoke = false
  readonly #movements = new PartitionMovements()

  constructor(counts: PartitionCounts, members: ReadonlyMap<string, MemberSubscription>, view: OwnershipView) {
    this.#counts = counts
    this.#members = members
    this.held = view.owned
    for (const topic of counts.keys()) this.#takersOf.set(topic, [])
    for (const id of view.order) {
      const topics = members.get(id)!.topics.filter(t => counts.has(t))
      this.#topicsOf.set(id, new Set(topics))
      for (const t of topics) this.#takersOf.get(t)!.push(id)
      for (const key of this.held.get(id)!.keys()) this.#ownerOf.set(key, id)
    }
    const takers = (t: string) => this.#takersOf.get(t)!.length
    const topics = [...counts.keys()].sort((a, b) => takers(a) - takers(b) || compareStrings(a, b))
    for (const topic of topics) {
      for (let partition = 0; partition < counts.get(topic)!; partition++) this.#all.push({ topic, partition })
    }
    this.#byLoad = [...view.order]
  }

  dropUnwanted(): void {
    for (const [id, partitions] of this.held) {
      const wanted = new Set(this.#members.get(id)!.topics)
      for (const [key, tp] of partitions) {
        if (wanted.has(tp.topic)) continue
        partitions.delete(key)
        this.#mustRevoke = true
      }
    }
  }

  balance(previous: ReadonlyMap<string, { member: string }>): void {
    const kept = new Set<string>()
    for (const partitions of this.held.values()) for (const key of partitions.keys()) kept.add(key)
    let free = this.#all.filter(tp => !kept.has(keyOf(tp)))
    this.#sortByLoad()
    const initializing = this.#load(this.#byLoad.at(-1)!) === 0
    for (const tp of free) this.#giveToLeast(tp)

    const movable = (tp: TopicPartition) => this.#takersOf.get(tp.topic)!.length >= 2
    this.#all = this.#all.filter(movable)
    free = free.filter(movable)
    const fixed: Held = new Map()
    for (const id of this.#byLoad) if (!this.#canTakePart(id)) fixed.set(id, this.held.get(id)!)
    for (const id of fixed.keys()) this.held.delete(id)
    this.#byLoad = this.#byLoad.filter(id => !fixed.has(id))

    const heldBefore: Held = new Map([...this.held].map(([id, partitions]) => [id, new Map(partitions)]))
    const ownersBefore = new Map(this.#ownerOf)
    if (!this.#mustRevoke) this.#reassign(free, previous)
    const moved = this.#reassign(this.#all, previous)
    if (!initializing && moved && imbalance(this.held) >= imbalance(heldBefore)) {
      this.held = heldBefore
      this.#ownerOf = ownersBefore
    }
    for (const [id, partitions] of fixed) this.held.set(id, partitions)
  }

  #load(id: string): number {
    return this.held.get(id)!.size
  }

  #sortByLoad(): void {
    this.#byLoad.sort((a, b) => this.#load(a) - this.#load(b) || compareStrings(a, b))
  }

  #giveToLeast(tp: TopicPartition): void {
    const id = this.#byLoad.find(m => this.#topicsOf.get(m)!.has(tp.topic))
    if (id === undefined) return
    this.held.get(id)!.set(keyOf(tp), tp)
    this.#ownerOf.set(keyOf(tp), id)
    this.#sortByLoad()
  }

  #maximumOf(id: string): number {
    let sum = 0
    for (const t of this.#topicsOf.get(id)!) sum += this.#counts.get(t)!
    return sum
  }

  #canTakePart(id: string): boolean {
    if (this.#load(id) < this.#maximumOf(id)) return true
    for (const tp of this.held.get(id)!.values()) if (this.#takersOf.get(tp.topic)!.length >= 2) return true
    return false
  }

  #isBalanced(): boolean {
    if (this.#byLoad.length === 0 || this.#load(this.#byLoad[0]!) >= this.#load(this.#byLoad.at(-1)!) - 1) return true
    for (const id of this.#byLoad) {
      const load = this.#load(id)
      if (load === this.#maximumOf(id)) continue
      const mine = this.held.get(id)!
      for (const topic of this.#topicsOf.get(id)!) {
        for (let partition = 0; partition < this.#counts.get(topic)!; partition++) {
          const key = keyOf({ topic, partition })
          if (mine.has(key)) continue
          const other = this.#ownerOf.get(key)
          if (other !== undefined && this.held.has(other) && load + 1 < this.#load(other)) return false
        }
      }
    }
    return true
  }

  #reassign(partitions: readonly TopicPartition[], previous: ReadonlyMap<string, { member: string }>): boolean {
    let performed = false
    let modified = true
    while (modified) {
      modified = false
      for (const tp of partitions) {
        if (this.#isBalanced()) break
        const owner = this.#ownerOf.get(keyOf(tp))
        if (owner === undefined || !this.held.has(owner)) continue
        const before = previous.get(keyOf(tp))?.member
        const load = this.#load(owner)
        if (before !== undefined && this.held.has(before) && load > this.#load(before) + 1) {
          this.#move(tp, owner, before)
        } else if (this.#takersOf.get(tp.topic)!.some(m => this.held.has(m) && load > this.#load(m) + 1)) {
          this.#move(tp, owner, this.#byLoad.find(m => this.#topicsOf.get(m)!.has(tp.topic))!)
        } else continue
        performed = true
        modified = true
      }
    }
    return performed
  }

  #move(tp: TopicPartition, owner: string, to: string): void {
    const actual = this.#movements.actualToMove(tp, owner, to)
    const key = keyOf(actual)
    const from = this.#ownerOf.get(key)!
    this.#movements.move(actual, from, to)
    this.held.get(from)!.delete(key)
    this.held.get(to)!.set(key, actual)
    this.#ownerOf.set(key, to)
    this.#sortByLoad()
  }
}

/**
 * Returns the sum of the differences in partition counts between all pairs of members. 0 is a
 * perfect balance.
 */
function imbalance(held: Held): number {
  const sizes = [...held.values()].map(p => p.size)
  let score = 0
  for (let i = 0; i < sizes.length; i++)
    for (let j = i + 1; j < sizes.length; j++) score += Math.abs(sizes[i]! - sizes[j]!)
  return score
}
