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

/** Index entries are written to disk when this many are in memory. */
const WRITE_OUT_AT = 512
/**
 * The number of recent reads whose end offset and position are stored. A reader that continues at
 * such an offset needs no index lookup.
 */
const HINTS = 8
const INT32_MAX = 0x7fffffff

/** One segment of a partition's log: the `.log` file and its indexes. */
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
  /**
   * Whether the name of the `.log` file is durable. After the file is created, its directory must
   * be synced once.
   */
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
   * Creates the `.log` file of a new segment, or truncates an existing file. The index files are
   * created when the first batch is appended.
   */
  static create(fds: FdCache, dir: string, baseOffset: number, now: number): Segment {
    const found = { size: 0, indexEntries: 0, timeEntries: 0, hasTxns: false, createdAt: now }
    const segment = new Segment(fds, dir, baseOffset, found)
    const fd = fds.fd(segment.log, 'w+')
    // Truncate only if necessary. When a file that was truncated to 0 is closed, ext4 writes the
    // file's data to disk, which takes long.
    if (fstatSync(fd).size > 0) ftruncateSync(fd, 0)
    segment.#isNameDurable = false
    return segment
  }

  get dir(): string {
    return this.#dir
  }

  /**
   * Returns the descriptor of the `.log` file. The descriptor is valid until the next event loop
   * turn, or while `log` is pinned.
   */
  fd(): number {
    return this.#fds.fd(this.log)
  }

  /**
   * The highest timestamp in the segment, and the last offset of the batch that contains it. The
   * timestamp is -1 if the segment is empty.
   */
  get latest(): TimestampOffset {
    this.#latest ??= this.times.last()
    return this.#latest
  }

  /** Updates the indexes for a batch that was written at a position. */
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

  /**
   * Returns whether the indexes can store an offset, which they store as an int32 relative to the
   * base offset.
   */
  canHold(offset: number): boolean {
    return offset - this.baseOffset <= INT32_MAX
  }

  isIndexFull(segmentIndexBytes: number): boolean {
    const { offsets, times } = this
    return offsets.count >= Math.floor(segmentIndexBytes / 8) || times.count >= Math.floor(segmentIndexBytes / 12) - 1
  }

  /**
   * Creates empty index files. As in Kafka, a segment with records has index files even if they
   * have no entries.
   */
  touchIndexes(): void {
    touch(this.offsets.file.path)
    touch(this.times.file.path)
  }

  get indexesAreDue(): boolean {
    return this.offsets.file.pendingCount >= WRITE_OUT_AT
  }

  /** Writes the index entries to disk. If a write fails, throws and keeps the entries in memory. */
  writeOutIndexes(): void {
    this.offsets.file.writeOut()
    this.times.file.writeOut()
    this.txns.writeOut()
  }

  /**
   * Returns the maximum timestamp of the first batch, or -1 if the segment is empty. `segment.ms`
   * is measured from this time.
   */
  firstTimestamp(): number {
    if (this.#firstTimestamp !== null) return this.#firstTimestamp
    if (this.size < HEADER_SIZE) return -1
    const bytes = Buffer.alloc(HEADER_SIZE)
    readSync(this.fd(), bytes, 0, HEADER_SIZE, 0)
    this.#firstTimestamp = maxTimestamp(bytes, 0)
    return this.#firstTimestamp
  }

  /**
   * Adds the highest timestamp to the time index and writes the indexes. Call this when the segment
   * becomes inactive, or when the log closes.
   */
  seal(): void {
    if (this.latest.timestamp >= 0) this.times.maybeAppend(this.latest.timestamp, this.latest.offset)
    this.writeOutIndexes()
  }

  /** Returns the position of the batch that contains an offset, or of an earlier batch. */
  positionFor(offset: number): number {
    for (let i = 0; i < this.#hintOffsets.length; i++) {
      if (this.#hintOffsets[i] === offset) return this.#hintPositions[i]!
    }
    return this.offsets.lookup(offset)
  }

  /**
   * Stores the position of the batch that starts at an offset, so that `positionFor` needs no index
   * lookup.
   */
  addHint(offset: number, position: number): void {
    if (this.#hintOffsets.includes(offset)) return
    this.#hintOffsets[this.#nextHint] = offset
    this.#hintPositions[this.#nextHint] = position
    this.#nextHint = (this.#nextHint + 1) % HINTS
  }

  /**
   * Removes all entries of the offset index and the time index. Also removes those of the
   * transaction index if `transactionsToo` is true.
   */
  clearIndexes(transactionsToo: boolean): void {
    this.offsets.file.clear()
    this.times.clear()
    if (transactionsToo) this.txns.truncateFrom(this.baseOffset)
    this.#latest = null
    this.#firstTimestamp = null
    this.#bytesSinceIndex = 0
  }

  /**
   * Truncates the `.log` file to `size` bytes. The indexes must have no entries for the removed
   * part.
   */
  truncateTo(size: number): void {
    ftruncateSync(this.fd(), size)
    this.size = size
  }

  /**
   * Calls fdatasync for the `.log` file. For a new file, also syncs its directory and the parent
   * directory, so that the file's name is durable.
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

  /**
   * Writes the indexes to disk, and calls fdatasync for the `.log` file and the indexes. Ignores
   * files that were deleted in the meantime.
   */
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

  /** Returns the paths of all files that the segment can have. */
  paths(): string[] {
    return [this.offsets.file.path, this.times.file.path, this.txns.path, this.log.path]
  }

  /** Changes the suffix of the files to `.swap`, or removes it if `state` is empty. */
  rename(state: string): void {
    const before = this.paths()
    this.moveTo(this.#dir, state)
    for (const [i, path] of this.paths().entries()) renameIfThere(before[i]!, path)
  }

  /**
   * Adds the suffix `.deleted` to the files, and to the producer snapshot if `snapshotToo` is true.
   * Returns the new paths.
   */
  markDeleted(snapshotToo = true): string[] {
    const renamed: string[] = []
    for (const suffix of [LOG, INDEX, TIME_INDEX, TXN_INDEX, SNAPSHOT]) {
      if (suffix === SNAPSHOT && !snapshotToo) continue
      const path = join(this.#dir, offsetFileName(this.baseOffset, suffix))
      if (renameIfThere(path, path + DELETED)) renamed.push(path + DELETED)
    }
    // Readers may still use the files. They must not open other files that get the old names.
    this.moveTo(this.#dir, DELETED)
    this.release()
    return renamed
  }

  /** Updates the paths after the files were renamed or moved with their directory. */
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
