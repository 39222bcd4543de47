import { batchSize, HEADER_SIZE, LOG_OVERHEAD, lastOffset } from '../../protocol/records/batch-header.ts'
import { type DecodedBatch, readBatches } from '../../protocol/records/batch-reader.ts'
import type { ConsumerRecord } from '../types.ts'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/**
 * The type of a control record that aborts a transaction (KIP-98). The record's key contains an
 * int16 version and an int16 type.
 */
const ABORT = 0

/**
 * Returns the offset after the last complete batch; -1 if there is no complete batch. Does not
 * decode records.
 */
export function endOfWholeBatches(records: Buffer): number {
  let pos = 0
  let end = -1
  while (records.length - pos >= HEADER_SIZE) {
    const size = batchSize(records, pos)
    if (size < LOG_OVERHEAD || size > records.length - pos) break
    end = lastOffset(records, pos) + 1
    pos += size
  }
  return end
}

/**
 * The records that a fetch returned for one partition. Each batch is decoded when its records are
 * needed. Skips control batches, and, unless `aborted` is null, the batches of aborted
 * transactions.
 */
export class Chunk {
  readonly bytes: number
  readonly #topic: string
  readonly #partition: number
  readonly #batches: Iterator<DecodedBatch>
  /**
   * The aborted transactions in this range, sorted by first offset. Null for `read_uncommitted`.
   */
  readonly #aborted: AbortedTransaction[] | null
  readonly #abortedNow = new Set<number>()
  #batch: DecodedBatch | null = null
  #records: ReturnType<DecodedBatch['records']> = []
  #at = 0
  /**
   * The offset after the last batch that was read or skipped, and the leader epoch of that batch.
   */
  #end = -1
  #epoch = -1
  #failure: { readonly error: unknown } | null = null

  constructor(
    topic: string,
    partition: number,
    records: Buffer,
    aborted: readonly AbortedTransaction[] | null,
    checkCrc: boolean,
  ) {
    this.#topic = topic
    this.#partition = partition
    this.bytes = records.length
    this.#batches = readBatches(records, { checkCrc })
    this.#aborted = aborted === null ? null : [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /**
   * Adds up to `max` records to `out`, starting at `position`. Returns the position after them and
   * the leader epoch of the batch before that position. `more` is true if the range may contain
   * more records. A call that reaches an invalid batch returns the records before the batch, and
   * the next call throws. If there is nothing before the batch, the first call throws.
   */
  take(position: number, max: number, out: ConsumerRecord[]): { position: number; epoch: number; more: boolean } {
    if (this.#failure) throw this.#failure.error
    let next = position
    let left = max
    while (left > 0) {
      if (this.#batch === null) {
        try {
          if (!this.#nextBatch()) return { position: Math.max(next, this.#end), epoch: this.#epoch, more: false }
        } catch (error) {
          this.#failure = { error }
          next = Math.max(next, this.#end)
          if (next === position) throw error
          return { position: next, epoch: this.#epoch, more: true }
        }
      }
      const batch = this.#batch!
      const { timestampType, leaderEpoch } = batch
      const records = this.#records
      for (; this.#at < records.length && left > 0; this.#at++) {
        const r = records[this.#at]!
        if (r.offset < position) continue
        out.push({
          topic: this.#topic,
          partition: this.#partition,
          offset: r.offset,
          timestamp: r.timestamp,
          timestampType,
          key: r.key,
          value: r.value,
          headers: r.headers,
          leaderEpoch,
        })
        next = r.offset + 1
        left--
      }
      if (this.#at < records.length) break
      // Move past offsets whose records were skipped or removed by compaction.
      next = Math.max(next, batch.lastOffset + 1)
      this.#end = next
      this.#batch = null
      this.#records = []
    }
    return { position: next, epoch: this.#epoch, more: true }
  }

  /** Moves to the next batch that is not skipped. Returns false at the end of the range. */
  #nextBatch(): boolean {
    for (;;) {
      const { value: batch, done } = this.#batches.next()
      if (done) return false
      const isHidden = this.#isAborted(batch) || batch.isControl
      const records = isHidden ? [] : batch.records()
      this.#end = batch.lastOffset + 1
      this.#epoch = batch.leaderEpoch
      if (isHidden) continue
      this.#batch = batch
      this.#records = records
      this.#at = 0
      return true
    }
  }

  #isAborted(batch: DecodedBatch): boolean {
    if (this.#aborted === null || batch.producerId < 0) return false
    while (this.#aborted.length > 0 && this.#aborted[0]!.firstOffset <= batch.lastOffset) {
      this.#abortedNow.add(this.#aborted.shift()!.producerId)
    }
    if (batch.isControl) {
      const key = batch.records()[0]?.key
      if (key && key.length >= 4 && key.readInt16BE(2) === ABORT) this.#abortedNow.delete(batch.producerId)
      return false
    }
    return batch.isTransactional && this.#abortedNow.has(batch.producerId)
  }
}
