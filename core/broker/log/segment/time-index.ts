import { readInt64, writeInt64 } from '../io/int64.ts'
import { IndexFile } from './index-file.ts'
import { floor } from './offset-index.ts'

/**
 * The size of an entry in bytes. An entry contains the timestamp as an int64, and the offset
 * relative to the segment's base offset as an int32.
 */
export const TIME_ENTRY = 12

export interface TimestampOffset {
  readonly timestamp: number
  readonly offset: number
}

/**
 * `.timeindex`: increasing timestamps with their offsets. Up to the offset of an entry, no record
 * of the segment has a later timestamp. As in Kafka, the offset is the last offset of the batch
 * that contains the timestamp.
 */
export class TimeIndex {
  readonly file: IndexFile
  readonly baseOffset: number
  #last: TimestampOffset | null = null

  constructor(path: string, baseOffset: number, count: number) {
    this.file = new IndexFile(path, TIME_ENTRY, count)
    this.baseOffset = baseOffset
  }

  get count(): number {
    return this.file.count
  }

  /**
   * Returns the last entry. If the index is empty, returns the base offset and the timestamp -1.
   */
  last(): TimestampOffset {
    if (this.#last === null) {
      if (this.count === 0) this.#last = { timestamp: -1, offset: this.baseOffset }
      else {
        const pending = this.file.pending()
        const at = pending.length - TIME_ENTRY
        const entry = at >= 0 ? pending.subarray(at) : this.file.storedEntry(this.count - 1)
        this.#last = { timestamp: readInt64(entry, 0), offset: this.baseOffset + entry.readInt32BE(8) }
      }
    }
    return this.#last
  }

  /**
   * Appends an entry if its timestamp is later than the timestamp of the last entry. The timestamps
   * of the index must increase.
   */
  maybeAppend(timestamp: number, offset: number): void {
    if (timestamp <= this.last().timestamp) return
    const { buffer, at } = this.file.reserve()
    writeInt64(buffer, timestamp, at)
    buffer.writeInt32BE(offset - this.baseOffset, at + 8)
    this.#last = { timestamp, offset }
  }

  /**
   * Returns the last entry with a timestamp of at most `timestamp`. The first record with a
   * timestamp of at least `timestamp` is in the batch that contains the offset of this entry, or in
   * a later batch.
   */
  lookup(timestamp: number): TimestampOffset {
    for (const entries of [this.file.pending(), this.file.stored()]) {
      const n = floor(entries, TIME_ENTRY, timestamp, readInt64)
      if (n >= 0) {
        const at = n * TIME_ENTRY
        return { timestamp: readInt64(entries, at), offset: this.baseOffset + entries.readInt32BE(at + 8) }
      }
    }
    return { timestamp: -1, offset: this.baseOffset }
  }

  clear(): void {
    this.file.clear()
    this.#last = null
  }
}
