import { applyChange } from './apply.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataBatch } from './metadata-log.ts'
import type { MetadataRecord, UnknownRecord } from './records.ts'

/**
 * Builds an image from the batches of the log. Records between BeginTransaction and EndTransaction
 * apply at the end of the transaction, and never if it was aborted (KIP-868).
 */
export class Replay {
  image: MetadataImage
  /** The changes since the start of the replay. */
  readonly delta = { topicIds: new Set<string>(), configKeys: new Set<string>() }
  /** The deleted topics, whose remaining directories may be removed. */
  readonly removedTopics = new Set<string>()
  /** Bytes of the batches. */
  bytes = 0
  #pending: (MetadataRecord | UnknownRecord)[] | null = null

  constructor(image: MetadataImage) {
    this.image = image
  }

  /** Whether the log ended within a transaction. Its writer died, so it must be aborted. */
  get inTransaction(): boolean {
    return this.#pending !== null
  }

  add(batch: MetadataBatch): void {
    const ready: (MetadataRecord | UnknownRecord)[] = []
    for (const r of batch.records) {
      if (r.kind === 'BeginTransaction') this.#pending = []
      else if (r.kind === 'AbortTransaction') this.#pending = null
      else if (r.kind === 'EndTransaction') {
        for (const pending of this.#pending ?? []) ready.push(pending)
        this.#pending = null
      } else (this.#pending ?? ready).push(r)
    }
    for (const r of ready) if (r.kind === 'RemoveTopic') this.removedTopics.add(r.value.topicId)
    const { lastOffset: offset, epoch, timestamp, quorum } = batch
    const { image, delta } = applyChange(this.image, ready, { offset, epoch, timestamp, quorum })
    this.image = image
    for (const id of delta.topicIds) this.delta.topicIds.add(id)
    for (const key of delta.configKeys) this.delta.configKeys.add(key)
    this.bytes += batch.size
  }
}
