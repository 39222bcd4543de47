import { ftruncateSync, writev } from 'node:fs'
import { ErrorCode, errorFor, type KafkaError } from '../../protocol/error-codes.ts'
import type { CheckedRecords } from './append-check.ts'
import { type AppendGroup, GroupBuilder, type PendingAppend } from './append-group.ts'
import { dropBytes, MAX_VECTORS, writevFully } from './files.ts'
import type { LogState } from './log-state.ts'
import { rollSegment, shouldRoll } from './roll.ts'
import { slowOperations } from './slow-operations.ts'
import type { AppendOptions, AppendResult } from './types.ts'

/** So many bytes at most go into one write. */
const MAX_GROUP_BYTES = 8 << 20
/**
 * Up to this size a group is written synchronously: the copy into the page cache takes less than a trip to the thread pool and
 * back (`bench/micro/log.ts`). Larger ones must not hold the event loop.
 */
const SYNC_WRITE_BYTES = 1 << 20

/**
 * The one writer of a partition's log. Appends queue up while a write is under way, and go into the next one together:
 * with fdatasync that is the group commit. Nothing of the log's state changes before the bytes are written, so a failed
 * write is undone by cutting the file.
 */
export class LogWriter {
  readonly #log: LogState
  #queue: PendingAppend[] = []
  #jobs: (() => void)[] = []
  #scheduled = false
  #busy = false
  /** One of the turns of `slowOperations` is ours, for the next write. */
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

  append(records: CheckedRecords, o: AppendOptions): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, origin: o.origin, leaderEpoch: o.leaderEpoch, resolve, reject })
      this.#schedule()
    })
  }

  /** Runs a job that changes the log's files or segments, between writes and after the appends that came before it. */
  exclusively<T>(job: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#jobs.push(() => {
        try {
          resolve(job())
        } catch (error) {
          reject(error)
        }
      })
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
    while (!this.#busy && this.#queue.length > 0) {
      if (this.#log.config.fsync === 'group' && !this.#takeTurn()) return
      this.#writeGroup()
    }
    if (this.#hasTurn && !this.#busy) this.#endTurn()
    while (!this.#busy && this.#jobs.length > 0) this.#jobs.shift()!()
  }

  /** A sync needs a turn. What arrives while this log waits for one goes into the same write. */
  #takeTurn(): boolean {
    if (this.#hasTurn) return true
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

  #writeGroup(): void {
    const group = this.#takeGroup()
    if (group === null) return
    const { config, active } = this.#log
    const records = this.#unsyncedRecords + group.records
    const sync = config.fsync === 'group' || records >= config.flushMessages
    this.#unsyncedRecords = sync ? 0 : records
    try {
      const fd = active.fd()
      if (this.#needsCut) this.#cut()
      if (group.size <= SYNC_WRITE_BYTES) {
        writevFully(fd, group.buffers, group.size, active.size)
        if (!sync) {
          this.#commit(group)
          return
        }
      }
    } catch (error) {
      this.#fail(group, error)
      return
    }
    this.#busy = true
    void this.#finishLater(group, group.size > SYNC_WRITE_BYTES, sync)
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
  #takeGroup(): AppendGroup | null {
    const log = this.#log
    const group = new GroupBuilder(log)
    let taken = 0
    for (const pending of this.#queue) {
      const full = group.size + pending.records.bytes.length > MAX_GROUP_BYTES || group.count >= MAX_VECTORS
      if (!group.isEmpty && full) break
      const refusal = log.refusal()
      const admitted = refusal === null && group.check(pending)
      if (admitted && shouldRoll(log, group.size, pending.records, group.checkedEnd)) {
        if (!group.isEmpty) break
        const failure = this.#roll()
        if (failure !== null) {
          taken++
          pending.reject(failure)
          continue
        }
      }
      taken++
      if (refusal !== null) pending.reject(refusal)
      else if (admitted) group.take(pending)
    }
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken)
    return group.finish()
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
