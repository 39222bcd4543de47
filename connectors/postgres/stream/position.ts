import type { SourceOffset } from 'millrace/connect'
import { type Lsn, maxLsn, ZERO } from '../lsn.ts'
import type { LoadedOffset, MessageType } from '../offset.ts'

/** The position in the stream, with the fields of Debezium's offsets. */
export class StreamPosition {
  lsn: Lsn
  /** The position of the last emitted event. */
  lsnProc: Lsn | null
  /** The end of the last transaction whose events were all emitted. */
  lsnCommit: Lsn | null
  txId: number | null
  /** The commit time of the current or last transaction, in microseconds since 1970. */
  micros: number | null
  messageType: MessageType | null
  /** The number of events that were emitted at `lsnProc`. */
  eventsAtLsn: number
  /** The identity of the WAL that contains the positions, as in offsets. */
  walId: string | null = null
  /** Up to this position, the WAL after the last transaction contains nothing to capture. */
  lsnIdle: Lsn | null

  constructor(from: LoadedOffset) {
    this.lsn = from.lsn ?? from.lsnProc ?? ZERO
    this.lsnProc = from.lsnProc
    // lsnCommit is null in an offset within the first transaction
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

  /** Moves to an emitted event. Several events can have the same position. */
  event(lsn: Lsn, type: MessageType): void {
    this.eventsAtLsn = this.lsnProc !== null && this.lsnProc === lsn && this.eventsAtLsn > 0 ? this.eventsAtLsn + 1 : 1
    this.#at(lsn, type)
    this.lsnProc = lsn
  }

  /**
   * Moves to an emitted logical decoding message in a transaction. A row event never has the same
   * position as a message.
   */
  message(lsn: Lsn): void {
    this.#at(lsn, 'MESSAGE')
    this.lsnProc = lsn
    this.eventsAtLsn = 0
  }

  /** Moves to an emitted logical decoding message outside of transactions. */
  standaloneMessage(lsn: Lsn): void {
    this.txId = null
    this.#complete(lsn, 'MESSAGE')
  }

  /** Moves to the end of a transaction. */
  commit(lsn: Lsn): void {
    this.#complete(lsn, 'COMMIT')
  }

  #complete(lsn: Lsn, type: MessageType): void {
    this.#at(lsn, type)
    this.lsnProc = lsn
    this.lsnCommit = lsn
    this.eventsAtLsn = 0
  }

  /** Records that the WAL from the last transaction to `lsn` contains nothing to capture. */
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
   * Returns the position at which to start the stream. The server sends the transactions that end
   * after this position. The position is never within WAL without captured changes, because a
   * restored server may have other transactions there.
   */
  startLsn(): Lsn {
    return this.lsnCommit ?? this.lsn
  }
}

/**
 * Tells which events were emitted before a restart and must be skipped. The server first sends the
 * transaction of the offset again. If the server sends another transaction first, no event is
 * skipped.
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
    // a logical decoding message is not counted, and is the only event at its position
    this.#count = from?.eventsAtLsn || (from?.messageType === 'MESSAGE' ? 1 : 0)
    this.#active = from !== null && from.lsnProc !== null && from.txId !== null && from.messageType !== 'COMMIT'
  }

  /** Returns whether the offset is within this transaction. */
  begin(txId: number): boolean {
    if (this.#active && txId !== this.#txId) this.#active = false
    return this.#active
  }

  commit(): void {
    this.#active = false
  }

  /** Returns whether an event was emitted before the restart. */
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
 * Tracks the position up to which the slot may be confirmed: the slot's own position, or a
 * committed offset that is later. The connector never moves the slot past the committed offset. If
 * a slot is past the committed offset, another client has advanced it.
 */
export class FlushTracker {
  readonly #mode: FlushMode
  #flushed: Lsn = ZERO

  constructor(mode: FlushMode) {
    this.#mode = mode
  }

  /** The position to confirm to the server; zero to confirm nothing. */
  get flushed(): Lsn {
    return this.#flushed
  }

  /**
   * Called with the position up to which the slot is confirmed. Confirming an earlier position
   * could move the slot back.
   */
  confirmed(lsn: Lsn): void {
    if (this.#mode !== 'manual') this.#reach(lsn)
  }

  /**
   * Called with a committed offset. Returns whether the slot can be confirmed further than before.
   */
  committed(offset: SourceOffset): boolean {
    const before = this.#flushed
    if (this.#mode === 'manual') return false
    // the next attempt of an unfinished snapshot needs the changes since the start of the slot
    const done = offset['snapshot_completed'] !== false
    this.#reach(offset['lsn_commit'] ?? offset['lsn_proc'] ?? (done ? offset['lsn'] : null))
    if (this.#mode === 'connector_and_driver') this.#reach(offset['lsn_idle'])
    return this.#flushed !== before
  }
  #reach(lsn: unknown): void {
    if (typeof lsn === 'number' || typeof lsn === 'bigint') this.#flushed = maxLsn(this.#flushed, lsn)
  }
}
