import { renameSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ErrorCode, errorFor, KafkaError } from '../../protocol/error-codes.ts'
import { applyVerdict, type CheckedRecords, checkOwn, rulesFor } from './append/append-check.ts'
import { LogWriter } from './append/log-writer.ts'
import { rollSegment, syncUpTo, writeSnapshot } from './append/roll.ts'
import { LogCleaner } from './compaction/cleaner.ts'
import { expiredSegments } from './compaction/retention.ts'
import { slowOperations } from './io/slow-operations.ts'
import { DEFAULT_LOG_CONFIG } from './log-config.ts'
import { createLogEnv, type LogEnv } from './log-env.ts'
import { LogState } from './log-state.ts'
import { lastSequence } from './producers/producer-state.ts'
import { bytesAvailable, readLog } from './read/log-reader.ts'
import { findByTimestamp, findLatest, retryIfReplaced } from './read/offset-lookup.ts'
import { EPOCH_CHECKPOINT, loadLog } from './recovery/log-loader.ts'
import type * as api from './types.ts'
import { headerProblem } from './validation/check-header.ts'
import { checkInline } from './validation/check-records.ts'

export interface OpenOptions {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly dir: string
  readonly config?: api.LogConfig
  readonly env?: LogEnv
  /**
   * Whether the log was closed cleanly. If not, all batches from the recovery point on are checked.
   * Default false.
   */
  readonly clean?: boolean
  readonly recoveryPoint?: number
  readonly logStartOffset?: number
  /**
   * The offset at which the last compaction ended. Default -1, which means that the log was never
   * compacted.
   */
  readonly cleanedTo?: number
}

/** The default of `producer.id.expiration.check.interval.ms`. */
const EXPIRY_CHECK_MS = 600_000

/** One partition's log on disk, in Apache Kafka's layout. */
export class PartitionLog implements api.PartitionLog {
  topicId: string
  readonly openedCleanly: boolean
  readonly #log: LogState
  readonly #writer: LogWriter
  readonly #cleaner: LogCleaner
  #lastFlush: number
  #lastExpiry: number
  #closing: Promise<void> | null = null
  /**
   * The end offset when the log was opened. If the log has not grown since then, `close` writes no
   * index or snapshot.
   */
  readonly #endAtOpen: number

  private constructor(topicId: string, log: LogState, cleanedTo: number, openedCleanly: boolean) {
    this.topicId = topicId
    this.openedCleanly = openedCleanly
    this.#log = log
    this.#writer = new LogWriter(log)
    this.#cleaner = new LogCleaner(log, this.#writer, cleanedTo)
    this.#endAtOpen = log.logEndOffset
    this.#lastFlush = log.env.now()
    this.#lastExpiry = this.#lastFlush
  }

  /** Opens a log, or creates its directory. Recovers the log if necessary. */
  static async open(o: OpenOptions): Promise<PartitionLog> {
    const env = o.env ?? createLogEnv()
    const config = o.config ?? DEFAULT_LOG_CONFIG
    const loaded = await loadLog({
      dir: o.dir,
      env,
      config,
      clean: o.clean ?? false,
      recoveryPoint: o.recoveryPoint ?? 0,
      logStartOffset: o.logStartOffset ?? 0,
    })
    const { topic, partition, dir } = o
    const state = new LogState({ topic, partition, dir, env, config, loaded })
    return new PartitionLog(o.topicId, state, o.cleanedTo ?? -1, o.clean ?? false)
  }

  get topic(): string {
    return this.#log.topic
  }

  get partition(): number {
    return this.#log.partition
  }

  get dir(): string {
    return this.#log.dir
  }

  get config(): api.LogConfig {
    return this.#log.config
  }

  get logStartOffset(): number {
    return this.#log.logStartOffset
  }

  get highWatermark(): number {
    return this.#log.highWatermark
  }

  get logEndOffset(): number {
    return this.#log.logEndOffset
  }

  get lastStableOffset(): number {
    return this.#log.lastStableOffset
  }

  get recoveryPoint(): number {
    return this.#log.recoveryPoint
  }

  get sizeInBytes(): number {
    return this.#log.sizeInBytes
  }

  get segmentCount(): number {
    return this.#log.segments.length
  }

  /** The base offsets of the segments. */
  get segmentOffsets(): number[] {
    return this.#log.segments.map(s => s.baseOffset)
  }

  append(records: Buffer, o: api.AppendOptions): Promise<api.AppendResult> {
    const refusal = this.#closing === null ? (this.#log.refusal() ?? this.#log.stopped) : this.#closed()
    if (refusal !== null) return Promise.reject(refusal)
    const checked = o.origin === 'client' ? this.#check(records) : checkOwn(records, o.origin, this.#log.config)
    return checked instanceof KafkaError ? Promise.reject(checked) : this.#writer.append(checked, o)
  }

