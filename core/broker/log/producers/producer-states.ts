import type { ProducerId } from '../int64.ts'
import type { BatchMeta } from '../segment/batch-meta.ts'
import type { AbortedTxn } from '../segment/txn-index.ts'
import { applyBatch, type CompletedTxn, type ProducerEntry } from './producer-state.ts'

/** All producers of one partition, and its transactions that are open or not yet below the high watermark. */
export class ProducerStates {
  readonly #entries = new Map<ProducerId, ProducerEntry>()
  /** When each was heard of last, by this process's clock: their records' times may be of any year. */
  readonly #heard = new Map<ProducerId, number>()
  /** Open transactions: first offset by producer id. */
  readonly #open = new Map<ProducerId, number>()
  /** Ended, but the marker is not below the high watermark yet. */
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

  /** Takes over a snapshot's entry, or the outcome of an append. */
  put(entry: ProducerEntry, now: number): void {
    this.#entries.set(entry.producerId, entry)
    this.#heard.set(entry.producerId, now)
    if (entry.txnFirstOffset >= 0) this.#open.set(entry.producerId, entry.txnFirstOffset)
    else this.#open.delete(entry.producerId)
  }

  /** Applies a batch that is in the log; returns what goes into the transaction index, if it aborts a transaction. */
  replay(batch: BatchMeta, now: number): AbortedTxn | null {
    if (batch.producerId < 0) return null
    const { entry, completed } = applyBatch(this.#entries.get(batch.producerId), batch)
    this.put(entry, now)
    return completed === null ? null : this.complete(completed)
  }

  /** Notes an ended transaction (its entry is put already); returns what goes into the transaction index. */
  complete(txn: CompletedTxn): AbortedTxn | null {
    this.#unreplicated.push(txn)
    if (!txn.aborted) return null
    let stable = txn.markerOffset + 1
    for (const first of this.#open.values()) stable = Math.min(stable, first)
    const { producerId, firstOffset } = txn
    return { producerId, firstOffset, lastOffset: txn.markerOffset, lastStableOffset: stable }
  }

  /** Transactions whose marker is below the high watermark no longer hold the last stable offset back. */
  onHighWatermark(highWatermark: number): void {
    if (this.#unreplicated.length === 0) return
    this.#unreplicated = this.#unreplicated.filter(t => t.markerOffset >= highWatermark)
  }

  /** The first offset that is not decided; Infinity when all are. */
  firstUndecided(): number {
    if (this.#open.size === 0 && this.#unreplicated.length === 0) return Number.POSITIVE_INFINITY
    let first = Number.POSITIVE_INFINITY
    for (const offset of this.#open.values()) first = Math.min(first, offset)
    for (const txn of this.#unreplicated) first = Math.min(first, txn.firstOffset)
    return first
  }

  /** Forgets producers that wrote nothing for so long and have no transaction open. */
  expire(now: number, expirationMs: number): number {
    let expired = 0
    for (const e of this.#entries.values()) {
      if (e.txnFirstOffset >= 0 || now - (this.#heard.get(e.producerId) ?? now) < expirationMs) continue
      this.#entries.delete(e.producerId)
      this.#heard.delete(e.producerId)
      expired++
    }
    return expired
  }

  clear(): void {
    this.#entries.clear()
    this.#heard.clear()
    this.#open.clear()
    this.#unreplicated = []
  }
}
