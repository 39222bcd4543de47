import { clientErrors } from '../errors.ts'
import type { RebalanceListener, TopicPartition } from '../types.ts'
import { AssignedPartition } from './assigned-partition.ts'

/** What a consumer wants and has. No network in here. */
export class Subscription {
  mode: 'none' | 'assigned' | 'topics' | 'pattern' = 'none'
  pattern: RegExp | null = null
  listener: RebalanceListener | null = null
  /** Subscribed topics; of a pattern, those that match it at present. */
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

  /** The partition, or an MR_CLIENT_STATE error when this consumer does not have it. */
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

  /** Replaces the assignment. Partitions that stay keep their position, pause and what was fetched ahead. */
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
