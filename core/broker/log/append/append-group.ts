import { ErrorCode, errorFor, type KafkaError } from '../../../protocol/error-codes.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import type { ProducerId } from '../io/int64.ts'
import type { LogState } from '../log-state.ts'
import {
  applyBatch,
  type CompletedTxn,
  checkBatch,
  findDuplicate,
  type ProducerEntry,
} from '../producers/producer-state.ts'
import type { BatchMeta } from '../segment/batch-meta.ts'
import type { AppendOrigin, AppendResult } from '../types.ts'
import type { CheckedRecords } from './append-check.ts'

/** An append whose records are checked, and that is waiting to be written. */
export interface PendingAppend {
  readonly records: CheckedRecords
  readonly origin: AppendOrigin
  readonly leaderEpoch: number
  resolve(result: AppendResult): void
  reject(error: KafkaError): void
}

export interface ProducerChange {
  readonly entry: ProducerEntry
  readonly completed: CompletedTxn | null
}

/**
 * Appends that are written together, and the changes of producer states that are applied after the
 * write.
 */
export interface AppendGroup {
  readonly appends: readonly { pending: PendingAppend; baseOffset: number; lastOffset: number }[]
  /**
   * Retries of batches that are already in the log or in this group. They are answered when the
   * group is written.
   */
  readonly duplicates: readonly { pending: PendingAppend; result: AppendResult }[]
  readonly buffers: readonly Buffer[]
  readonly changes: readonly ProducerChange[]
  readonly size: number
  readonly records: number
  readonly endOffset: number
}

/**
 * Builds a group of appends. Assigns their offsets, and checks their sequence numbers against the
 * log and against earlier appends in the group.
 */
export class GroupBuilder {
  readonly #log: LogState
  readonly #appends: { pending: PendingAppend; baseOffset: number; lastOffset: number }[] = []
  readonly #duplicates: { pending: PendingAppend; result: AppendResult }[] = []
  readonly #buffers: Buffer[] = []
  readonly #changes: ProducerChange[] = []
  /** The new states of the producers that the group changes. Null if the group changes none. */
  #producers: Map<ProducerId, ProducerEntry> | null = null
  #checked: ProducerChange[] = []
  #end: number
  #size = 0
  /** The end offset of the log after the last checked append. */
  checkedEnd: number

  constructor(log: LogState) {
    this.#log = log
    this.#end = log.logEndOffset
    this.checkedEnd = this.#end
  }

  get isEmpty(): boolean {
    return this.#appends.length === 0
  }

  get count(): number {
    return this.#appends.length
  }

  get size(): number {
    return this.#size
  }

  /**
   * Assigns offsets to an append, and checks its epochs and sequence numbers. Returns false if the
   * append was rejected or is a duplicate. Otherwise returns true, and the caller must call `take`,
   * or check the append again later.
   */
  check(pending: PendingAppend): boolean {
    const { batches, bytes } = pending.records
    const changes: ProducerChange[] = []
    const own = batches.length > 1 ? new Map<ProducerId, ProducerEntry>() : null
    let next = this.#end
    for (const meta of batches) {
      if (pending.origin === 'replication') {
        if (meta.baseOffset < next) {
          const detail = `Replicated offset ${meta.baseOffset} is below the log end offset ${next}.`
          pending.reject(errorFor(ErrorCode.OFFSET_OUT_OF_RANGE, detail))
          return false
        }
      } else assignOffset(bytes, meta, next, pending.leaderEpoch)
      next = meta.lastOffset + 1
      if (meta.producerId < 0) continue
      const id = meta.producerId
      const entry = own?.get(id) ?? this.#producers?.get(id) ?? this.#log.producers.get(id)
      if (pending.origin !== 'replication' && this.#isAnswered(pending, meta, entry)) return false
      const change = applyBatch(entry, meta)
      changes.push(change)
      own?.set(id, change.entry)
    }
    this.#checked = changes
    this.checkedEnd = next
    return true
  }

  /** Adds the last checked append to the group. */
  take(pending: PendingAppend): void {
    const { batches, bytes } = pending.records
    for (const change of this.#checked) {
      this.#producers ??= new Map()
      this.#producers.set(change.entry.producerId, change.entry)
      this.#changes.push(change)
    }
    this.#appends.push({ pending, baseOffset: batches[0]!.baseOffset, lastOffset: this.checkedEnd - 1 })
    this.#buffers.push(bytes)
    this.#size += bytes.length
    this.#end = this.checkedEnd
  }

  /** Returns the group. If there is nothing to write, answers the duplicates and returns null. */
  finish(): AppendGroup | null {
    if (this.isEmpty) {
      for (const { pending, result } of this.#duplicates) pending.resolve(result)
      return null
    }
    return {
      appends: this.#appends,
      duplicates: this.#duplicates,
      buffers: this.#buffers,
      changes: this.#changes,
      size: this.#size,
      records: this.#end - this.#log.logEndOffset,
      endOffset: this.#end,
    }
  }

  #isAnswered(pending: PendingAppend, meta: BatchMeta, entry: ProducerEntry | undefined): boolean {
    const { logStartOffset } = this.#log
    const duplicate = pending.origin === 'client' ? findDuplicate(entry, meta) : undefined
    if (duplicate !== undefined) {
      const { firstOffset, lastOffset, timestamp } = duplicate
      const logAppendTime = pending.records.logAppendTime < 0 ? -1 : timestamp
      const result = { baseOffset: firstOffset, lastOffset, logAppendTime, logStartOffset, duplicate: true }
      this.#duplicates.push({ pending, result })
      return true
    }
    const problem = checkBatch(entry, meta, pending.origin === 'client')
    if (problem === null) return false
    pending.reject(errorFor(CODES[problem.kind], `${this.#log.name}: ${problem.detail}.`))
    return true
  }
}

const CODES = {
  fenced: ErrorCode.INVALID_PRODUCER_EPOCH,
  'out-of-order': ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  'coordinator-fenced': ErrorCode.TRANSACTION_COORDINATOR_FENCED,
} as const

function assignOffset(bytes: Buffer, meta: BatchMeta, offset: number, leaderEpoch: number): void {
  const delta = header.lastOffsetDelta(bytes, meta.at)
  meta.baseOffset = offset
  meta.lastOffset = offset + delta
  meta.leaderEpoch = leaderEpoch
  header.setBaseOffset(bytes, meta.at, offset)
  header.setLeaderEpoch(bytes, meta.at, leaderEpoch)
}
