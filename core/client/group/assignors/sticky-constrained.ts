import type { TopicPartition } from '../../types.ts'
import { compareStrings, type GroupAssignment, type PartitionCounts } from './assignor.ts'
import { keyOf, type OwnershipView } from './sticky-owned.ts'

/**
 * An assignment. For partitions that another member still owns, `transferring` contains the new
 * owner by partition key.
 */
export interface StickyResult {
  readonly assignment: GroupAssignment
  readonly transferring: ReadonlyMap<string, string>
}

/**
 * Returns the sticky assignment if all members have subscribed to the same topics (the constrained
 * case of AbstractStickyAssignor, without racks). Each member keeps its partitions up to its quota.
 * The rest goes first to members below the minimum, then to members that may have one partition
 * more.
 */
export function assignConstrained(counts: PartitionCounts, view: OwnershipView): StickyResult {
  const state = new Constrained(counts, view)
  state.keepOwned()
  state.assignRest()
  return { assignment: state.assignment, transferring: state.transferring }
}

class Constrained {
  readonly assignment: GroupAssignment = new Map()
  readonly transferring = new Map<string, string>()
  readonly #counts: PartitionCounts
  readonly #view: OwnershipView
  readonly #minQuota: number
  readonly #maxQuota: number
  /**
   * The number of members that must get one partition more than the minimum. `#over` counts those
   * that already have it.
   */
  readonly #expectedOver: number
  #over = 0
  #underMin: string[] = []
  #atMin: string[] = []
  readonly #kept = new Set<string>()
  readonly #revokedFrom = new Map<string, string>()

  constructor(counts: PartitionCounts, view: OwnershipView) {
    this.#counts = counts
    this.#view = view
    let total = 0
    for (const n of counts.values()) total += n
    this.#minQuota = Math.floor(total / view.order.length)
    this.#maxQuota = Math.ceil(total / view.order.length)
    this.#expectedOver = total % view.order.length
    for (const id of view.order) this.assignment.set(id, [])
  }

  keepOwned(): void {
    for (const id of this.#view.order) {
      const owned = [...this.#view.owned.get(id)!.values()]
        .filter(tp => !this.#view.doublyClaimed.has(keyOf(tp)))
        .sort((a, b) => a.partition - b.partition || compareStrings(a.topic, b.topic))
      let keep = this.#minQuota
      if (owned.length < this.#minQuota) {
        keep = owned.length
        this.#underMin.push(id)
      } else if (owned.length >= this.#maxQuota && this.#over < this.#expectedOver) {
        keep = this.#maxQuota
        if (++this.#over === this.#expectedOver) this.#atMin = []
      } else if (this.#over < this.#expectedOver) {
        this.#atMin.push(id)
      }
      owned.forEach((tp, i) => {
        if (i < keep) {
          this.assignment.get(id)!.push(tp)
          this.#kept.add(keyOf(tp))
        } else {
          this.#revokedFrom.set(keyOf(tp), id)
        }
      })
    }
  }

  assignRest(): void {
    this.#underMin.sort(compareStrings)
    this.#atMin.sort(compareStrings)
    let turn = 0
    for (const topic of [...this.#counts.keys()].sort(compareStrings)) {
      for (let partition = 0; partition < this.#counts.get(topic)!; partition++) {
        const tp: TopicPartition = { topic, partition }
        if (this.#kept.has(keyOf(tp))) continue
        if (turn >= this.#underMin.length) turn = 0
        const id = this.#underMin.length > 0 ? this.#underMin[turn]! : this.#atMin.shift()
        if (id === undefined) throw new Error(`no member can take ${keyOf(tp)}`)
        const size = this.#give(tp, id)
        if (this.#underMin.length > 0) {
          if (size === this.#minQuota) {
            this.#underMin.splice(turn, 1)
            this.#atMin.push(id)
          } else turn++
        }
      }
    }
  }

  #give(tp: TopicPartition, id: string): number {
    const list = this.assignment.get(id)!
    list.push(tp)
    const key = keyOf(tp)
    const from = this.#revokedFrom.get(key)
    if ((from !== undefined && from !== id) || this.#view.doublyClaimed.has(key)) this.transferring.set(key, id)
    return list.length
  }
}
