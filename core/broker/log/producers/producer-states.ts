import type { ProducerId } from '../io/int64.ts'
import type { BatchMeta } from '../segment/batch-meta.ts'
import type { AbortedTxn } from '../segment/txn-index.ts'
import { applyBatch, type CompletedTxn, type ProducerEntry } from './producer-state.ts'

/**
 * The states of the producers of one partition. Also tracks the partition's transactions that are
 * open, or that ended at or above the high watermark.
 */
export class ProducerStates {
  readonly #entries = new Map<ProducerId, ProducerEntry>()
  /**
   * The time of each producer's last write, by the clock of this process. Record timestamps are not
   * used, because producers can set them to any value.
   */
  readonly #lastWriteAt = new Map<ProducerId, number>()
  /** The first offset of each open transaction, by producer id. */
  readonly #open = new Map<ProducerId, number>()
  /** Transactions that have ended, but whose marker is at or above the high watermark. */
  #unreplicated: CompletedTxn[] = []

  get size(): number {
    return this.#entries.size
  }

  get(producerId: ProducerId): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#entries.values()
  }

  /** Stores the state of a producer. */
  put(entry: ProducerEntry, now: number): void {
    this.#entries.set(entry.producerId, entry)
    this.#lastWriteAt.set(entry.producerId, now)
    if (entry.txnFirstOffset >= 0) this.#open.set(entry.producerId, entry.txnFirstOffset)
    else this.#open.delete(entry.producerId)
  }

  /**
   * Updates the producer's state after a batch that was read from the log. If the batch aborts a
   * transaction, returns the entry for the transaction index.
   */
  replay(batch: BatchMeta, now: number): AbortedTxn | null {
    if (batch.producerId < 0) return null
    const { entry, completed } = applyBatch(this.#entries.get(batch.producerId), batch)
    this.put(entry, now)
    return completed === null ? null : this.complete(completed)
  }

  /**
   * Completes a transaction. Call this after `put` has stored the producer's new state. If the
   * transaction was aborted, returns the entry for the transaction index.
   */
  complete(txn: CompletedTxn): AbortedTxn | null {
    this.#unreplicated.push(txn)
    if (!txn.aborted) return null
    let stable = txn.markerOffset + 1
    for (const first of this.#open.values()) stable = Math.min(stable, first)
    const { producerId, firstOffset } = txn
    return { producerId, firstOffset, lastOffset: txn.markerOffset, lastStableOffset: stable }
  }

  /**
   * Drops the completed transactions whose marker is below the high watermark, because they no
   * longer limit the last stable offset.
   */
  onHighWatermark(highWatermark: number): void {
    if (this.#unreplicated.length === 0) return
    this.#unreplicated = this.#unreplicated.filter(t => t.markerOffset >= highWatermark)
  }

  /**
   * Returns the lowest first offset of all transactions that are open, or whose marker is not below
   * the high watermark. Returns Infinity if there are no such transactions.
   */
  firstUndecided(): number {
    if (this.#open.size === 0 && this.#unreplicated.length === 0) return Number.POSITIVE_INFINITY
    let first = Number.POSITIVE_INFINITY
    for (const offset of this.#open.values()) first = Math.min(first, offset)
    for (const txn of this.#unreplicated) first = Math.min(first, txn.firstOffset)
    return first
  }

  /**
   * Removes producers that have no open transaction and have not written for `expirationMs`.
   * Returns their number.
   */
  expire(now: number, expirationMs: number): number {
    let expired = 0
    for (const e of this.#entries.values()) {
      if (e.txnFirstOffset >= 0 || now - (this.#lastWriteAt.get(e.producerId) ?? now) < expirationMs) continue
      this.#entries.delete(e.producerId)
      this.#lastWriteAt.delete(e.producerId)
      expired++
    }
    return expired
  }

  clear(): void {
    this.#entries.clear()
    this.#lastWriteAt.clear()
    this.#open.clear()
    this.#unreplicated = []
  }
}
