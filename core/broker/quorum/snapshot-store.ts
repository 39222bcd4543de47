import { readdirSync, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EMPTY_IMAGE, type MetadataImage } from './image.ts'
import { imageRecords } from './image-records.ts'
import { decodeRecord } from './records.ts'
import { Replay } from './replay.ts'
import {
  isSnapshotLeftover,
  parseSnapshotName,
  readSnapshot,
  type SnapshotId,
  snapshotName,
  snapshotTimestamp,
  writeSnapshot,
} from './snapshot-file.ts'

/** The snapshot files next to the metadata log. */
export class SnapshotStore {
  readonly dir: string

  constructor(dir: string) {
    this.dir = dir
  }

  /** Returns the ids of all snapshots, the oldest first. */
  list(): SnapshotId[] {
    return readdirSync(this.dir)
      .map(parseSnapshotName)
      .filter(id => id !== null)
      .sort((a, b) => a.endOffset - b.endOffset || a.epoch - b.epoch)
  }

  path(id: SnapshotId): string {
    return join(this.dir, snapshotName(id))
  }

  size(id: SnapshotId): number {
    return statSync(this.path(id)).size
  }

  timestamp(id: SnapshotId): Promise<number> {
    return snapshotTimestamp(this.path(id))
  }

  /** Removes partial or removed snapshots that a crash left behind. */
  async removeLeftovers(): Promise<void> {
    for (const name of readdirSync(this.dir))
      if (isSnapshotLeftover(name)) await rm(join(this.dir, name), { force: true })
  }

  async remove(id: SnapshotId): Promise<void> {
    await rm(this.path(id), { force: true })
  }

  /**
   * Renames a damaged snapshot, so that the broker ignores the file and an operator can still
   * repair it.
   */
  async markDamaged(id: SnapshotId): Promise<void> {
    await rename(this.path(id), `${this.path(id)}.damaged`)
  }

  /** Returns the image that a snapshot contains. Throws if the file is damaged. */
  async load(id: SnapshotId): Promise<MetadataImage> {
    const replay = new Replay(EMPTY_IMAGE)
    let timestamp = 0
    for await (const part of readSnapshot(this.path(id))) {
      if (part.kind === 'header') timestamp = part.timestamp
      const records = part.kind === 'records' ? part.values.map(decodeRecord) : []
      const quorum = part.kind === 'quorum' ? part.quorum : {}
      replay.add({ lastOffset: id.endOffset - 1, epoch: id.epoch, timestamp, size: 0, records, quorum })
    }
    return replay.image
  }

  /** Writes a snapshot of a committed image and returns its id. */
  async save(image: MetadataImage, now: number): Promise<SnapshotId> {
    const id = { endOffset: image.offset + 1, epoch: image.epoch }
    const { timestamp, quorum } = image
    await writeSnapshot(this.dir, { id, timestamp, quorum, records: imageRecords(image) }, now)
    return id
  }
}
