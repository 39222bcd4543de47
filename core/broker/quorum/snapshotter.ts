import type { Logger } from '../../common/log.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataLog } from './metadata-log.ts'
import type { SnapshotId } from './snapshot-file.ts'
import {
  isSnapshotDue,
  type MetadataRetention,
  mayDropOldest,
  type SnapshotFacts,
  type SnapshotLimits,
} from './snapshot-rules.ts'

interface SnapshotterOptions {
  readonly log: Pick<MetadataLog, 'snapshots' | 'bytesSeen' | 'sizeInBytes' | 'trim'>
  readonly limits: SnapshotLimits
  readonly retention: MetadataRetention
  readonly logger: Logger
}

/** How often to look for old snapshots; the same as Apache Kafka. */
const CLEAN_MS = 60_000
/** The delay after a failure, such as a full disk. */
const RETRY_MS = 60_000

/** Writes metadata snapshots when they are due, and removes old ones with the log before them. */
export class Snapshotter {
  readonly #o: SnapshotterOptions
  /** The end of the newest snapshot. */
  #endOffset: number
  #bytesThen = 0
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

  /** Starts what is due unless already running. Does not wait for it to finish. */
  tick(image: MetadataImage, now: number): void {
    if (this.#closed || this.#running !== null || now < this.#notBefore) return
    const writes = this.#isDue(image, now)
    if (!writes && now - this.#cleanedAt < CLEAN_MS) return
    this.#running = this.#run(writes ? image : null, now).finally(() => {
      this.#running = null
    })
  }

  /** Resolves when no write or removal is running. */
  async idle(): Promise<void> {
    await this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  #isDue(image: MetadataImage, now: number): boolean {
    if (image.offset + 1 <= this.#endOffset) return false
    return isSnapshotDue(this.#o.limits, this.#o.log.bytesSeen - this.#bytesThen, now - this.#writtenAt)
  }

  async #run(image: MetadataImage | null, now: number): Promise<void> {
    try {
      if (image !== null) await this.#write(image, now)
      await this.#clean(now)
      this.#cleanedAt = now
    } catch (error) {
      this.#notBefore = now + RETRY_MS
      this.#o.logger.error('Cannot write a metadata snapshot; retrying in a minute', error)
    }
  }

  async #write(image: MetadataImage, now: number): Promise<void> {
    const { log, logger } = this.#o
    const bytes = log.bytesSeen
    const { endOffset } = await log.snapshots.save(image, now)
    this.#endOffset = endOffset
    this.#bytesThen = bytes
    this.#writtenAt = now
    logger.debug(`Wrote a metadata snapshot up to offset ${endOffset}`)
  }

  /** Trims the log first: only then is the old snapshot no longer needed. */
  async #clean(now: number): Promise<void> {
    const { log, retention } = this.#o
    const { snapshots } = log
    let ids = snapshots.list()
    const facts = new Map<SnapshotId, SnapshotFacts>()
    for (const id of ids) facts.set(id, { size: snapshots.size(id), timestamp: await this.#timestamp(id) })
    while (mayDropOldest([...ids.map(id => facts.get(id)!)], log.sizeInBytes, retention, now)) {
      const [oldest, next] = ids as [SnapshotId, SnapshotId]
      if (await this.#isWhole(next)) {
        await log.trim(next.endOffset)
        await snapshots.remove(oldest)
        ids = ids.slice(1)
      } else ids = ids.filter(id => id !== next)
    }
  }

  /** Never remove anything on the strength of a snapshot that cannot be read. */
  async #isWhole(id: SnapshotId): Promise<boolean> {
    try {
      await this.#o.log.snapshots.load(id)
      return true
    } catch (error) {
      await this.#o.log.snapshots.putAside(id)
      this.#o.logger.error(`${this.#o.log.snapshots.path(id)} is damaged and was renamed to .damaged`, error)
      return false
    }
  }

  async #timestamp(id: SnapshotId): Promise<number> {
    try {
      return await this.#o.log.snapshots.timestamp(id)
    } catch {
      // `#isWhole` finds out before anything depends on it
      return 0
    }
  }
}
