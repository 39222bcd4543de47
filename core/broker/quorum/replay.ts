import { applyChange } from './apply.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataBatch } from './metadata-log.ts'
import type { MetadataRecord, UnknownRecord } from './records.ts'

/**
 * Builds an image from the batches of the metadata log. Records between BeginTransaction and
 * EndTransaction apply when the transaction ends. If it is aborted, they do not apply (KIP-868).
 */
export class Replay {
  image: MetadataImage
  /** The changes since the start of the replay. */
  readonly delta = { topicIds: new Set<string>(), configKeys: new Set<string>() }
  /** The ids of deleted topics, whose remaining directories may be removed. */
  readonly removedTopics = new Set<string>()
  /** The size of all batches that have been added. */
  bytes = 0
  #pending: (MetadataRecord | UnknownRecord)[] | null = null

  constructor(image: MetadataImage) {
    this.image = image
  }

  /**
   * Whether the log ends within a transaction. The transaction must then be aborted, because its
   * writer died.
   */
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
