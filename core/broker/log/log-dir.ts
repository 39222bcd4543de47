import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { makeDirs } from '../../common/make-dirs.ts'
import { logErrors } from './errors.ts'
import { replaceFile } from './io/files.ts'
import { type PartitionOffsets, readOffsetCheckpoint } from './recovery/checkpoint-file.ts'
import { CheckpointTable } from './recovery/checkpoint-table.ts'
import { DELETE_DIR, parsePartitionDir } from './segment/log-files.ts'

const CLEAN_SHUTDOWN = '.kafka_cleanshutdown'
const RECOVERY_POINTS = 'recovery-point-offset-checkpoint'
const START_OFFSETS = 'log-start-offset-checkpoint'
const HIGH_WATERMARKS = 'replication-offset-checkpoint'
const CLEANER_OFFSETS = 'cleaner-offset-checkpoint'

/** The checkpointed offsets of one log. */
export interface CheckpointedOffsets {
  readonly recoveryPoint: number
  /** The log start offset. Null if it equals the base offset of the first segment. */
  readonly startOffset: number | null
  readonly highWatermark: number
  /** The offset at which the last compaction ended. Null if the log was never compacted. */
  readonly cleanedTo: number | null
}

/** A directory in `log.dirs`: its partitions and its checkpoint files. */
export class LogDir {
  readonly path: string
  readonly #logger: Logger
  readonly #recoveryPoints: CheckpointTable
  readonly #startOffsets: CheckpointTable
  readonly #highWatermarks: CheckpointTable
  readonly #cleanerOffsets: CheckpointTable
  /** Removed partitions that the checkpoint files on disk may still list. */
  readonly #outdated = new Set<string>()
  /**
   * The number of logs in the directory. A new log is created in the directory with the fewest
   * logs.
   */
  logCount = 0

  constructor(path: string, logger: Logger) {
    this.path = path
    this.#logger = logger
    this.#recoveryPoints = new CheckpointTable(path, RECOVERY_POINTS)
    this.#startOffsets = new CheckpointTable(path, START_OFFSETS)
    this.#highWatermarks = new CheckpointTable(path, HIGH_WATERMARKS)
    this.#cleanerOffsets = new CheckpointTable(path, CLEANER_OFFSETS)
  }

  /**
   * Lists the partitions and the deleted partitions in the directory. Creates the directory if
   * necessary. Throws MR_LOG_DIR_UNUSABLE.
   */
  list(): { partitions: string[]; deleted: string[] } {
    try {
      makeDirs(this.path)
      const dirs = readdirSync(this.path, { withFileTypes: true }).filter(e => e.isDirectory())
      const names = dirs.map(e => e.name)
      return {
        partitions: names.filter(n => parsePartitionDir(n) !== null),
        deleted: names.filter(n => n.endsWith(DELETE_DIR)).map(n => join(this.path, n)),
      }
    } catch (error) {
      throw logErrors.create('MR_LOG_DIR_UNUSABLE', { dir: this.path, cause: messageOf(error) }, { cause: error })
    }
  }

  get wasClosedCleanly(): boolean {
    return existsSync(join(this.path, CLEAN_SHUTDOWN))
  }

  async clearCleanShutdown(): Promise<void> {
    await rm(join(this.path, CLEAN_SHUTDOWN), { force: true })
  }

  async markCleanShutdown(): Promise<void> {
    await replaceFile(join(this.path, CLEAN_SHUTDOWN), '{"version":0,"brokerEpoch":-1}')
  }

  recoveryPoints(): PartitionOffsets {
    return this.#read(RECOVERY_POINTS)
  }

  startOffsets(): PartitionOffsets {
    return this.#read(START_OFFSETS)
  }

  highWatermarks(): PartitionOffsets {
    return this.#read(HIGH_WATERMARKS)
  }

  cleanerOffsets(): PartitionOffsets {
    return this.#read(CLEANER_OFFSETS)
  }

  /** Sets the offsets that the next `write` saves for a log. */
  setOffsets(topic: string, partition: number, o: CheckpointedOffsets): void {
    this.#recoveryPoints.set(topic, partition, o.recoveryPoint)
    this.#startOffsets.set(topic, partition, o.startOffset)
    this.#highWatermarks.set(topic, partition, o.highWatermark)
    this.#cleanerOffsets.set(topic, partition, o.cleanedTo)
  }

  /** Removes a log from the checkpoints that the next `write` saves. */
  remove(key: string): void {
    for (const table of this.#tables()) table.remove(key)
    this.#outdated.add(key)
  }

  /** Returns whether the checkpoints on disk may still list a removed log with this name. */
  isOutdated(key: string): boolean {
    return this.#outdated.has(key)
  }

  #tables(): CheckpointTable[] {
    return [this.#recoveryPoints, this.#startOffsets, this.#highWatermarks, this.#cleanerOffsets]
  }

  /** Writes the checkpoint files whose content changed. */
  async write(): Promise<void> {
    const removed = [...this.#outdated]
    for (const table of this.#tables()) await table.write()
    for (const key of removed) this.#outdated.delete(key)
  }

  /**
   * Reads a checkpoint file. If it is unreadable, logs a warning and returns an empty map, because
   * recovery can find the offsets in the logs.
   */
  #read(name: string): PartitionOffsets {
    try {
      return readOffsetCheckpoint(join(this.path, name))
    } catch (error) {
      this.#logger.warn(`Ignoring the unreadable checkpoint ${join(this.path, name)}`, error)
      return new Map()
    }
  }
}
