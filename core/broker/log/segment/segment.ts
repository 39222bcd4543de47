import { fdatasync, fstatSync, ftruncateSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HEADER_SIZE, maxTimestamp } from '../../../protocol/records/batch-header.ts'
import { type CachedFile, cachedFile, type FdCache } from '../io/fd-cache.ts'
import { isErrno, renameIfThere, syncDirectory, touch } from '../io/files.ts'
import type { BatchMeta } from './batch-meta.ts'
import { DELETED, INDEX, LOG, offsetFileName, SNAPSHOT, TIME_INDEX, TXN_INDEX } from './log-files.ts'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex, type TimestampOffset } from './time-index.ts'
import { TxnIndex } from './txn-index.ts'

/** Index entries are written when this many are in memory. */
const WRITE_OUT_AT = 512
/**
 * The number of recent read ends to keep. A reader that continues at one of them needs no index
 * lookup.
 */
const HINTS = 8
const INT32_MAX = 0x7fffffff

/**
 * One segment of a partition's log: the `.log` file and its indexes. Files are only open while they
 * are used.
 */
export class Segment {
  readonly baseOffset: number
  readonly log: CachedFile
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
  readonly txns: TxnIndex
  readonly createdAt: number
  /** The size of the valid part of the `.log` file. */
  size: number
  #dir: string
  readonly #fds: FdCache
  #bytesSinceIndex = 0
  #latest: TimestampOffset | null = null
  #firstTimestamp: number | null = null
  /** Whether the file's name is on disk. A new file needs a sync of its directory. */
  #isNameDurable = true
  #hintOffsets: number[] = []
  #hintPositions: number[] = []
  #nextHint = 0

  constructor(
    fds: FdCache,
    dir: string,
    baseOffset: number,
    found: { size: number; indexEntries: number; timeEntries: number; hasTxns: boolean; createdAt: number },
    state = '',
  ) {
    const path = (suffix: string) => join(dir, offsetFileName(baseOffset, suffix) + state)
    this.#fds = fds
    this.#dir = dir
    this.baseOffset = baseOffset
    this.size = found.size
    this.createdAt = found.createdAt
    this.log = cachedFile(path(LOG))
    this.offsets = new OffsetIndex(path(INDEX), baseOffset, found.indexEntries)
    this.times = new TimeIndex(path(TIME_INDEX), baseOffset, found.timeEntries)
    this.txns = new TxnIndex(path(TXN_INDEX), !found.hasTxns)
  }

  /**
   * Creates the file of a new segment. Its indexes are created with the first batch. Existing files
   * with these names are overwritten.
   */
  static create(fds: FdCache, dir: string, baseOffset: number, now: number): Segment {
    const found = { size: 0, indexEntries: 0, timeEntries: 0, hasTxns: false, createdAt: now }
    const segment = new Segment(fds, dir, baseOffset, found)
    const fd = fds.fd(segment.log, 'w+')
    // Only if necessary: when ext4 closes a file that was truncated to 0, it writes the file out,
    // which takes long.
    if (fstatSync(fd).size > 0) ftruncateSync(fd, 0)
    segment.#isNameDurable = false
    return segment
  }

  get dir(): string {
    return this.#dir
  }

  /** The file's descriptor, valid until the next event loop turn, or while `log` is pinned. */
  fd(): number {
    return this.#fds.fd(this.log)
  }

  /**
   * The latest timestamp and the last offset of the batch that has it. -1 if the segment is empty.
   */
  get latest(): TimestampOffset {
    this.#latest ??= this.times.last()
    return this.#latest
  }

  /** Updates the indexes after a batch was written at a position. */
  addToIndexes(batch: BatchMeta, position: number, indexIntervalBytes: number): void {
    if (position === 0) this.#firstTimestamp = batch.maxTimestamp
    if (batch.maxTimestamp > this.latest.timestamp) {
      this.#latest = { timestamp: batch.maxTimestamp, offset: batch.lastOffset }
    }
    if (this.#bytesSinceIndex > indexIntervalBytes) {
      this.offsets.append(batch.lastOffset, position)
      this.times.maybeAppend(this.latest.timestamp, this.latest.offset)
      this.#bytesSinceIndex = 0
    }
    this.#bytesSinceIndex += batch.size
  }

  /** Whether the indexes can store an offset as int32. */
  canHold(offset: number): boolean {
    return offset - this.baseOffset <= INT32_MAX
  }

  isIndexFull(segmentIndexBytes: number): boolean {
    const { offsets, times } = this
    return offsets.count >= Math.floor(segmentIndexBytes / 8) || times.count >= Math.floor(segmentIndexBytes / 12) - 1
  }

  /** Creates the index files, which every segment with records has, even if they are empty. */
  touchIndexes(): void {
    touch(this.offsets.file.path)
    touch(this.times.file.path)
  }

  get indexesAreDue(): boolean {
    return this.offsets.file.pendingCount >= WRITE_OUT_AT
  }

