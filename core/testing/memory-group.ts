import type { TopicPartitionOffset } from '../client/types.ts'

/**
 * The state of a consumer group: its committed offsets, its members and the partitions that they
 * share.
 */
export class MemoryGroup {
  /** The committed offsets, by `topic-partition`. */
  readonly committed = new Map<string, number>()
  /** Called after each commit. */
  onCommit: (offsets: readonly TopicPartitionOffset[]) => void = () => {}
  /** The partitions that the consumer does not get. */
  readonly withheld = new Set<string>()
  /** The consumers of the group. They share the partitions. */
  readonly members: object[] = []
  /** Whether withheld partitions are lost rather than revoked. */
  lost = false
  readonly #crashed = new WeakSet<object>()

  /** Removes all members without a rebalance, as a crash of the worker does. */
  crash(): void {
    for (const member of this.members.splice(0)) this.#crashed.add(member)
  }

  /** Whether the worker of this member has crashed. */
  hasCrashed(member: object): boolean {
    return this.#crashed.has(member)
  }
}
