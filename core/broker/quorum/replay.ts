import { applyChange } from './apply.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataBatch } from './metadata-log.ts'
import type { MetadataRecord, UnknownRecord } from './records.ts'

/**
 * Builds the image out of the log's batches. What stands between BeginTransaction and EndTransaction takes effect at the end, and never if the
 * transaction was aborted (KIP-868).
 */
export class Replay {
  image: MetadataImage
  /** What changed since the image that the replay began with. */
  readonly delta = { topicIds: new Set<string>(), configKeys: new Set<string>() }
  /** Topics that were deleted: what is left of them on disk may go. */
  readonly removedTopics = new Set<string>()
  /** Bytes of the batches. */
  bytes = 0
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
