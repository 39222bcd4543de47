import type { Logger } from '../../common/log.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataLog } from './metadata-log.ts'
import type { SnapshotId } from './snapshot-file.ts'
import {
  isSnapshotDue,
  type MetadataRetention,
  type SnapshotFacts,
  type SnapshotLimits,
  shouldRemoveOldest,
} from './snapshot-rules.ts'

interface SnapshotterOptions {
  readonly log: Pick<MetadataLog, 'snapshots' | 'bytesSeen' | 'sizeInBytes' | 'trim'>
  readonly limits: SnapshotLimits
  readonly retention: MetadataRetention
  readonly logger: Logger
}

/** The interval between two checks for old snapshots, in milliseconds, as in Apache Kafka. */
const CLEAN_MS = 60_000
/**
 * The time to wait after a failure, such as a full disk, before the next attempt, in milliseconds.
 */
const RETRY_MS = 60_000

/**
 * Writes metadata snapshots when they are due. Removes old snapshots, and the part of the log that
 * newer snapshots replace.
 */
export class Snapshotter {
  readonly #o: SnapshotterOptions
  /** The end offset of the newest snapshot. */
  #endOffset: number
  #bytesAtSnapshot = 0
  #writtenAt: number
  #cleanedAt: number
  #notBefore = Number.NEGATIVE_INFINITY
  #running: Promise<void> | null = null
  #closed = false

  constructor(o: SnapshotterOptions, now: number) {
    this.#o = o
    this.#endOffset = o.log.snapshots.list().at(-1)?.endOffset ?? 0
    this.#writtenAt = now
    this.#cleanedAt = now
  }

  /**
   * Starts to write or remove snapshots if this is due and not already in progress. Does not wait
   * for the result.
   */
  tick(image: MetadataImage, now: number): void {
    if (this.#closed || this.#running !== null || now < this.#notBefore) return
    const writes = this.#isDue(image, now)
    if (!writes && now - this.#cleanedAt < CLEAN_MS) return
    this.#running = this.#run(writes ? image : null, now).finally(() => {
      this.#running = null
    })
  }

  /** Resolves when no snapshot is being written or removed. */
  async idle(): Promise<void> {
    await this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  #isDue(image: MetadataImage, now: number): boolean {
    if (image.offset + 1 <= this.#endOffset) return false
    return isSnapshotDue(this.#o.limits, this.#o.log.bytesSeen - this.#bytesAtSnapshot, now - this.#writtenAt)
  }

  async #run(image: MetadataImage | null, now: number): Promise<void> {
    try {
      if (image !== null) await this.#write(image, now)
      await this.#clean(now)
      this.#cleanedAt = now
    } catch (error) {
      this.#notBefore = now + RETRY_MS
      this.#o.logger.error('Cannot write a metadata snapshot. The next attempt is in one minute', error)
    }
  }

  async #write(image: MetadataImage, now: number): Promise<void> {
    const { log, logger } = this.#o
    const bytes = log.bytesSeen
    const { endOffset } = await log.snapshots.save(image, now)
    this.#endOffset = endOffset
    this.#bytesAtSnapshot = bytes
    this.#writtenAt = now
    logger.debug(`Wrote a metadata snapshot of all records before offset ${endOffset}`)
  }

  /** Removes old metadata. Trims the log first, because the old snapshot is needed until then. */
  async #clean(now: number): Promise<void> {
    const { log, retention } = this.#o
    const { snapshots } = log
    let ids = snapshots.list()
    const facts = new Map<SnapshotId, SnapshotFacts>()
    for (const id of ids) facts.set(id, { size: snapshots.size(id), timestamp: await this.#timestamp(id) })
    while (shouldRemoveOldest([...ids.map(id => facts.get(id)!)], log.sizeInBytes, retention, now)) {
      const [oldest, next] = ids as [SnapshotId, SnapshotId]
      if (await this.#checkReadable(next)) {
        await log.trim(next.endOffset)
        await snapshots.remove(oldest)
        ids = ids.slice(1)
      } else ids = ids.filter(id => id !== next)
    }
  }

  /** Checks that a snapshot is readable, before anything that it replaces is removed. */
  async #checkReadable(id: SnapshotId): Promise<boolean> {
    try {
      await this.#o.log.snapshots.load(id)
      return true
    } catch (error) {
      await this.#o.log.snapshots.markDamaged(id)
      this.#o.logger.error(`${this.#o.log.snapshots.path(id)} is damaged and was renamed to .damaged`, error)
      return false
    }
  }

  async #timestamp(id: SnapshotId): Promise<number> {
    try {
      return await this.#o.log.snapshots.timestamp(id)
    } catch {
      // The snapshot is damaged. `#checkReadable` reports this before anything depends on the
      // snapshot.
      return 0
    }
  }
}
