import { ftruncateSync, writev } from 'node:fs'
import { messageOf } from '../../../common/errors/error-table.ts'
import { ErrorCode, errorFor, KafkaError } from '../../../protocol/error-codes.ts'
import { dropBytes, MAX_VECTORS, writevFully } from '../files.ts'
import type { LogState } from '../log-state.ts'
import { slowOperations } from '../slow-operations.ts'
import type { AppendOptions, AppendResult } from '../types.ts'
import type { CheckedRecords } from './append-check.ts'
import { type AppendGroup, GroupBuilder, type PendingAppend } from './append-group.ts'
import { rollSegment, shouldRoll } from './roll.ts'

/** So many bytes at most go into one write. */
const MAX_GROUP_BYTES = 8 << 20
/**
 * Up to this size a group is written synchronously: the copy into the page cache takes less than a trip to the thread pool and
 * back (`bench/micro/log.ts`). Larger ones must not hold the event loop.
 */
const SYNC_WRITE_BYTES = 1 << 20

/** A queued append. It keeps its place in the queue while a thread checks its records. */
interface Ticket {
  readonly number: number
  /** Null while its records are being checked. */
  pending: PendingAppend | null
  isRejected: boolean
}

/** A change of files or segments that waits for the appends before it. */
interface Job {
  /** The last append to wait for. */
  readonly after: number
  run(): void
}

/**
 * The one writer of a partition's log. Appends queue up while a write is under way, and go into the
 * next one together: with fdatasync that is the group commit. Nothing of the log's state changes
 * before the bytes are written, so a failed write is undone by cutting the file. What fails after
 * that stops the log from being written to: see `#stop`.
 */
