import type { SourceOffset } from '../../../core/connect/index.ts'
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

  constructor(
    from: { readonly lsn: Lsn; readonly txId: number | null; readonly micros: number | null } | LoadedOffset,
  ) {
    if ('raw' in from) {
      this.lsn = from.lsn ?? from.lsnProc ?? ZERO
      this.lsnProc = from.lsnProc
      // an offset without the end of a transaction comes from within the first
      this.lsnCommit = from.lsnCommit
      this.txId = from.txId
      const micros = from.raw['ts_usec']
      this.micros = typeof micros === 'number' ? micros : null
      const type = from.raw['messageType']
      this.messageType = typeof type === 'string' ? (type as MessageType) : null
      this.eventsAtLsn = from.eventsAtLsn
    } else {
      this.lsn = from.lsn
      this.lsnProc = null
      this.lsnCommit = null
      this.txId = from.txId
      this.micros = from.micros
      this.messageType = null
      this.eventsAtLsn = 0
    }
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

  /** A transaction ends, or a message outside of any was given. */
  commit(lsn: Lsn, type: MessageType = 'COMMIT'): void {
    this.#at(lsn, type)
    this.lsnProc = lsn
    this.lsnCommit = lsn
    this.eventsAtLsn = 0
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
    return transaction === null ? out : Object.assign(out, transaction)
  }

  /** From where to ask the server: it sends transactions that end after it. */
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
 * Decides how far the server may be told that everything is safe. By committed offsets always; and past them, while every record
 * that was given is committed, to where the stream was read: what lies between held nothing to capture.
 */
export class FlushTracker {
  readonly #mode: FlushMode
  #flushed: Lsn = ZERO
  #processed: Lsn = ZERO
  #inTransaction = false
  #lastGiven: SourceOffset | null = null
  #allCommitted = true
  #idleAllowed = false

  constructor(mode: FlushMode) {
    this.#mode = mode
  }

  /** Whether to move past committed offsets at all: not before a snapshot is through, which may need its begin again. */
  allowIdle(): void {
    this.#idleAllowed = true
    this.#advance()
  }

  /** A new stream begins: between transactions. */
  restart(): void {
    this.#inTransaction = false
  }

  /** What to tell the server; zero tells it nothing. */
  get flushed(): Lsn {
    return this.#flushed
  }

  begin(): void {
    this.#inTransaction = true
  }

  /** The stream was read to here, and a transaction ended here. */
  end(lsn: Lsn): void {
    this.#inTransaction = false
    this.processed(lsn)
  }

  /** The stream was read to here: a keepalive. Within a transaction it says nothing. */
  processed(lsn: Lsn): void {
    if (this.#inTransaction) return
    this.#processed = maxLsn(this.#processed, lsn)
    this.#advance()
  }

  given(offset: SourceOffset): void {
    this.#lastGiven = offset
    this.#allCommitted = false
  }

  /** An offset is safe in the log. Gives back whether the server can be told more than before. */
  committed(offset: SourceOffset): boolean {
    const before = this.#flushed
    if (this.#lastGiven !== null && samePlace(offset, this.#lastGiven)) this.#allCommitted = true
    const lsn = offset['lsn_commit'] ?? offset['lsn_proc']
    if (this.#mode !== 'manual' && (typeof lsn === 'number' || typeof lsn === 'bigint'))
      this.#flushed = maxLsn(this.#flushed, lsn)
    this.#advance()
    return this.#flushed !== before
  }

  #advance(): void {
    if (this.#mode !== 'connector_and_driver' || !this.#idleAllowed) return
    if (this.#allCommitted && !this.#inTransaction) this.#flushed = maxLsn(this.#flushed, this.#processed)
  }
}

const PLACE = ['lsn', 'lsn_proc', 'lsn_commit', 'lsn_events_processed', 'messageType', 'snapshot_completed'] as const

/** Offsets may come back by way of JSON: compare what they say. */
const samePlace = (a: SourceOffset, b: SourceOffset): boolean => PLACE.every(key => String(a[key]) === String(b[key]))
