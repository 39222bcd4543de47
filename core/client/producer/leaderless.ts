import type { Cluster } from '../cluster/cluster.ts'
import type { PartitionQueue } from './partition-queue.ts'

/**
 * Partitions that have a batch to send, but whose leader is unknown or cannot be reached. While
 * this set is not empty, the metadata is refreshed. Batches still fail after `delivery.timeout.ms`.
 */
export class Leaderless {
  readonly #cluster: Cluster
  readonly #onRetry: (queue: PartitionQueue) => void
  readonly #queues = new Set<PartitionQueue>()
  #isRefreshing = false

  /**
   * `onRetry` is called for each partition after each refresh of the metadata, including failed
   * ones.
   */
  constructor(cluster: Cluster, onRetry: (queue: PartitionQueue) => void) {
    this.#cluster = cluster
    this.#onRetry = onRetry
    cluster.onUpdate(() => this.#retry())
  }

  /**
   * Adds a partition. `error` is the reason why the leader cannot be reached, if the reason is
   * known.
   */
  add(queue: PartitionQueue, error?: Error): void {
    if (error) queue.next?.attemptFailed(error, false)
    this.#queues.add(queue)
    this.#refresh()
  }

  #retry(): void {
    const waiting = [...this.#queues]
    this.#queues.clear()
    for (const queue of waiting) this.#onRetry(queue)
  }

  #refresh(): void {
    if (this.#isRefreshing || this.#cluster.signal.aborted) return
    this.#isRefreshing = true
    const done = (error: Error | null) => {
      this.#isRefreshing = false
      if (this.#cluster.signal.aborted) return
      if (error) {
        for (const queue of this.#queues) queue.next?.attemptFailed(error, false)
        this.#retry()
      }
      if (this.#queues.size > 0) this.#refresh()
    }
    this.#cluster.refresh().then(() => done(null), done)
  }
}