export class LogWriter {
  readonly #log: LogState
  #queue: Ticket[] = []
  #jobs: Job[] = []
  #lastTicket = 0
  #scheduled = false
  #busy = false
  /** Whether we hold a turn of `slowOperations`, for the next write. */
  #hasTurn = false
  #isWaiting = false
  #failing = false
  /** The file may have more bytes than the segment: cut it before the next write. */
  #needsCut = false
  #unsyncedRecords = 0
  readonly #drainLater = () => {
    this.#scheduled = false
    this.#drain()
  }

  constructor(log: LogState) {
    this.#log = log
  }

  /** Appends records in the order of the calls, also those whose check is not done yet. */
  append(
    records: CheckedRecords | Promise<CheckedRecords | KafkaError>,
    { origin, leaderEpoch }: AppendOptions,
  ): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      const ticket: Ticket = { number: ++this.#lastTicket, pending: null, isRejected: false }
      this.#queue.push(ticket)
      const settle = (checked: CheckedRecords | KafkaError) => {
        if (checked instanceof KafkaError) {
          ticket.isRejected = true
          reject(checked)
        } else ticket.pending = { records: checked, origin, leaderEpoch, resolve, reject }
        this.#schedule()
      }
      if (records instanceof Promise) records.then(settle, (error: unknown) => settle(this.#unexpected(error)))
      else settle(records)
    })
  }

  /** Runs a job that changes the log's files or segments, between writes and after the appends that came before it. */
  exclusively<T>(job: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          resolve(job())
        } catch (error) {
          reject(error)
        }
      }
      this.#jobs.push({ after: this.#lastTicket, run })
      this.#schedule()
    })
  }

  /** Appends of one turn of the event loop are written together. */
  #schedule(): void {
    if (this.#scheduled || this.#busy || this.#isWaiting) return
    this.#scheduled = true
    setImmediate(this.#drainLater)
  }

  #drain(): void {
    while (this.#step());
    if (this.#hasTurn && !this.#busy) this.#endTurn()
  }

  /** Runs the next operation; false if it must wait, or none is left. */
  #step(): boolean {
    if (this.#busy) return false
    const job = this.#jobs[0]
    const next = this.#queue[0]
    if (job !== undefined && (next === undefined || next.number > job.after)) {
      this.#jobs.shift()
      job.run()
      return true
    }
    if (next === undefined || (next.pending === null && !next.isRejected)) return false
    if (this.#log.config.fsync === 'group' && !this.#takeTurn()) return false
    this.#writeGroup(job?.after ?? Number.POSITIVE_INFINITY)
    return true
  }

  /** A sync needs a turn. Appends that arrive while this log waits share the same write. */
  #takeTurn(): boolean {
    if (this.#hasTurn) return true
    if (this.#isWaiting) return false
    this.#hasTurn = slowOperations.tryStart()
    if (this.#hasTurn) return true
    this.#isWaiting = true
    slowOperations.onTurn(() => {
      this.#hasTurn = true
      this.#isWaiting = false
      this.#drain()
    })
    return false
  }

  #endTurn(): void {
    this.#hasTurn = false
    slowOperations.finish()
  }

  #writeGroup(upTo: number): void {
    const group = this.#takeGroup(upTo)
    if (group === null) return
    const { config, active } = this.#log
    const records = this.#unsyncedRecords + group.records
    const sync = config.fsync === 'group' || records >= config.flushMessages
    const writesNow = group.size <= SYNC_WRITE_BYTES
    this.#unsyncedRecords = sync ? 0 : records
    try {
      const fd = active.fd()
      if (this.#needsCut) this.#cut()
      if (writesNow) writevFully(fd, group.buffers, group.size, active.size)
    } catch (error) {
      this.#fail(group, error)
      return
    }
    if (writesNow && !sync) {
      this.#commit(group)
      return
    }
    this.#busy = true
    void this.#finishLater(group, !writesNow, sync)
  }

  /** The asynchronous part of a write; its failures go to the appends. */
  async #finishLater(group: AppendGroup, write: boolean, sync: boolean): Promise<void> {
    const { env, active } = this.#log
    let failure: unknown = null
    // `flush.messages`, or a large write
    if (!this.#hasTurn) await new Promise<void>(resolve => slowOperations.onTurn(resolve))
    this.#hasTurn = true
    try {
      const fd = env.fds.pin(active.log)
      try {
        if (write) await writevLater(fd, group.buffers, group.size, active.size)
        if (sync) await active.sync()
      } finally {
        env.fds.unpin(active.log)
      }
    } catch (error) {
      failure = error ?? new Error('the write failed')
    }
    this.#endTurn()
    this.#busy = false
    if (failure === null) this.#commit(group)
    else this.#fail(group, failure)
    this.#drain()
  }

  /** As many queued appends as fit into the active segment; answers those that need no write. Rolls when it must. */
  #takeGroup(upTo: number): AppendGroup | null {
    const log = this.#log
    const group = new GroupBuilder(log)
    let taken = 0
    for (const { number, pending, isRejected } of this.#queue) {
      if (number > upTo || (pending === null && !isRejected)) break
      if (pending === null) {
        taken++
        continue
      }
      const full = group.size + pending.records.bytes.length > MAX_GROUP_BYTES || group.count >= MAX_VECTORS
      if (!group.isEmpty && full) break
      if (!this.#place(pending, group)) break
      taken++
    }
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken)
    return group.finish()
  }

  /**
   * Adds an append to the group, or answers it. False: it has to wait for the next group, in
   * another segment.
   */
  #place(pending: PendingAppend, group: GroupBuilder): boolean {
    const log = this.#log
    try {
      const refusal = log.refusal() ?? log.stopped
      if (refusal !== null) {
        pending.reject(refusal)
        return true
      }
      if (!group.check(pending)) return true
      if (shouldRoll(log, group.size, pending.records, group.checkedEnd)) {
        if (!group.isEmpty) return false
        const failure = this.#roll()
        if (failure !== null) {
          pending.reject(failure)
          return true
        }
      }
      group.take(pending)
    } catch (error) {
      // nothing of it was written: only this append fails
      pending.reject(this.#unexpected(error))
    }
    return true
  }

  #roll(): KafkaError | null {
    try {
      if (this.#needsCut) this.#cut()
      rollSegment(this.#log)
      return null
    } catch (error) {
      return this.#storageError(error)
    }
  }

  #commit(group: AppendGroup): void {
    try {
      this.#apply(group)
    } catch (error) {
      this.#stop(group, error)
    }
  }

  /**
   * The bytes are in the file, but the log's state may be only half updated. They stay: the next
   * start reads them again. Until then nothing more is written; records visible before can still be
   * read.
   */
  #stop(group: AppendGroup, cause: unknown): void {
    const { env, name } = this.#log
    env.logger.error(
      `${name}: an error occurred after records were written. Restart the broker to check the log`,
      cause,
    )
    const detail = `${name} rejects writes until the broker is restarted: an error occurred after its last write.`
    const error = errorFor(ErrorCode.KAFKA_STORAGE_ERROR, detail, { cause })
    this.#log.stopped = error
    for (const { pending } of group.appends) pending.reject(error)
    for (const { pending } of group.duplicates) pending.reject(error)
  }

  #apply(group: AppendGroup): void {
    const log = this.#log
    if (this.#failing) {
      this.#failing = false
      log.env.logger.info(`${log.name}: writing works again`)
    }
    const segment = log.active
    const now = log.env.now()
    let position = segment.size
    if (position === 0) this.#inMemoryAtLeast('index', () => segment.touchIndexes())
    for (const { pending, baseOffset, lastOffset } of group.appends) {
      const { bytes, batches } = pending.records
      for (const meta of batches) {
        segment.noteAppended(meta, position + meta.at, log.config.indexIntervalBytes)
        if (log.epochs.assign(meta.leaderEpoch, meta.baseOffset)) log.saveEpochs()
      }
      position += bytes.length
      log.tail.push(bytes, baseOffset, lastOffset)
    }
    segment.size = position
    log.logEndOffset = group.endOffset
    for (const { entry, completed } of group.changes) {
      log.producers.put(entry, now)
      const aborted = completed === null ? null : log.producers.complete(completed)
      if (aborted !== null) this.#inMemoryAtLeast('transaction index', () => segment.txns.append(aborted))
    }
    if (segment.indexesAreDue) this.#inMemoryAtLeast('index', () => segment.writeOutIndexes())
    const { logStartOffset } = log
    for (const { pending, baseOffset, lastOffset } of group.appends) {
      const { logAppendTime } = pending.records
      pending.resolve({ baseOffset, lastOffset, logAppendTime, logStartOffset, duplicate: false })
    }
    for (const { pending, result } of group.duplicates) pending.resolve(result)
    if (log.env.autoHighWatermark) log.raiseHighWatermark(log.logEndOffset)
  }

  /** What an index cannot write it keeps in memory and writes later, and recovery finds it again in the log. */
  #inMemoryAtLeast(what: string, write: () => void): void {
    try {
      write()
    } catch (error) {
      this.#log.env.logger.error(`${this.#log.name}: the ${what} cannot be written; trying again later`, error)
    }
  }

  #fail(group: AppendGroup, cause: unknown): void {
    const error = this.#storageError(cause)
    this.#needsCut = true
    try {
      this.#cut()
    } catch (cutError) {
      this.#log.env.logger.error(`${this.#log.name}: the failed write cannot be cut off yet`, cutError)
    }
    for (const { pending } of group.appends) pending.reject(error)
    for (const { pending } of group.duplicates) pending.reject(error)
  }

  /** Takes away what a failed write left behind the segment's end. */
  #cut(): void {
    const { active } = this.#log
    ftruncateSync(active.fd(), active.size)
    this.#needsCut = false
  }

  /** An unexpected error: the append fails and the log continues. */
  #unexpected(cause: unknown): KafkaError {
    const { env, name } = this.#log
    env.logger.error(`${name}: an append failed before anything was written`, cause)
    return errorFor(ErrorCode.KAFKA_STORAGE_ERROR, `Appending to ${name} failed: ${messageOf(cause)}`, { cause })
  }

  #storageError(cause: unknown): KafkaError {
    const { name, dir, env } = this.#log
    const what = cause instanceof Error ? cause.message : String(cause)
    if (!this.#failing) env.logger.error(`${name}: writing to ${dir} fails; producers get KAFKA_STORAGE_ERROR`, cause)
    this.#failing = true
    return errorFor(ErrorCode.KAFKA_STORAGE_ERROR, `Writing to ${name} failed: ${what}`, { cause })
  }
}

function writevLater(fd: number, buffers: readonly Buffer[], size: number, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (rest: readonly Buffer[], done: number) => {
      writev(fd, rest, position + done, (error, written) => {
        if (error) reject(error)
        else if (done + written >= size) resolve()
        else next(dropBytes(rest, written), done + written)
      })
    }
    next(buffers, 0)
  })
}