  /** Checks a producer's batch. Uses another thread if the check takes long. */
  #check(records: Buffer): CheckedRecords | KafkaError | Promise<CheckedRecords | KafkaError> {
    const { config, env, name } = this.#log
    const problem = headerProblem(records, name, config.maxMessageBytes)
    if (problem !== null) return problem
    const rules = rulesFor(name, config, env.now())
    const verdict = checkInline(records, rules)
    if (verdict !== null) return applyVerdict(records, verdict, rules, config)
    return env.checks.check(records, rules).then(v => applyVerdict(records, v, rules, config))
  }

  read(offset: number, maxBytes: number, o: api.ReadOptions): api.ReadResult | Promise<api.ReadResult> {
    return readLog(this.#log, offset, maxBytes, o)
  }

  bytesAvailable(offset: number, cap: number): number {
    return bytesAvailable(this.#log, offset, cap)
  }

  onAdvance(listener: () => void): () => void {
    return this.#log.onAdvance(listener)
  }

  offsetForTimestamp(ts: number, o: { maxOffset?: number } = {}): Promise<api.OffsetAndTimestamp | null> {
    return retryIfReplaced(() => findByTimestamp(this.#log, ts, o.maxOffset ?? this.#log.logEndOffset))
  }

  maxTimestampOffset(o: { maxOffset?: number } = {}): Promise<api.OffsetAndTimestamp | null> {
    return retryIfReplaced(() => findLatest(this.#log, o.maxOffset ?? this.#log.logEndOffset))
  }

  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#log.epochs.endOffsetFor(epoch, this.#log.logEndOffset)
  }

  get earliestEpoch(): number {
    const first = this.#log.epochs.entries[0]
    return first !== undefined && first.startOffset <= this.#log.logStartOffset ? first.epoch : -1
  }

  beginEpoch(epoch: number): void {
    if (this.#log.epochs.assign(epoch, this.#log.logEndOffset)) this.#log.saveEpochs()
  }

  setHighWatermark(n: number): void {
    this.#log.raiseHighWatermark(n)
  }

  updateConfig(config: api.LogConfig): void {
    this.#log.config = config
  }

  async deleteRecordsBefore(offset: number): Promise<number> {
    const log = this.#log
    const refusal = log.refusal() ?? log.stopped
    if (refusal !== null) throw refusal
    if (!log.config.cleanupPolicy.includes('delete')) {
      const detail = `Records of ${log.name} can only be deleted if cleanup.policy contains delete.`
      throw errorFor(ErrorCode.POLICY_VIOLATION, detail)
    }
    const target = offset === -1 ? log.highWatermark : offset
    if (target < 0 || target > log.highWatermark) {
      const detail = `Offset ${offset} of ${log.name} is not between 0 and the high watermark ${log.highWatermark}.`
      throw errorFor(ErrorCode.OFFSET_OUT_OF_RANGE, detail)
    }
    if (log.raiseLogStart(target)) {
      // An empty cleanup policy deletes only the segments before the log start offset. Retention by
      // age and size runs periodically.
      await this.#writer.exclusively(() => this.#deleteExpired(log.env.now(), { ...log.config, cleanupPolicy: [] }))
    }
    return log.logStartOffset
  }

  async flush(): Promise<void> {
    const log = this.#log
    this.#lastFlush = log.env.now()
    if (log.stopped === null && log.recoveryPoint < log.logEndOffset)
      await log.env.background.run(() => syncUpTo(log, log.logEndOffset))
  }

  runRetention(now: number): Promise<number> {
    return this.#writer.exclusively(() => this.#deleteExpired(now, this.#log.config))
  }

  producerStates(): api.ProducerStateView[] {
    return [...this.#log.producers.entries()].map(e => ({
      producerId: Number(e.producerId),
      producerEpoch: e.epoch,
      lastSequence: lastSequence(e),
      lastTimestamp: e.lastTimestamp,
      coordinatorEpoch: e.coordinatorEpoch,
      currentTxnStartOffset: e.txnFirstOffset,
    }))
  }

  async abortedTransactions(from: number, to: number): Promise<api.AbortedTransaction[]> {
    const log = this.#log
    const found: api.AbortedTransaction[] = []
    for (let i = Math.max(0, log.segmentIndex(from)); i < log.segments.length; i++) {
      const txns = log.segments[i]!.txns.all()
      for (const txn of txns) {
        if (txn.lastOffset < from || txn.firstOffset >= to) continue
        found.push({ producerId: Number(txn.producerId), firstOffset: txn.firstOffset })
      }
      // Stop if the last stable offset had reached `to` when one of these transactions ended. All
      // transactions that start before `to` had then ended, so later segments contain no marker of
      // such a transaction.
      if (txns.some(t => t.lastStableOffset >= to)) break
    }
    return found
  }

  /**
   * Returns the dirty ratio of the log, from 0 to 1, if compaction is due, and -1 if it is not due.
   * Returns 2 if compaction is overdue, so that this log is compacted first.
   */
  compactionDue(now: number): number {
    const part = this.#cleaner.due(now)
    return part === null ? -1 : part.isOverdue ? 2 : part.ratio
  }

  /**
   * Compacts the part of the log that is due. If reading or writing fails, throws and leaves the
   * log unchanged.
   */
  async compact(now: number, o: { maxMapBytes: number; isStopped?: () => boolean }): Promise<void> {
    const part = this.#cleaner.due(now)
    if (part !== null) await this.#cleaner.clean(part, now, o.maxMapBytes, o.isStopped ?? (() => false))
  }

  /** The offset at which the last compaction ended. -1 if the log was never compacted. */
  get cleanedTo(): number {
    return this.#cleaner.cleanedTo
  }

  /** Returns whether retention would delete a segment now. */
  retentionDue(now: number): boolean {
    return this.#expired(now, this.#log.config) > 0
  }

  /** Returns whether producer ids may have expired, or data must be flushed: the work of `tick`. */
  tickDue(now: number): boolean {
    const log = this.#log
    if (log.status !== 'open') return false
    const expires = now - this.#lastExpiry >= Math.min(EXPIRY_CHECK_MS, log.env.producerIdExpirationMs)
    return expires || log.active.offsets.file.pendingCount > 0 || now - this.#lastFlush >= log.config.flushMs
  }

  /**
   * Runs the periodic work: writes index entries to disk, syncs the log every `flush.ms`, and
   * expires producers.
   */
  async tick(now: number): Promise<void> {
    const log = this.#log
    if (log.status !== 'open' || log.stopped !== null) return
    const { producerIdExpirationMs } = log.env
    if (now - this.#lastExpiry >= Math.min(EXPIRY_CHECK_MS, producerIdExpirationMs)) {
      this.#lastExpiry = now
      log.producers.expire(now, producerIdExpirationMs)
    }
    if (log.active.offsets.file.pendingCount > 0) {
      await this.#writer.exclusively(() => {
        if (log.status === 'open') log.active.writeOutIndexes()
      })
    }
    if (now - this.#lastFlush >= log.config.flushMs) await this.flush()
  }

  /**
   * Writes the indexes and the producer snapshot, and syncs the log, so that it needs no recovery
   * when it is opened again.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /**
   * Renames the directory of a deleted log. The log then rejects all calls, and waiting fetches are
   * woken.
   */
  async renameDir(newName: string): Promise<string> {
    this.#closing ??= Promise.resolve()
    try {
      return await this.#writer.exclusively(() => this.#rename(newName))
    } catch (error) {
      this.#closing = null
      throw error
    }
  }

  #rename(newName: string): string {
    const log = this.#log
    const dir = join(dirname(log.dir), newName)
    renameSync(log.dir, dir)
    log.env.logger.info(`${log.name}: directory renamed to ${basename(dir)}`)
    log.status = 'deleted'
    log.env.trash.dropBelow(log.dir)
    log.dir = dir
    log.epochs.file = join(dir, EPOCH_CHECKPOINT)
    for (const segment of log.segments) {
      segment.moveTo(dir)
      segment.release()
    }
    log.tail.clear()
    log.wake()
    return dir
  }

  async #close(): Promise<void> {
    const log = this.#log
    if (log.status !== 'open') return
    await this.#writer.exclusively(() => {
      if (log.stopped !== null) return
      log.epochs.save()
      if (this.openedCleanly && log.logEndOffset === this.#endAtOpen) return
      log.active.seal()
      writeSnapshot(log)
    })
    if (log.stopped === null && log.recoveryPoint < log.logEndOffset)
      await slowOperations.run(() => syncUpTo(log, log.logEndOffset))
    log.status = 'closed'
    for (const segment of log.segments) segment.release()
    log.tail.clear()
    log.wake()
    // Throw, so that the caller does not mark a clean shutdown.
    if (log.stopped !== null) throw log.stopped
  }

  #closed() {
    return errorFor(ErrorCode.KAFKA_STORAGE_ERROR, `The log of ${this.#log.name} is closing.`)
  }

  /** Returns how many of the oldest segments may be removed. */
  #expired(now: number, config: api.LogConfig): number {
    const log = this.#log
    if (log.status !== 'open' || log.stopped !== null) return 0
    // Return early for an empty log, because many partitions are empty.
    if (log.segments.length === 1 && log.active.size === 0) return 0
    const ages = log.segments.map((s, i) => ({
      size: s.size,
      endOffset: log.segmentEnd(i),
      latestTimestamp: s.latest.timestamp >= 0 ? s.latest.timestamp : statSync(s.log.path).mtimeMs,
    }))
    const { highWatermark, logStartOffset } = log
    return expiredSegments(ages, config, { now, highWatermark, logStartOffset })
  }

  #deleteExpired(now: number, config: api.LogConfig): number {
    const log = this.#log
    const expired = this.#expired(now, config)
    if (expired === 0) return 0
    if (expired === log.segments.length) rollSegment(log)
    const removed = log.segments.slice(0, expired)
    log.segments = log.segments.slice(expired)
    log.raiseLogStart(log.segments[0]!.baseOffset)
    for (const segment of removed) log.env.trash.add(segment.markDeleted(), log.config.fileDeleteDelayMs)
    log.env.logger.info(`${log.name}: deleted ${expired} segments. The log now starts at offset ${log.logStartOffset}`)
    return expired
  }
}
