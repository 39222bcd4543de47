import type { SourceOffset } from 'millrace/connect'
import { type Lsn, maxLsn, ZERO } from '../lsn.ts'
import type { LoadedOffset, MessageType } from '../offset.ts'

/** Where the stream is, in the terms of Debezium's offsets. Pure: no clock, no I/O. */
export class StreamPosition {
  lsn: Lsn
  /** Of the last event that was given. */
  lsnProc: Lsn | null
  /** The end of the last transaction that was given whole. */
  lsnCommit: Lsn | null
  txId: number | null
  /** Commit time of the transaction, microseconds since 1970. */
  micros: number | null
  messageType: MessageType | null
  /** How many events at `lsn` were given. */
  eventsAtLsn: number
  /** The WAL that the positions belong to, as in offsets. */
  walId: string | null = null
  /**
   * How far the slot may be confirmed past the last transaction, because nothing was captured in
   * between.
   */
  lsnIdle: Lsn | null

  constructor(from: LoadedOffset) {
    this.lsn = from.lsn ?? from.lsnProc ?? ZERO
    this.lsnProc = from.lsnProc
    // null in an offset from within the first transaction
    this.lsnCommit = from.lsnCommit
    this.txId = from.txId
    const micros = from.raw['ts_usec']
    this.micros = typeof micros === 'number' ? micros : null
    const type = from.raw['messageType']
    this.messageType = typeof type === 'string' ? (type as MessageType) : null
    this.eventsAtLsn = from.eventsAtLsn
    this.lsnIdle = from.lsnIdle
  }

  begin(lsn: Lsn, txId: number, micros: number): void {
    this.#at(lsn, 'BEGIN')
    this.txId = txId
    this.micros = micros
  }

  /** An event is given. Several can share a position. */
  event(lsn: Lsn, type: MessageType): void {
    this.eventsAtLsn = this.lsnProc !== null && this.lsnProc === lsn && this.eventsAtLsn > 0 ? this.eventsAtLsn + 1 : 1
    this.#at(lsn, type)
    this.lsnProc = lsn
  }

  /** A logical decoding message in a transaction is emitted. It has its position for itself. */
  message(lsn: Lsn): void {
    this.#at(lsn, 'MESSAGE')
    this.lsnProc = lsn
    this.eventsAtLsn = 0
  }

  /** A logical decoding message outside of transactions is emitted. */
  standaloneMessage(lsn: Lsn): void {
    this.txId = null
    this.#complete(lsn, 'MESSAGE')
  }

  /** A transaction ends. */
  commit(lsn: Lsn): void {
    this.#complete(lsn, 'COMMIT')
  }

  #complete(lsn: Lsn, type: MessageType): void {
    this.#at(lsn, type)
    this.lsnProc = lsn
    this.lsnCommit = lsn
    this.eventsAtLsn = 0
  }

  /** The stream was read up to here, between transactions, without anything to capture. */
  idle(lsn: Lsn): void {
    this.lsnIdle = lsn
  }

  #at(lsn: Lsn, type: MessageType): void {
    this.lsn = lsn
    this.messageType = type
  }

  offset(transaction: Readonly<Record<string, unknown>> | null): SourceOffset {
    const out: Record<string, unknown> = {}
    if (this.lsnProc !== null) out['lsn_proc'] = this.lsnProc
    if (this.eventsAtLsn > 0) out['lsn_events_processed'] = this.eventsAtLsn
    if (this.messageType !== null) out['messageType'] = this.messageType
    if (this.lsnCommit !== null) out['lsn_commit'] = this.lsnCommit
    out['lsn'] = this.lsn
    if (this.txId !== null) out['txId'] = this.txId
    if (this.micros !== null) out['ts_usec'] = this.micros
    if (this.walId !== null) out['wal_id'] = this.walId
    if (this.lsnIdle !== null && this.lsnIdle > this.startLsn()) out['lsn_idle'] = this.lsnIdle
    return transaction === null ? out : Object.assign(out, transaction)
  }

  /**
   * Where to start the stream: the server sends transactions that end after it. Not within idle
   * WAL, where a restored server may have other transactions.
   */
  startLsn(): Lsn {
    return this.lsnCommit ?? this.lsn
  }
}

/**
 * Which events of a transaction that is sent again were given before the restart. The first transaction that the server sends
 * is the one that the offset lies in; if it is another one, nothing is left out.
 */
export class ResumeFilter {
  readonly #txId: number | null
  readonly #lsn: Lsn
  readonly #count: number
  #active: boolean
  #seen = 0

  constructor(
    from: { txId: number | null; lsnProc: Lsn | null; eventsAtLsn: number; messageType?: string | null } | null,
  ) {
    this.#txId = from?.txId ?? null
    this.#lsn = from?.lsnProc ?? ZERO
    // a logical message is not counted, and stands alone at its position
    this.#count = from?.eventsAtLsn || (from?.messageType === 'MESSAGE' ? 1 : 0)
    this.#active = from !== null && from.lsnProc !== null && from.txId !== null && from.messageType !== 'COMMIT'
  }

  /** Whether the transaction that begins is the one that was cut. */
  begin(txId: number): boolean {
    if (this.#active && txId !== this.#txId) this.#active = false
    return this.#active
  }

  commit(): void {
    this.#active = false
  }

  /** Whether an event of the transaction was given before. */
  skips(lsn: Lsn): boolean {
    if (!this.#active) return false
    if (lsn < this.#lsn) return true
    if (lsn === this.#lsn) return ++this.#seen <= this.#count
    this.#active = false
    return false
  }
}

export type FlushMode = 'connector' | 'manual' | 'connector_and_driver'

/**
 * How far the slot may be confirmed: only up to the committed offset. So a slot past the committed
 * offset was advanced by another client.
 */
export class FlushTracker {
  readonly #mode: FlushMode
  #flushed: Lsn = ZERO

  constructor(mode: FlushMode) {
    this.#mode = mode
  }

  /** What to tell the server; zero tells it nothing. */
  get flushed(): Lsn {
    return this.#flushed
  }

  /** The slot is already confirmed up to here; confirming less could move it back. */
  confirmed(lsn: Lsn): void {
    if (this.#mode !== 'manual') this.#reach(lsn)
  }

  /** An offset is safe in the log. Gives back whether the server can be told more than before. */
  committed(offset: SourceOffset): boolean {
    const before = this.#flushed
    if (this.#mode === 'manual') return false
    // an unfinished snapshot may need the slot from its start again
    const done = offset['snapshot_completed'] !== false
    this.#reach(offset['lsn_commit'] ?? offset['lsn_proc'] ?? (done ? offset['lsn'] : null))
    if (this.#mode === 'connector_and_driver') this.#reach(offset['lsn_idle'])
    return this.#flushed !== before
  }
  #reach(lsn: unknown): void {
    if (typeof lsn === 'number' || typeof lsn === 'bigint') this.#flushed = maxLsn(this.#flushed, lsn)
  }
}
