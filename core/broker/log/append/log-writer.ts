import { ftruncateSync, writev } from 'node:fs'
import { messageOf } from '../../../common/errors/error-table.ts'
import { ErrorCode, errorFor, KafkaError } from '../../../protocol/error-codes.ts'
import { dropBytes, MAX_VECTORS, writevFully } from '../io/files.ts'
import { slowOperations } from '../io/slow-operations.ts'
import type { LogState } from '../log-state.ts'
import type { AppendOptions, AppendResult } from '../types.ts'
import type { CheckedRecords } from './append-check.ts'
import { type AppendGroup, GroupBuilder, type PendingAppend } from './append-group.ts'
import { rollSegment, shouldRoll } from './roll.ts'

/** The maximum size of one write, unless a single append is larger. */
const MAX_GROUP_BYTES = 8 << 20
/**
 * Groups up to this size are written synchronously, because copying them to the page cache is
 * faster than a round trip to the thread pool (`bench/micro/log.ts`). Larger groups are written in
 * the thread pool, so that they do not block the event loop.
 */
const SYNC_WRITE_BYTES = 1 << 20

/** A queued append. It keeps its position in the queue while a thread checks its records. */
interface QueuedAppend {
  readonly number: number
  /**
   * The append after its records were checked. Null while they are being checked, and if they are
   * rejected.
   */
  pending: PendingAppend | null
  isRejected: boolean
}

/** A job that changes the log's files or segments. It must wait for earlier appends. */
interface Job {
  /** The number of the last append that the job waits for. */
  readonly after: number
  run(): void
}

/**
 * The only writer of a partition's log. Appends that arrive during a write are queued and written
 * together in the next write. If the log is synced after each write, this is a group commit. The
 * log's state changes only after the bytes are written, so a failed write is undone by truncating
 * the file. An error after the write stops all further writes: see `#stop`.
 */
