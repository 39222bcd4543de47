import type { Cluster } from '../cluster/cluster.ts'
import type { PartitionQueue } from './partition-queue.ts'

/** Partitions that have something to send and nobody to send it to. The metadata is refreshed for as long as there are any; the batches have their own time limit. */
export class Leaderless {
  readonly #cluster: Cluster
  readonly #onChance: (queue: PartitionQueue) => void
  readonly #queues = new Set<PartitionQueue>()
  #chasing = false

  /** `onChance`: the metadata has changed, or the way to the old leader may be open again. */
  constructor(cluster: Cluster, onChance: (queue: PartitionQueue) => void) {
    this.#cluster = cluster
    this.#onChance = onChance
    cluster.onUpdate(() => this.#retry())
  }

  /** `error`: why the leader cannot be reached, where that is known. */
  add(queue: PartitionQueue, error?: unknown): void {
    if (error !== undefined && queue.next) queue.next.lastError = error as Error
    this.#queues.add(queue)
    this.#chase()
  }

  #retry(): void {
    const waiting = [...this.#queues]
    this.#queues.clear()
    for (const queue of waiting) this.#onChance(queue)
  }

  #chase(): void {
    if (this.#chasing || this.#cluster.signal.aborted) return
    this.#chasing = true
    const again = (error: unknown) => {
      this.#chasing = false
      if (this.#cluster.signal.aborted) return
      if (error !== null) {
        for (const q of this.#queues) if (q.next) q.next.lastError = error as Error
        this.#retry()
      }
      if (this.#queues.size > 0) this.#chase()
    }
    this.#cluster.refresh().then(() => again(null), again)
  }
}
