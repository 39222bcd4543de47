import { randomUUID } from 'node:crypto'
import { existsSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { nextTurn } from '../../common/async/next-turn.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { makeDirs } from '../../common/make-dirs.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { CompactionSchedule } from './compaction/schedule.ts'
import { logErrors } from './errors.ts'
import { type CheckpointedOffsets, LogDir } from './log-dir.ts'
import { createLogEnv, type LogEnv } from './log-env.ts'
import { PartitionLog } from './partition-log.ts'
import { readTopicId, writeTopicId } from './partition-metadata.ts'
import { partitionKey } from './recovery/checkpoint-file.ts'
import { DELETE_DIR, parsePartitionDir, renamedPartitionDir, STRAY_DIR } from './segment/log-files.ts'
import { SerialQueue } from './serial-queue.ts'
import type * as api from './types.ts'

/** Logs that are read at a time when the broker starts, and closed at a time when it stops. */
const AT_ONCE = 4
const RETENTION_CHECK_MS = 300_000
const CHECKPOINT_MS = 5_000
const CLEANER_BACKOFF_MS = 15_000
/** `log.cleaner.dedupe.buffer.size` */
const CLEANER_MAP_BYTES = 128 << 20

interface Entry {
  readonly log: PartitionLog
  readonly dir: LogDir
  /** Somebody asked for it. A log on disk that nobody wants is kept as it is: nothing of it expires. */
  claimed: boolean
}

/** What the checkpoints say of a log that is about to be opened. */
interface Known {
  readonly clean: boolean
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly cleanedTo: number
}

const NEW_LOG: Known = { clean: true, recoveryPoint: 0, logStartOffset: 0, highWatermark: 0, cleanedTo: -1 }

/** How many logs to open, close or rename before yielding to other work. */
const TURN = 16
/** The same for logs that are only inspected. */
const LOOKS = 1024

/** All logs of a broker, in one or more directories. */
export class LogManager implements api.LogManager {
  readonly #env: LogEnv
  readonly #dirs: LogDir[]
  readonly #defaults: api.LogConfig
  readonly #logs = new Map<string, Entry>()
  /** Logs on disk that could not be opened, by partition: whoever asks for one has it tried again. */
  readonly #unopened = new Map<string, Known & { dir: LogDir }>()
  /** Creations under way, by partition. */
  readonly #creating = new Map<string, Promise<PartitionLog>>()
  /** Running removals, by partition: a new log with the same name waits for them. */
  readonly #leaving = new Map<string, Promise<void>>()
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
   * Opens every log that is there, recovering where the last process did not close. A log that cannot be opened stays aside, and
   * asking for it tells why. Throws MR_LOG_DIR_UNUSABLE.
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
    const known = this.#logs.get(key)
    if (known !== undefined && known.log.topicId === topicId) return this.#claim(known, config)
    const created = this.#provide(topic, partition, topicId, config)
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
   * Stops handing out the log. Its directory is renamed in the background; resolves once it is
   * renamed. With a topic's id only that topic's log is removed. The checkpoints are left to the
   * next regular writing.
   */
  delete(topic: string, partition: number, topicId?: string): Promise<void> {
    const key = partitionKey(topic, partition)
    const running = this.#leaving.get(key)
    if (running !== undefined) return running
    const entry = this.#logs.get(key)
    const unopened = this.#unopened.get(key)
    if (entry === undefined && unopened === undefined) return Promise.resolve()
    if (entry !== undefined && topicId !== undefined && entry.log.topicId !== topicId) return Promise.resolve()
    if (entry !== undefined) this.#drop(key, entry)
    const leaving = this.#removals.run(async () => {
      if (unopened !== undefined) this.#removeUnopened(topic, partition, unopened.dir)
      if (entry !== undefined) {
        const dir = await this.#moveAway(entry, DELETE_DIR)
        this.#env.trash.add([dir], entry.log.config.fileDeleteDelayMs)
      }
      if (++this.#removed % TURN === 0) await nextTurn()
    })
    const done = leaving.finally(() => this.#leaving.delete(key))
    this.#leaving.set(key, done)
    return done
  }

  #removeUnopened(topic: string, partition: number, dir: LogDir): void {
    const key = partitionKey(topic, partition)
    const doomed = join(dir.path, newDirName(topic, partition, DELETE_DIR))
    renameSync(join(dir.path, key), doomed)
    this.#unopened.delete(key)
    dir.forget(key)
    this.#env.trash.add([doomed], this.#defaults.fileDeleteDelayMs)
  }

  /**
   * Empties a log that ends before an offset and continues it there. Only if its records exist
   * elsewhere.
   */
  async startOver(topic: string, partition: number, offset: number): Promise<PartitionLog> {
    const key = partitionKey(topic, partition)
    const { log, dir, claimed } = this.#logs.get(key)!
    await log.close()
    this.#drop(key, this.#logs.get(key)!)
    const known = { ...NEW_LOG, clean: false, logStartOffset: offset }
    const opened = await this.#open(dir, topic, partition, log.topicId, log.config, known)
    this.#logs.get(key)!.claimed = claimed
    return opened
  }

  #add(key: string, entry: Entry): void {
    this.#logs.set(key, entry)
    entry.dir.logCount++
    this.#note(entry)
  }

  #drop(key: string, entry: Entry): void {
    this.#logs.delete(key)
    entry.dir.logCount--
    entry.dir.forget(key)
  }

  /** Calls that come while one is running wait for that one. */
  tick(now: number): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#ticking ??= this.#tick(now).finally(() => {
      this.#ticking = null
    })
    return this.#ticking
  }

  /** Resolves when the compaction that a tick began is done. */
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
        this.#env.logger.error(`${basename(log.dir)} was not closed properly; it is checked at the next start`, error)
      }
    })
    await this.#env.checks.close()
    await this.#env.background.idle()
    // without its checkpoints a directory is not as it was left
    const isSaved = await this.#checkpointOrWarn()
    for (const dir of this.#dirs) if (isSaved && !failed.has(dir)) await dir.markCleanShutdown()
    await this.#env.trash.empty(Number.POSITIVE_INFINITY)
    this.#env.fds.releaseAll()
  }

  async #load(dir: LogDir): Promise<void> {
    const { partitions, doomed } = dir.list()
    this.#env.trash.add(doomed, 0)
    const clean = dir.wasClosedCleanly
    const recoveryPoints = dir.recoveryPoints()
    const startOffsets = dir.startOffsets()
    const highWatermarks = dir.highWatermarks()
    const cleanerOffsets = dir.cleanerOffsets()
    if (!clean && partitions.length > 0) {
      this.#env.logger.info(`${dir.path} was not closed properly: checking ${partitions.length} logs`)
    }
    await inParallel(partitions, async name => {
      const { topic, partition } = parsePartitionDir(name)!
      const known = {
        clean,
        recoveryPoint: recoveryPoints.get(name) ?? 0,
        logStartOffset: startOffsets.get(name) ?? 0,
        highWatermark: highWatermarks.get(name) ?? 0,
        cleanedTo: cleanerOffsets.get(name) ?? -1,
      }
      try {
        const log = await this.#open(dir, topic, partition, null, this.#defaults, known)
        if (!this.#env.autoHighWatermark) log.setHighWatermark(known.highWatermark)
      } catch (error) {
        this.#env.logger.error(messageOf(error), error)
        if (this.#logs.has(name)) return
        this.#unopened.set(name, { ...known, clean: false, dir })
        dir.note(topic, partition, {
          recoveryPoint: known.recoveryPoint,
          startOffset: known.logStartOffset > 0 ? known.logStartOffset : null,
          highWatermark: known.highWatermark,
          cleanedTo: known.cleanedTo >= 0 ? known.cleanedTo : null,
        })
      }
    })
    await dir.clearCleanShutdown()
  }

  /** Throws MR_LOG_OPEN_FAILED. */
  async #open(
    dir: LogDir,
    topic: string,
    partition: number,
    newTopicId: string | null,
    config: api.LogConfig,
    known: Known,
  ): Promise<PartitionLog> {
    const name = partitionKey(topic, partition)
    const path = join(dir.path, name)
    try {
      const other = this.#logs.get(name)
      if (other !== undefined) throw new Error(`it is in ${other.dir.path} too`)
      const topicId = newTopicId ?? readTopicId(path) ?? ZERO_UUID
      const log = await PartitionLog.open({ topic, partition, topicId, dir: path, config, env: this.#env, ...known })
      this.#add(name, { log, dir, claimed: false })
      return log
    } catch (error) {
      const cause = messageOf(error)
      throw logErrors.create('MR_LOG_OPEN_FAILED', { name, dir: dir.path, cause }, { cause: error })
    }
  }

  /** Opens the log that could not be opened before, or makes it; one of the same name of another topic is put aside. */
  async #provide(topic: string, partition: number, topicId: string, config: api.LogConfig): Promise<PartitionLog> {
    const key = partitionKey(topic, partition)
    // a failed removal is reported to its caller
    await this.#leaving.get(key)?.catch(() => undefined)
    const unopened = this.#unopened.get(key)
    if (unopened !== undefined) {
      const { dir, ...known } = unopened
      await this.#open(dir, topic, partition, null, config, known)
      this.#unopened.delete(key)
    }
    const entry = this.#logs.get(key)
    if (entry !== undefined && entry.log.topicId === ZERO_UUID) {
      // written before topics had ids
      writeTopicId(entry.log.dir, topicId)
      entry.log.topicId = topicId
    }
    if (entry !== undefined && entry.log.topicId === topicId) return this.#claim(entry, config)
    if (entry !== undefined) {
      this.#drop(key, entry)
      const dir = await this.#moveAway(entry, STRAY_DIR)
      this.#env.logger.warn(
        `${dir} belongs to topic id ${entry.log.topicId}, not ${topicId}: put aside, delete it by hand`,
      )
    }
    const dir = this.#emptiest()
    const path = join(dir.path, key)
    // otherwise, after a crash, the new log would get the offsets of the removed log with the same
    // name
    if (dir.isOutdated(key)) await this.#checkpoint()
    makeDirs(path)
    writeTopicId(path, topicId)
    await this.#open(dir, topic, partition, topicId, config, NEW_LOG)
    return this.#claim(this.#logs.get(key)!, config)
  }

  /**
   * Renames the directory of a log that was dropped already, so that those whom this wakes up do
   * not find it.
   */
  async #moveAway(entry: Entry, suffix: string): Promise<string> {
    const { topic, partition } = entry.log
    try {
      return await entry.log.moveAway(newDirName(topic, partition, suffix))
    } catch (error) {
      if (existsSync(entry.log.dir)) this.#add(partitionKey(topic, partition), entry)
      throw error
    }
  }

  #emptiest(): LogDir {
    return this.#dirs.reduce((best, d) => (d.logCount < best.logCount ? d : best))
  }

  async #tick(now: number): Promise<void> {
    const checksRetention = now - this.#lastRetention >= this.#retentionCheckMs
    if (checksRetention) this.#lastRetention = now
    let visited = 0
    for (const { log, claimed } of [...this.#logs.values()]) {
      if (++visited % LOOKS === 0) await nextTurn()
      if (!claimed) continue
      try {
        if (checksRetention && log.retentionDue(now)) await log.runRetention(now)
        if (log.tickDue(now)) await log.tick(now)
      } catch (error) {
        this.#env.logger.error(`${basename(log.dir)}: housekeeping failed; it is tried again`, error)
      }
    }
    // in the background, since there may be thousands of directories
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
      this.#env.logger.error('checkpoints cannot be written; the next start reads more of the logs', error)
      return false
    }
  }

  /** One at a time: they write the same files. */
  #checkpoint(): Promise<void> {
    const mine = this.#checkpointing.then(async () => {
      for (const state of this.#env.changed) {
        const entry = this.#logs.get(state.name)
        if (entry !== undefined) this.#note(entry)
      }
      this.#env.changed.clear()
      for (const dir of this.#dirs) await dir.write()
    })
    this.#checkpointing = mine.catch(() => undefined)
    return mine
  }

  #note({ log, dir }: Entry): void {
    dir.note(log.topic, log.partition, checkpointed(log))
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
      if (next % TURN === 0) await nextTurn()
      await job(item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
}