export class LogWriter {
  readonly #log: LogState
  #queue: QueuedAppend[] = []
  #jobs: Job[] = []
  #lastTicket = 0
  #scheduled = false
  #busy = false
  /** Whether this log has a slot of `slowOperations` for the next write. */
  #hasSlot = false
  #isWaiting = false
  #failing = false
  /**
   * Whether the file may contain the remains of a failed write. If so, it is truncated before the
   * next write.
   */
  #needsTruncate = false
  #unsyncedRecords = 0
  readonly #drainLater = () => {
    this.#scheduled = false
    this.#drain()
  }

  constructor(log: LogState) {
    this.#log = log
  }

  /** Appends records in the order of the calls, even if the checks complete in another order. */
  append(
    records: CheckedRecords | Promise<CheckedRecords | KafkaError>,
    { origin, leaderEpoch }: AppendOptions,
  ): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      const queued: QueuedAppend = { number: ++this.#lastTicket, pending: null, isRejected: false }
      this.#queue.push(queued)
      const settle = (checked: CheckedRecords | KafkaError) => {
        if (checked instanceof KafkaError) {
          queued.isRejected = true
          reject(checked)
        } else queued.pending = { records: checked, origin, leaderEpoch, resolve, reject }
        this.#schedule()
      }
      if (records instanceof Promise) records.then(settle, (error: unknown) => settle(this.#unexpected(error)))
      else settle(records)
    })
  }

  /**
   * Runs a job that changes the log's files or segments. The job runs between writes, after all
   * earlier appends.
   */
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

  /**
   * Schedules a write at the end of this event loop turn, so that all appends of the turn are
   * written together.
   */
  #schedule(): void {
    if (this.#scheduled || this.#busy || this.#isWaiting) return
    this.#scheduled = true
    setImmediate(this.#drainLater)
  }

  #drain(): void {
    while (this.#step());
    if (this.#hasSlot && !this.#busy) this.#releaseSlot()
  }

  /**
   * Runs the next job or writes the next group of appends. Returns false if nothing can run now.
   */
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
    if (this.#log.config.fsync === 'group' && !this.#takeSlot()) return false
    this.#writeGroup(job?.after ?? Number.POSITIVE_INFINITY)
    return true
  }

  /**
   * Takes a slot of `slowOperations`, which a sync needs. Returns false if the log must wait for
   * one. Appends that arrive during the wait are written together.
   */
  #takeSlot(): boolean {
    if (this.#hasSlot) return true
    if (this.#isWaiting) return false
    this.#hasSlot = slowOperations.tryAcquire()
    if (this.#hasSlot) return true
    this.#isWaiting = true
    slowOperations.onSlot(() => {
      this.#hasSlot = true
      this.#isWaiting = false
      this.#drain()
    })
    return false
  }

  #releaseSlot(): void {
    this.#hasSlot = false
    slowOperations.release()
  }

  #writeGroup(upTo: number): void {
    const group = this.#takeGroup(upTo)
    if (group === null) return
    const { config, active } = this.#log
    const records = this.#unsyncedRecords + group.records
    const sync = config.fsync === 'group' || records >= config.flushMessages
    const isSmall = group.size <= SYNC_WRITE_BYTES
    this.#unsyncedRecords = sync ? 0 : records
    try {
      const fd = active.fd()
      if (this.#needsTruncate) this.#truncate()
      if (isSmall) writevFully(fd, group.buffers, group.size, active.size)
    } catch (error) {
      this.#fail(group, error)
      return
    }
    if (isSmall && !sync) {
      this.#commit(group)
      return
    }
    this.#busy = true
    void this.#finishLater(group, !isSmall, sync)
  }

  /**
   * Writes the group in the thread pool if `write` is true, and syncs it if `sync` is true. Then
   * answers the appends.
   */
  async #finishLater(group: AppendGroup, write: boolean, sync: boolean): Promise<void> {
    const { env, active } = this.#log
    let failure: unknown = null
    // With `millrace.log.fsync=group`, the log already has a slot. Large writes and
    // `flush.messages` take one here.
    if (!this.#hasSlot) await new Promise<void>(resolve => slowOperations.onSlot(resolve))
    this.#hasSlot = true
    try {
      const fd = env.fds.pin(active.log)
      try {
        if (write) await writevAsync(fd, group.buffers, group.size, active.size)
        if (sync) await active.sync()
      } finally {
        env.fds.unpin(active.log)
      }
    } catch (error) {
      failure = error ?? new Error('the write failed')
    }
    this.#releaseSlot()
    this.#busy = false
    if (failure === null) this.#commit(group)
    else this.#fail(group, failure)
    this.#drain()
  }

  /**
   * Returns a group of the queued appends that fit into the active segment, or null. Answers the
   * appends that need no write. Rolls the segment if necessary.
   */
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
      if (!this.#addOrAnswer(pending, group)) break
      taken++
    }
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken)
    return group.finish()
  }

  /**
   * Adds an append to the group or answers it. Returns false if the append belongs to the next
   * segment, and must therefore wait for the next group.
   */
  #addOrAnswer(pending: PendingAppend, group: GroupBuilder): boolean {
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
      pending.reject(this.#unexpected(error))
    }
    return true
  }

  #roll(): KafkaError | null {
    try {
      if (this.#needsTruncate) this.#truncate()
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
   * Stops writing to the log after an error that followed a write. The bytes of the group are in
   * the file, but the log's state may be incomplete. The file is not truncated, because the next
   * start recovers the log from it. Until then, all appends are rejected, and records that were
   * visible before remain readable.
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
      log.env.logger.info(`${log.name}: writing succeeds again`)
    }
    const segment = log.active
    const now = log.env.now()
    let position = segment.size
    if (position === 0) this.#tryIndexWrite('index', () => segment.touchIndexes())
    for (const { pending, baseOffset, lastOffset } of group.appends) {
      const { bytes, batches } = pending.records
      for (const meta of batches) {
        segment.addToIndexes(meta, position + meta.at, log.config.indexIntervalBytes)
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
      if (aborted !== null) this.#tryIndexWrite('transaction index', () => segment.txns.append(aborted))
    }
    if (segment.indexesAreDue) this.#tryIndexWrite('index', () => segment.writeOutIndexes())
    const { logStartOffset } = log
    for (const { pending, baseOffset, lastOffset } of group.appends) {
      const { logAppendTime } = pending.records
      pending.resolve({ baseOffset, lastOffset, logAppendTime, logStartOffset, duplicate: false })
    }
    for (const { pending, result } of group.duplicates) pending.resolve(result)
    if (log.env.autoHighWatermark) log.raiseHighWatermark(log.logEndOffset)
  }

  /**
   * Writes index entries. An error is only logged, because the index keeps the entries in memory
   * and writes them later. Recovery can also rebuild an index from the log.
   */
  #tryIndexWrite(what: string, write: () => void): void {
    try {
      write()
    } catch (error) {
      this.#log.env.logger.error(`${this.#log.name}: cannot write the ${what}. The next write tries again`, error)
    }
  }

  #fail(group: AppendGroup, cause: unknown): void {
    const error = this.#storageError(cause)
    this.#needsTruncate = true
    try {
      this.#truncate()
    } catch (truncateError) {
      this.#log.env.logger.error(
        `${this.#log.name}: cannot truncate the file after a failed write. The next write tries again`,
        truncateError,
      )
    }
    for (const { pending } of group.appends) pending.reject(error)
    for (const { pending } of group.duplicates) pending.reject(error)
  }

  /** Removes the bytes that a failed write left after the end of the segment. */
  #truncate(): void {
    const { active } = this.#log
    ftruncateSync(active.fd(), active.size)
    this.#needsTruncate = false
  }

  /** Logs an error that occurred before anything was written. Returns the error for the append. */
  #unexpected(cause: unknown): KafkaError {
    const { env, name } = this.#log
    env.logger.error(`${name}: an append failed before anything was written`, cause)
    return errorFor(ErrorCode.KAFKA_STORAGE_ERROR, `Appending to ${name} failed: ${messageOf(cause)}`, { cause })
  }

  #storageError(cause: unknown): KafkaError {
    const { name, dir, env } = this.#log
    const what = cause instanceof Error ? cause.message : String(cause)
    if (!this.#failing)
      env.logger.error(`${name}: cannot write to ${dir}. Producers receive KAFKA_STORAGE_ERROR`, cause)
    this.#failing = true
    return errorFor(ErrorCode.KAFKA_STORAGE_ERROR, `Writing to ${name} failed: ${what}`, { cause })
  }
}

function writevAsync(fd: number, buffers: readonly Buffer[], size: number, position: number): Promise<void> {
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
