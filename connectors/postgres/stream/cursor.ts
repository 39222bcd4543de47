import type { SourceOffset, Struct } from 'millrace/connect'
import { type EventTime, eventTime, nowMicros, type TableName, type TransactionMetadata } from '../../cdc/index.ts'
import type { Lsn } from '../lsn.ts'
import type { MessageType } from '../offset.ts'
import type { Origin, SharedSourceFields, SourceBlocks } from '../source-block.ts'
import { ResumeFilter, type StreamPosition } from './position.ts'

/** The start of a transaction, as its BEGIN message describes it. */
export interface Begin {
  readonly txId: number
  /** The position of the transaction's commit. */
  readonly lsn: Lsn
  /** The commit time, in microseconds since 1970. */
  readonly micros: number
}

export interface CursorContext {
  readonly position: StreamPosition
  /** Counts the events of transactions; null without `provide.transaction.metadata`. */
  readonly transaction: TransactionMetadata | null
  readonly sources: SourceBlocks
  /** Returns the slot's last known xmin. */
  readonly xmin: () => number | null
  /** Returns the fields that offsets contain until the snapshot is complete; null after that. */
  readonly extra: () => Readonly<Record<string, unknown>> | null
}

/**
 * Follows one stream, and creates the offset, the source block and the transaction block of each
 * event.
 */
export class StreamCursor {
  readonly #context: CursorContext
  readonly #resume: ResumeFilter
  readonly #shared: { -readonly [K in keyof SharedSourceFields]: SharedSourceFields[K] }
  #txId = 0
  #now: EventTime = eventTime(0)
  #offset: SourceOffset
  #previous: SourceOffset

  constructor(context: CursorContext) {
    const { position } = context
    this.#context = context
    this.#resume = new ResumeFilter(position)
    this.#shared = {
      time: eventTime(0),
      mark: 'false',
      lastCommit: position.lsnCommit,
      txId: null,
      xmin: null,
      origin: null,
    }
    this.#offset = this.currentOffset()
    this.#previous = this.#offset
  }

  /** The id of the current or last transaction. */
  get txId(): number {
    return this.#txId
  }

  /** The time of the current read. The events of the read contain it. */
  get now(): EventTime {
    return this.#now
  }

  /** The commit time of the current or last transaction. */
  get commitTime(): EventTime {
    return this.#shared.time
  }

  /** The offset after the last event. */
  get offset(): SourceOffset {
    return this.#offset
  }

  /** The offset before the last event. */
  get previous(): SourceOffset {
    return this.#previous
  }

  get startLsn(): Lsn {
    return this.#context.position.startLsn()
  }

  /** Returns the offset of the current position. */
  currentOffset(): SourceOffset {
    const { position, transaction, extra } = this.#context
    const offset = position.offset(transaction?.offset() ?? null)
    const more = extra()
    return more === null ? offset : { ...offset, ...more }
  }

  /** Starts a read. Its events contain the current time and the slot's last known xmin. */
  startRead(): void {
    this.#now = eventTime(nowMicros())
    this.#shared.xmin = this.#context.xmin()
  }

  /**
   * Moves to the start of a transaction. Returns false if the stream resumes within this
   * transaction, because its start was emitted before.
   */
  begin({ txId, lsn, micros }: Begin): boolean {
    const isResumed = this.#resume.begin(txId)
    this.#txId = txId
    this.#shared.txId = txId
    this.#shared.time = eventTime(micros)
    this.#shared.origin = null
    if (isResumed) return false
    this.#context.position.begin(lsn, txId, micros)
    this.#context.transaction?.begin(String(txId))
    return true
  }

  commit(lsn: Lsn): void {
    this.#resume.commit()
    this.#context.position.commit(lsn)
    this.#shared.lastCommit = lsn
  }

  setOrigin(origin: Origin): void {
    this.#shared.origin = origin
  }

  /**
   * Moves to a row event. Returns false if the event was emitted before a restart. Call
   * `updateOffset` after the event was counted in its transaction.
   */
  event(lsn: Lsn, type: MessageType): boolean {
    if (this.#resume.skips(lsn)) return false
    this.#previous = this.#offset
    this.#context.position.event(lsn, type)
    return true
  }

  /**
   * Recomputes the offset. Call it after an event, after WAL without captured changes, and after a
   * change of the fields that describe a snapshot.
   */
  updateOffset(): void {
    this.#offset = this.currentOffset()
  }

  /** Returns whether a message in a transaction was emitted before a restart. */
  skipsMessage(lsn: Lsn): boolean {
    return this.#resume.skips(lsn)
  }

  /** Moves to a message in a transaction and returns its transaction block. */
  message(lsn: Lsn, id: string): Struct | null {
    this.#context.position.message(lsn)
    const block = this.transactionBlock(id, lsn)
    this.updateOffset()
    return block
  }

  /**
   * Returns whether the position of a message outside of transactions is not past the last commit.
   */
  isBeforeLastCommit(lsn: Lsn): boolean {
    const { lsnCommit } = this.#context.position
    return lsnCommit !== null && lsn <= lsnCommit
  }

  /** Moves to a message outside of transactions. Like a transaction, such a message is complete. */
  standaloneMessage(lsn: Lsn): null {
    this.#context.position.standaloneMessage(lsn)
    this.#shared.lastCommit = lsn
    this.updateOffset()
    return null
  }

  /** Records that the WAL was read up to `lsn`, between transactions. */
  idle(lsn: Lsn): void {
    this.#context.position.idle(lsn)
  }

  /** Returns the source block of a row event. */
  source(table: TableName, lsn: Lsn): Struct {
    return this.#context.sources.make(table, lsn, this.#shared)
  }

  /**
   * Returns the source block of a logical decoding message. The block has a transaction id only if
   * the message is transactional.
   */
  messageSource(table: TableName, lsn: Lsn, isTransactional: boolean): Struct {
    const shared = isTransactional ? this.#shared : { ...this.#shared, txId: null }
    return this.#context.sources.make(table, lsn, shared)
  }

  /** Returns the id of the current transaction, for transaction metadata. */
  transactionId(lsn: Lsn): string {
    return `${this.#txId}:${lsn}`
  }

  /** Returns the transaction block of an event; null without `provide.transaction.metadata`. */
  transactionBlock(id: string, lsn: Lsn): Struct | null {
    const { transaction } = this.#context
    return transaction === null ? null : transaction.event(id, this.transactionId(lsn))
  }
}
