import { fdatasync, fstatSync, ftruncateSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HEADER_SIZE, maxTimestamp } from '../../../protocol/records/batch-header.ts'
import { type CachedFile, cachedFile, type FdCache } from '../fd-cache.ts'
import { isErrno, renameIfThere, syncDirectory, touch } from '../files.ts'
import type { BatchMeta } from './batch-meta.ts'
import { DELETED, INDEX, LOG, offsetFileName, SNAPSHOT, TIME_INDEX, TXN_INDEX } from './log-files.ts'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex, type TimestampOffset } from './time-index.ts'
import { TxnIndex } from './txn-index.ts'

/** Index entries are written out when so many wait. */
const WRITE_OUT_AT = 512
/** Ends of recent reads, so that the next one of the same reader finds its place without the index. */
const HINTS = 8
const INT32_MAX = 0x7fffffff

/** One segment of a partition's log: the `.log` file and its indexes. Holds no file open that nobody uses. */
export class Segment {
  readonly baseOffset: number
  readonly log: CachedFile
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
  readonly txns: TxnIndex
  readonly createdAt: number
  /** Valid bytes in the `.log` file. */
  size: number
  #dir: string
  readonly #fds: FdCache
  #bytesSinceIndex = 0
  #latest: TimestampOffset | null = null
  #firstTimestamp: number | null = null
  /** A new file's name is on disk only when its directory is synced. */
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

  /** Makes the file of a new segment; its indexes come with the first batch. Whatever was there under these names is lost. */
  static create(fds: FdCache, dir: string, baseOffset: number, now: number): Segment {
    const found = { size: 0, indexEntries: 0, timeEntries: 0, hasTxns: false, createdAt: now }
    const segment = new Segment(fds, dir, baseOffset, found)
    const fd = fds.fd(segment.log, 'w+')
    // not for nothing: ext4 writes a file that was truncated to 0 out when it is closed, which then takes long
    if (fstatSync(fd).size > 0) ftruncateSync(fd, 0)
    segment.#isNameDurable = false
    return segment
  }

  get dir(): string {
    return this.#dir
  }

  /** The file's descriptor, valid until the next turn of the event loop unless `log` is pinned. */
  fd(): number {
    return this.#fds.fd(this.log)
  }

  /** The latest timestamp and the last offset of the batch that has it; -1 when the segment is empty. */
  get latest(): TimestampOffset {
    this.#latest ??= this.times.last()
    return this.#latest
  }

  /** Notes a batch that was written at a position. */
  noteAppended(batch: BatchMeta, position: number, indexIntervalBytes: number): void {
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

  /** Whether an offset fits the indexes' int32. */
  canHold(offset: number): boolean {
    return offset - this.baseOffset <= INT32_MAX
  }

  isIndexFull(segmentIndexBytes: number): boolean {
    const { offsets, times } = this
    return offsets.count >= Math.floor(segmentIndexBytes / 8) || times.count >= Math.floor(segmentIndexBytes / 12) - 1
  }

  /** A segment with records has index files, even when they are still empty. */
  touchIndexes(): void {
    touch(this.offsets.file.path)
    touch(this.times.file.path)
  }

  get indexesAreDue(): boolean {
    return this.offsets.file.pendingCount >= WRITE_OUT_AT
  }

  /** Throws when the disk refuses; the entries stay in memory then. */
  writeOutIndexes(): void {
    this.offsets.file.writeOut()
    this.times.file.writeOut()
    this.txns.writeOut()
  }

  /** The latest timestamp of the first batch, which `segment.ms` counts from; -1 when there is none. */
  firstTimestamp(): number {
    if (this.#firstTimestamp !== null) return this.#firstTimestamp
    if (this.size < HEADER_SIZE) return -1
    const bytes = Buffer.alloc(HEADER_SIZE)
    readSync(this.fd(), bytes, 0, HEADER_SIZE, 0)
    this.#firstTimestamp = maxTimestamp(bytes, 0)
    return this.#firstTimestamp
  }

  /** The segment becomes inactive, or the log closes: the time index gets its last entry. */
  seal(): void {
    if (this.latest.timestamp >= 0) this.times.maybeAppend(this.latest.timestamp, this.latest.offset)
    this.writeOutIndexes()
  }

  /** A position at or before the batch that holds an offset. */
  positionFor(offset: number): number {
    for (let i = 0; i < this.#hintOffsets.length; i++) {
      if (this.#hintOffsets[i] === offset) return this.#hintPositions[i]!
    }
    return this.offsets.lookup(offset)
  }

  /** Remembers that the batch beginning with an offset is at a position. */
  hint(offset: number, position: number): void {
    if (this.#hintOffsets.includes(offset)) return
    this.#hintOffsets[this.#nextHint] = offset
    this.#hintPositions[this.#nextHint] = position
    this.#nextHint = (this.#nextHint + 1) % HINTS
  }

  /** Forgets the indexes before they are made anew. */
  clearIndexes(transactionsToo: boolean): void {
    this.offsets.file.clear()
    this.times.clear()
    if (transactionsToo) this.txns.truncateFrom(this.baseOffset)
    this.#latest = null
    this.#firstTimestamp = null
    this.#bytesSinceIndex = 0
  }

  /** Cuts the file behind its good batches; the indexes do not know of what is cut. */
  cutTo(size: number): void {
    ftruncateSync(this.fd(), size)
    this.size = size
  }

  /** fdatasync of the `.log` file; the first time also of the directories that name it. */
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

  /** fdatasync of all files. A segment deleted meanwhile is none to sync. */
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

  /** The names of the files that it has or may have. */
  paths(): string[] {
    return [this.offsets.file.path, this.times.file.path, this.txns.path, this.log.path]
  }

  /** Renames the files: to `.swap`, or to no suffix at all. */
  rename(state: string): void {
    const before = this.paths()
    this.moveTo(this.#dir, state)
    for (const [i, path] of this.paths().entries()) renameIfThere(before[i]!, path)
  }

  /** Renames the files to `.deleted`, by default with the producers' snapshot; the new names are for the trash. */
  markDeleted(snapshotToo = true): string[] {
    const gone: string[] = []
    for (const suffix of [LOG, INDEX, TIME_INDEX, TXN_INDEX, SNAPSHOT]) {
      if (suffix === SNAPSHOT && !snapshotToo) continue
      const path = join(this.#dir, offsetFileName(this.baseOffset, suffix))
      if (renameIfThere(path, path + DELETED)) gone.push(path + DELETED)
    }
    // a reader may be in the middle of it, and another file may get the name
    this.moveTo(this.#dir, DELETED)
    this.release()
    return gone
  }

  /** The partition's directory has another name now, or the files have another suffix. */
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
