import { randomUUID } from 'node:crypto'
import { existsSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { nextTurn } from '../../common/async/next-turn.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { makeDirs } from '../../common/make-dirs.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { CompactionSchedule } from './compaction/schedule.ts'
import { logErrors } from './errors.ts'
import { SerialQueue } from './io/serial-queue.ts'
import { type CheckpointedOffsets, LogDir } from './log-dir.ts'
import { createLogEnv, type LogEnv } from './log-env.ts'
import { PartitionLog } from './partition-log.ts'
import { readTopicId, writeTopicId } from './partition-metadata.ts'
import { partitionKey } from './recovery/checkpoint-file.ts'
import { DELETE_DIR, parsePartitionDir, renamedPartitionDir, STRAY_DIR } from './segment/log-files.ts'
import type * as api from './types.ts'

/**
 * The number of logs that are opened or closed at the same time when the broker starts or stops.
 */
const CONCURRENCY = 4
const RETENTION_CHECK_MS = 300_000
const CHECKPOINT_MS = 5_000
const CLEANER_BACKOFF_MS = 15_000
/** The default of `log.cleaner.dedupe.buffer.size`. */
const CLEANER_MAP_BYTES = 128 << 20

interface Entry {
  readonly log: PartitionLog
  readonly dir: LogDir
  /**
   * Whether `getOrCreate` was called for the log, which means that a topic uses it. Retention and
   * compaction skip all other logs.
   */
  claimed: boolean
}

/** The state of a log in the checkpoint files. It is needed to open the log. */
interface SavedState {
  readonly clean: boolean
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly cleanedTo: number
}

interface LogToOpen {
  readonly dir: LogDir
  readonly topic: string
  readonly partition: number
  /** The topic id. Null if it must be read from the directory. */
  readonly topicId: string | null
  readonly config: api.LogConfig
  readonly saved: SavedState
}

const NEW_LOG: SavedState = { clean: true, recoveryPoint: 0, logStartOffset: 0, highWatermark: 0, cleanedTo: -1 }

/** The number of logs to open, close or rename before yielding to the event loop. */
const OPENED_PER_TURN = 16
/** The number of logs to inspect before yielding to the event loop. */
const INSPECTIONS_PER_TURN = 1024

/** All logs of a broker, in one or more directories. */
export class LogManager implements api.LogManager {
  readonly #env: LogEnv
  readonly #dirs: LogDir[]
  readonly #defaults: api.LogConfig
  readonly #logs = new Map<string, Entry>()
  /**
   * Logs on disk that could not be opened, by partition. `getOrCreate` tries again to open them.
   */
  readonly #unopened = new Map<string, SavedState & { dir: LogDir }>()
  /** Logs that are being opened or created, by partition. */
  readonly #creating = new Map<string, Promise<PartitionLog>>()
  /**
   * Removals in progress, by partition. The creation of a log with the same name waits for the
   * removal.
   */
  readonly #removing = new Map<string, Promise<void>>()
  readonly #removals = new SerialQueue()
  #removed = 0
  readonly #retentionCheckMs: number
  readonly #compaction: CompactionSchedule
  #lastRetention: number
  #lastCheckpoint: number
  #ticking: Promise<void> | null = null
  #checkpointing: Promise<void> = Promise.resolve()
  #closed = false

  private constructor(o: api.LogManagerOptions) {
    this.#env = createLogEnv(o)
    this.#dirs = o.dirs.map(path => new LogDir(path, this.#env.logger))
    this.#defaults = o.defaults
    this.#retentionCheckMs = o.retentionCheckIntervalMs ?? RETENTION_CHECK_MS
    this.#compaction = new CompactionSchedule(this.#env.logger, {
      backoffMs: o.cleanerBackoffMs ?? CLEANER_BACKOFF_MS,
      maxMapBytes: o.cleanerMapBytes ?? CLEANER_MAP_BYTES,
    })
    this.#lastRetention = this.#env.now()
    this.#lastCheckpoint = this.#env.now()
  }

  /**
   * Opens every log in the directories. Recovers the logs of a directory that was not closed
   * cleanly. If a log cannot be opened, logs an error and continues. Throws MR_LOG_DIR_UNUSABLE.
   */
  static async open(o: api.LogManagerOptions): Promise<LogManager> {
    const manager = new LogManager(o)
    for (const dir of manager.#dirs) await manager.#load(dir)
    await manager.#checkpointOrWarn()
    return manager
  }

  get(topic: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(partitionKey(topic, partition))?.log
  }

  all(): PartitionLog[] {
    return [...this.#logs.values()].map(e => e.log)
  }

  async getOrCreate(
    topic: string,
    partition: number,
    topicId: string,
    config: api.LogConfig = this.#defaults,
  ): Promise<PartitionLog> {
    const key = partitionKey(topic, partition)
    const creating = this.#creating.get(key)
    if (creating !== undefined) return creating
    const entry = this.#logs.get(key)
    if (entry !== undefined && entry.log.topicId === topicId) return this.#claim(entry, config)
    const created = this.#openOrCreate(topic, partition, topicId, config)
    this.#creating.set(key, created)
    try {
      return await created
    } finally {
      this.#creating.delete(key)
    }
  }

  #claim(entry: Entry, config: api.LogConfig): PartitionLog {
    entry.claimed = true
    entry.log.updateConfig(config)
    return entry.log
  }

  /**
   * Removes a log: `get` no longer returns it, and its directory is renamed in the background.
   * Resolves when the directory is renamed. If `topicId` is set and the log belongs to another
   * topic, does nothing. A log that could not be opened is removed without this check. The next
   * periodic checkpoint records the removal.
   */
  delete(topic: string, partition: number, topicId?: string): Promise<void> {
    const key = partitionKey(topic, partition)
    const running = this.#removing.get(key)
    if (running !== undefined) return running
    const entry = this.#logs.get(key)
    const unopened = this.#unopened.get(key)
    if (entry === undefined && unopened === undefined) return Promise.resolve()
    if (entry !== undefined && topicId !== undefined && entry.log.topicId !== topicId) return Promise.resolve()
    if (entry !== undefined) this.#drop(key, entry)
    const removing = this.#removals.run(async () => {
      if (unopened !== undefined) this.#removeUnopened(topic, partition, unopened.dir)
      if (entry !== undefined) {
        const dir = await this.#renameDir(entry, DELETE_DIR)
        this.#env.trash.add([dir], entry.log.config.fileDeleteDelayMs)
      }
      if (++this.#removed % OPENED_PER_TURN === 0) await nextTurn()
    })
    const done = removing.finally(() => this.#removing.delete(key))
    this.#removing.set(key, done)
    return done
  }

  #removeUnopened(topic: string, partition: number, dir: LogDir): void {
    const key = partitionKey(topic, partition)
    const renamed = join(dir.path, newDirName(topic, partition, DELETE_DIR))
    renameSync(join(dir.path, key), renamed)
    this.#unopened.delete(key)
    dir.remove(key)
    this.#env.trash.add([renamed], this.#defaults.fileDeleteDelayMs)
  }

  /**
   * Deletes all records of a log that ends before `offset`, so that its next record gets this
   * offset. Use this only if the records also exist elsewhere.
   */
  async startOver(topic: string, partition: number, offset: number): Promise<PartitionLog> {
    const key = partitionKey(topic, partition)
    const { log, dir, claimed } = this.#logs.get(key)!
    await log.close()
    this.#drop(key, this.#logs.get(key)!)
    const saved = { ...NEW_LOG, clean: false, logStartOffset: offset }
    const { topicId, config } = log
    const opened = await this.#open({ dir, topic, partition, topicId, config, saved })
    this.#logs.get(key)!.claimed = claimed
    return opened
  }

  #add(key: string, entry: Entry): void {
    this.#logs.set(key, entry)
    entry.dir.logCount++
    this.#updateCheckpoint(entry)
  }

  #drop(key: string, entry: Entry): void {
    this.#logs.delete(key)
    entry.dir.logCount--
    entry.dir.remove(key)
  }

  /** Runs the periodic work. If the work is already running, waits until it is complete. */
  tick(now: number): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#ticking ??= this.#tick(now).finally(() => {
      this.#ticking = null
    })
    return this.#ticking
  }

  /** Resolves when the running compaction is complete. */
  compactionDone(): Promise<void> {
    return this.#compaction.idle()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#ticking
    await this.#compaction.stop()
    await Promise.allSettled(this.#creating.values())
    await this.#removals.idle()
    const failed = new Set([...this.#unopened.values()].map(u => u.dir))
    await inParallel([...this.#logs.values()], async ({ log, dir }) => {
      try {
        await log.close()
      } catch (error) {
        failed.add(dir)
        this.#env.logger.error(`${basename(log.dir)} was not closed cleanly. The next start will check it`, error)
      }
    })
    await this.#env.checks.close()
    await this.#env.background.idle()
    // Do not mark a clean shutdown if the checkpoints could not be written. The next start then
    // recovers the logs.
    const isSaved = await this.#checkpointOrWarn()
    for (const dir of this.#dirs) if (isSaved && !failed.has(dir)) await dir.markCleanShutdown()
    await this.#env.trash.empty(Number.POSITIVE_INFINITY)
    this.#env.fds.releaseAll()
  }

  async #load(dir: LogDir): Promise<void> {
    const { partitions, deleted } = dir.list()
    this.#env.trash.add(deleted, 0)
    const clean = dir.wasClosedCleanly
    const recoveryPoints = dir.recoveryPoints()
    const startOffsets = dir.startOffsets()
    const highWatermarks = dir.highWatermarks()
    const cleanerOffsets = dir.cleanerOffsets()
    if (!clean && partitions.length > 0) {
      this.#env.logger.info(`${dir.path} was not closed cleanly: checking ${partitions.length} logs`)
    }
    await inParallel(partitions, async name => {
      const { topic, partition } = parsePartitionDir(name)!
      const saved = {
        clean,
        recoveryPoint: recoveryPoints.get(name) ?? 0,
        logStartOffset: startOffsets.get(name) ?? 0,
        highWatermark: highWatermarks.get(name) ?? 0,
        cleanedTo: cleanerOffsets.get(name) ?? -1,
      }
      try {
        const log = await this.#open({ dir, topic, partition, topicId: null, config: this.#defaults, saved })
        if (!this.#env.autoHighWatermark) log.setHighWatermark(saved.highWatermark)
      } catch (error) {
        this.#env.logger.error(messageOf(error), error)
        if (this.#logs.has(name)) return
        this.#unopened.set(name, { ...saved, clean: false, dir })
        dir.setOffsets(topic, partition, {
          recoveryPoint: saved.recoveryPoint,
          startOffset: saved.logStartOffset > 0 ? saved.logStartOffset : null,
          highWatermark: saved.highWatermark,
          cleanedTo: saved.cleanedTo >= 0 ? saved.cleanedTo : null,
        })
      }
    })
    await dir.clearCleanShutdown()
  }

  /** Opens a log and adds it to the manager. Throws MR_LOG_OPEN_FAILED. */
  async #open({ dir, topic, partition, config, saved, ...o }: LogToOpen): Promise<PartitionLog> {
    const name = partitionKey(topic, partition)
    const path = join(dir.path, name)
    try {
      const other = this.#logs.get(name)
      if (other !== undefined) throw new Error(`it also exists in ${other.dir.path}`)
      const topicId = o.topicId ?? readTopicId(path) ?? ZERO_UUID
      const log = await PartitionLog.open({ topic, partition, topicId, dir: path, config, env: this.#env, ...saved })
      this.#add(name, { log, dir, claimed: false })
      return log
    } catch (error) {
      const cause = messageOf(error)
      throw logErrors.create('MR_LOG_OPEN_FAILED', { name, dir: dir.path, cause }, { cause: error })
    }
  }

  /**
   * Returns the log of a topic's partition. Tries again to open a log that could not be opened, and
   * creates a log if none exists. Renames the directory of another topic's log with the same name.
   */
  async #openOrCreate(topic: string, partition: number, topicId: string, config: api.LogConfig): Promise<PartitionLog> {
    const key = partitionKey(topic, partition)
    // Ignore a failed removal here, because the caller of `delete` receives the error.
    await this.#removing.get(key)?.catch(() => undefined)
    const unopened = this.#unopened.get(key)
    if (unopened !== undefined) {
      const { dir, ...saved } = unopened
      await this.#open({ dir, topic, partition, topicId: null, config, saved })
      this.#unopened.delete(key)
    }
    const entry = this.#logs.get(key)
    if (entry !== undefined && entry.log.topicId === ZERO_UUID) {
      // The directory contains no valid topic id, for example because topics had no ids when it was
      // created.
      writeTopicId(entry.log.dir, topicId)
      entry.log.topicId = topicId
    }
    if (entry !== undefined && entry.log.topicId === topicId) return this.#claim(entry, config)
    if (entry !== undefined) {
      this.#drop(key, entry)
      const dir = await this.#renameDir(entry, STRAY_DIR)
      this.#env.logger.warn(
        `Renamed a log directory to ${dir}, because it belongs to topic id ${entry.log.topicId}, not ${topicId}. Delete the directory if you do not need its records`,
      )
    }
    const dir = this.#leastUsedDir()
    const path = join(dir.path, key)
    // Save the removal of the old log with this name first. After a crash, the new log would
    // otherwise get the old log's offsets.
    if (dir.isOutdated(key)) await this.#checkpoint()
    makeDirs(path)
    writeTopicId(path, topicId)
    await this.#open({ dir, topic, partition, topicId, config, saved: NEW_LOG })
    return this.#claim(this.#logs.get(key)!, config)
  }

  /**
   * Renames the directory of a log. The caller must drop the log first: the rename wakes waiting
   * fetches, which must not find the log again.
   */
  async #renameDir(entry: Entry, suffix: string): Promise<string> {
    const { topic, partition } = entry.log
    try {
      return await entry.log.renameDir(newDirName(topic, partition, suffix))
    } catch (error) {
      if (existsSync(entry.log.dir)) this.#add(partitionKey(topic, partition), entry)
      throw error
    }
  }

  #leastUsedDir(): LogDir {
    return this.#dirs.reduce((best, d) => (d.logCount < best.logCount ? d : best))
  }

  async #tick(now: number): Promise<void> {
    const checksRetention = now - this.#lastRetention >= this.#retentionCheckMs
    if (checksRetention) this.#lastRetention = now
    let visited = 0
    for (const { log, claimed } of [...this.#logs.values()]) {
      if (++visited % INSPECTIONS_PER_TURN === 0) await nextTurn()
      if (!claimed) continue
      try {
        if (checksRetention && log.retentionDue(now)) await log.runRetention(now)
        if (log.tickDue(now)) await log.tick(now)
      } catch (error) {
        this.#env.logger.error(`${basename(log.dir)}: maintenance failed. The next attempt is in one second`, error)
      }
    }
    // Do not wait, because removing thousands of directories can take long.
    void this.#env.trash.empty(now)
    this.#compaction.tick(now, () => [...this.#logs.values()].filter(e => e.claimed).map(e => e.log))
    if (now - this.#lastCheckpoint < CHECKPOINT_MS) return
    this.#lastCheckpoint = now
    await this.#checkpointOrWarn()
  }

  async #checkpointOrWarn(): Promise<boolean> {
    try {
      await this.#checkpoint()
      return true
    } catch (error) {
      this.#env.logger.error('Cannot write the checkpoints. The next start may take longer', error)
      return false
    }
  }

  /**
   * Writes the checkpoints. Concurrent calls run one after the other, because they write the same
   * files.
   */
  #checkpoint(): Promise<void> {
    const mine = this.#checkpointing.then(async () => {
      for (const state of this.#env.changed) {
        const entry = this.#logs.get(state.name)
        if (entry !== undefined) this.#updateCheckpoint(entry)
      }
      this.#env.changed.clear()
      for (const dir of this.#dirs) await dir.write()
    })
    this.#checkpointing = mine.catch(() => undefined)
    return mine
  }

  #updateCheckpoint({ log, dir }: Entry): void {
    dir.setOffsets(log.topic, log.partition, checkpointed(log))
  }
}

function checkpointed(log: PartitionLog): CheckpointedOffsets {
  const { recoveryPoint, logStartOffset, highWatermark, cleanedTo } = log
  return {
    recoveryPoint,
    startOffset: logStartOffset > log.segmentOffsets[0]! ? logStartOffset : null,
    highWatermark,
    cleanedTo: cleanedTo >= 0 ? cleanedTo : null,
  }
}

function newDirName(topic: string, partition: number, suffix: string): string {
  return renamedPartitionDir(topic, partition, randomUUID().replaceAll('-', ''), suffix)
}

async function inParallel<T>(items: readonly T[], job: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const item = items[next++]!
      if (next % OPENED_PER_TURN === 0) await nextTurn()
      await job(item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker))
}
