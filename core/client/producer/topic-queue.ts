import type { DeliveryListener, ProducerRecord } from '../types.ts'
import { PartitionQueue } from './partition-queue.ts'
import { StickyPartition } from './partitioner.ts'

/** A record that waits for its topic's metadata. */
export interface PendingRecord {
  readonly record: ProducerRecord
  readonly timestamp: number
  readonly listener: DeliveryListener | undefined
  readonly token: number
  readonly bytes: number
  /** performance.now() at which `max.block.ms` is over. */
  readonly deadline: number
}

/** A topic that is written to. */
export class TopicQueue {
  readonly name: string
  readonly sticky: StickyPartition
  readonly partitions: PartitionQueue[] = []
  /** Records whose partition is not known yet. While there are any, all records of the topic queue up behind them. */
  pending: PendingRecord[] = []
  resolving = false
  /** The metadata is kept up to date for it. */
  followed = false
  /** When a batch was last begun (performance.now). */
  lastUsed = 0
  /** How many partitions there are at present; fewer than there are queues where the topic was made anew. */
  count = 0
  /** Told when `pending` becomes empty. */
  onResolved: (() => void)[] = []
  /** What compression has made of this topic's records lately: compressed bytes for each raw byte. */
  ratio = 1

  constructor(name: string, batchSize: number) {
    this.name = name
    this.sticky = new StickyPartition(batchSize)
  }

  /** Takes the number of partitions that the metadata shows; 0, which is no news, is passed over. */
  resize(count: number): void {
    if (count === 0) return
    this.count = count
    while (this.partitions.length < count) this.partitions.push(new PartitionQueue(this.name, this.partitions.length))
    if (this.sticky.current >= count) this.sticky.current = -1
  }

  /** Whether records are on their way to it. */
  get busy(): boolean {
    return this.resolving || this.pending.length > 0 || this.partitions.some(q => q.order.length > 0)
  }

  /** After Java's CompressionRatioEstimator: quick to rise, slow to fall. */
  observeRatio(ratio: number): void {
    this.ratio = Math.min(
      1,
      Math.max(0.05, ratio > this.ratio ? Math.max(this.ratio + 0.05, ratio) : Math.max(this.ratio - 0.005, ratio)),
    )
  }
}
