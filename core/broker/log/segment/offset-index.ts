import { IndexFile } from './index-file.ts'

/**
 * The size of an entry in bytes. An entry contains two int32 values: the offset relative to the
 * segment's base offset, and the position.
 */
export const OFFSET_ENTRY = 8

/**
 * `.index`: maps offsets to positions in the segment, with about one entry per
 * `index.interval.bytes`. As in Kafka, an entry contains the last offset of a batch and the
 * position where that batch starts.
 */
export class OffsetIndex {
  readonly file: IndexFile
  readonly baseOffset: number

  constructor(path: string, baseOffset: number, count: number) {
    this.file = new IndexFile(path, OFFSET_ENTRY, count)
    this.baseOffset = baseOffset
  }

  get count(): number {
    return this.file.count
  }

  append(offset: number, position: number): void {
    const { buffer, at } = this.file.reserve()
    buffer.writeInt32BE(offset - this.baseOffset, at)
    buffer.writeInt32BE(position, at + 4)
  }

  /**
   * Returns the position in the last entry whose offset is at most `offset`. Returns 0, the start
   * of the segment, if there is no such entry.
   */
  lookup(offset: number): number {
    const relative = offset - this.baseOffset
    const pending = this.file.pending()
    const found = floor(pending, OFFSET_ENTRY, relative, relativeOffset)
    if (found >= 0) return pending.readInt32BE(found * OFFSET_ENTRY + 4)
    const stored = this.file.stored()
    const older = floor(stored, OFFSET_ENTRY, relative, relativeOffset)
    return older < 0 ? 0 : stored.readInt32BE(older * OFFSET_ENTRY + 4)
  }

  /** Returns the last entry with its absolute offset, or null if the index is empty. */
  last(): { offset: number; position: number } | null {
    if (this.count === 0) return null
    const pending = this.file.pending()
    const entry =
      pending.length > 0 ? pending.subarray(pending.length - OFFSET_ENTRY) : this.file.storedEntry(this.count - 1)
    return { offset: this.baseOffset + entry.readInt32BE(0), position: entry.readInt32BE(4) }
  }
}

function relativeOffset(entries: Buffer, at: number): number {
  return entries.readInt32BE(at)
}

/**
 * Returns the index of the last entry whose key is at most `target`, or -1 if there is no such
 * entry.
 */
export function floor(entries: Buffer, size: number, target: number, key: (e: Buffer, at: number) => number): number {
  let low = 0
  let high = entries.length / size - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (key(entries, middle * size) <= target) low = middle + 1
    else high = middle - 1
  }
  return high
}
