import type { TopicPartitionOffset } from '../client/types.ts'

/**
 * The state of a consumer group: its committed offsets, its members, and the partitions that no
 * member gets.
 */
export class MemoryGroup {
  /** The committed offsets, by `topic-partition`. */
  readonly committed = new Map<string, number>()
  /** Called after each commit. */
  onCommit: (offsets: readonly TopicPartitionOffset[]) => void = () => {}
  /** The partitions that are not assigned to any member, by `topic-partition`. */
  readonly withheld = new Set<string>()
  /** The consumers that share the partitions. */
  readonly members: object[] = []
  /**
   * Whether members lose withheld partitions, without a chance to commit. Otherwise, revokes them.
   */
  lost = false
  readonly #crashed = new WeakSet<object>()

  /** Removes all members without a rebalance. From then on, their polls and commits do nothing. */
  crash(): void {
    for (const member of this.members.splice(0)) this.#crashed.add(member)
  }

  /** Whether `crash` has removed this consumer. */
  hasCrashed(member: object): boolean {
    return this.#crashed.has(member)
  }
}
