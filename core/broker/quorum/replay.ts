import { applyRecords } from './apply.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataBatch } from './metadata-log.ts'
import type { MetadataRecord, UnknownRecord } from './records.ts'

/**
 * Builds the image out of the log's batches. What stands between BeginTransaction and EndTransaction takes effect at the end, and never if the
 * transaction was aborted (KIP-868).
 */
export class Replay {
  image: MetadataImage
  /** Topics that were deleted: what is left of them on disk may go. */
  readonly removedTopics = new Set<string>()
  #pending: (MetadataRecord | UnknownRecord)[] | null = null

  constructor(image: MetadataImage) {
    this.image = image
  }

  /** Whether the log ended within a transaction: its writer died, and it has to be aborted. */
  get inTransaction(): boolean {
    return this.#pending !== null
  }

  add(batch: MetadataBatch): void {
    const ready: (MetadataRecord | UnknownRecord)[] = []
    for (const r of batch.records) {
      if (r.kind === 'BeginTransaction') this.#pending = []
      else if (r.kind === 'AbortTransaction') this.#pending = null
      else if (r.kind === 'EndTransaction') {
        ready.push(...(this.#pending ?? []))
        this.#pending = null
      } else (this.#pending ?? ready).push(r)
    }
    for (const r of ready) if (r.kind === 'RemoveTopic') this.removedTopics.add(r.value.topicId)
    this.image = applyRecords(this.image, ready, batch.lastOffset, batch.epoch)
  }
}