  /** Writes the index entries. Throws if the write fails, and then keeps the entries in memory. */
  writeOutIndexes(): void {
    this.offsets.file.writeOut()
    this.times.file.writeOut()
    this.txns.writeOut()
  }

  /**
   * The maximum timestamp of the first batch, from which `segment.ms` counts. -1 if there is none.
   */
  firstTimestamp(): number {
    if (this.#firstTimestamp !== null) return this.#firstTimestamp
    if (this.size < HEADER_SIZE) return -1
    const bytes = Buffer.alloc(HEADER_SIZE)
    readSync(this.fd(), bytes, 0, HEADER_SIZE, 0)
    this.#firstTimestamp = maxTimestamp(bytes, 0)
    return this.#firstTimestamp
  }

  /** Adds the last entry to the time index, when the segment becomes inactive or the log closes. */
  seal(): void {
    if (this.latest.timestamp >= 0) this.times.maybeAppend(this.latest.timestamp, this.latest.offset)
    this.writeOutIndexes()
  }

  /** Returns a position at or before the batch that contains an offset. */
  positionFor(offset: number): number {
    for (let i = 0; i < this.#hintOffsets.length; i++) {
      if (this.#hintOffsets[i] === offset) return this.#hintPositions[i]!
    }
    return this.offsets.lookup(offset)
  }

  /** Stores the position of the batch that starts with an offset. */
  addHint(offset: number, position: number): void {
    if (this.#hintOffsets.includes(offset)) return
    this.#hintOffsets[this.#nextHint] = offset
    this.#hintPositions[this.#nextHint] = position
    this.#nextHint = (this.#nextHint + 1) % HINTS
  }

  /** Removes the index entries before they are rebuilt. */
  clearIndexes(transactionsToo: boolean): void {
    this.offsets.file.clear()
    this.times.clear()
    if (transactionsToo) this.txns.truncateFrom(this.baseOffset)
    this.#latest = null
    this.#firstTimestamp = null
    this.#bytesSinceIndex = 0
  }

  /**
   * Truncates the file after its valid batches. The indexes have no entries for the removed part.
   */
  truncateTo(size: number): void {
    ftruncateSync(this.fd(), size)
    this.size = size
  }

  /**
   * Calls fdatasync for the `.log` file, and the first time also syncs the directories that contain
   * its name.
   */
  async sync(): Promise<void> {
    const fd = this.#fds.pin(this.log)
    try {
      await new Promise<void>((resolve, reject) => {
        fdatasync(fd, error => {
          if (error) reject(error)
          else resolve()
        })
      })
      if (this.#isNameDurable) return
      await syncDirectory(this.#dir)
      await syncDirectory(dirname(this.#dir))
      this.#isNameDurable = true
    } finally {
      this.#fds.unpin(this.log)
    }
  }

  /** Calls fdatasync for all files. Does nothing for a segment that was deleted during the sync. */
  async syncAll(): Promise<void> {
    this.writeOutIndexes()
    try {
      await this.sync()
      for (const index of [this.offsets.file, this.times.file]) {
        if (index.count === 0) continue
        const handle = await open(index.path, 'r+')
        try {
          await handle.datasync()
        } finally {
          await handle.close()
        }
      }
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
    }
  }

  /** The names of the files that the segment has or may have. */
  paths(): string[] {
    return [this.offsets.file.path, this.times.file.path, this.txns.path, this.log.path]
  }

  /** Renames the files: to `.swap`, or to their names without a suffix. */
  rename(state: string): void {
    const before = this.paths()
    this.moveTo(this.#dir, state)
    for (const [i, path] of this.paths().entries()) renameIfThere(before[i]!, path)
  }

  /**
   * Renames the files to `.deleted`, by default together with the producer snapshot. Returns the
   * new names, for the trash.
   */
  markDeleted(snapshotToo = true): string[] {
    const renamed: string[] = []
    for (const suffix of [LOG, INDEX, TIME_INDEX, TXN_INDEX, SNAPSHOT]) {
      if (suffix === SNAPSHOT && !snapshotToo) continue
      const path = join(this.#dir, offsetFileName(this.baseOffset, suffix))
      if (renameIfThere(path, path + DELETED)) renamed.push(path + DELETED)
    }
    // A reader may still use the file, and another file may get its name.
    this.moveTo(this.#dir, DELETED)
    this.release()
    return renamed
  }

  /** Called after the partition's directory or the suffix of the files changed. */
  moveTo(dir: string, state = ''): void {
    const path = (suffix: string) => join(dir, offsetFileName(this.baseOffset, suffix) + state)
    this.#dir = dir
    this.log.path = path(LOG)
    this.offsets.file.path = path(INDEX)
    this.times.file.path = path(TIME_INDEX)
    this.txns.path = path(TXN_INDEX)
  }

  release(): void {
    this.#fds.release(this.log)
  }
}
