import { clientErrors } from '../errors.ts'
import type { RebalanceListener, TopicPartition } from '../types.ts'
import { AssignedPartition } from './assigned-partition.ts'

/**
 * The topics that a consumer has subscribed to, and the partitions that are assigned to it. Does no
 * I/O.
 */
export class Subscription {
  mode: 'none' | 'assigned' | 'topics' | 'pattern' = 'none'
  pattern: RegExp | null = null
  listener: RebalanceListener | null = null
  /** The subscribed topics, or the topics that match the pattern. */
  topics: ReadonlySet<string> = new Set()
  readonly #partitions = new Map<string, AssignedPartition>()

  get isGroup(): boolean {
    return this.mode === 'topics' || this.mode === 'pattern'
  }

  partitions(): Iterable<AssignedPartition> {
    return this.#partitions.values()
  }

  get(topic: string, partition: number): AssignedPartition | undefined {
    return this.#partitions.get(`${topic}:${partition}`)
  }

  /** Returns an assigned partition. Throws MR_CLIENT_STATE if it is not assigned. */
  need(tp: TopicPartition): AssignedPartition {
    const p = this.get(tp.topic, tp.partition)
    if (p) return p
    throw clientErrors.create('MR_CLIENT_STATE', {
      what: `partition ${tp.topic}-${tp.partition} is not assigned to this consumer`,
    })
  }

  list(): TopicPartition[] {
    return [...this.#partitions.values()].map(p => ({ topic: p.topic, partition: p.partition }))
  }

  /**
   * Replaces the assignment. A partition that was already assigned keeps its position, its paused
   * state and its buffered records.
   */
  assign(partitions: readonly TopicPartition[]): void {
    const before = new Map(this.#partitions)
    this.#partitions.clear()
    for (const { topic, partition } of partitions) {
      const key = `${topic}:${partition}`
      this.#partitions.set(key, before.get(key) ?? new AssignedPartition(topic, partition))
    }
  }

  clear(): void {
    this.mode = 'none'
    this.pattern = null
    this.listener = null
    this.topics = new Set()
    this.#partitions.clear()
  }
}
