import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { makeDirs } from '../../common/make-dirs.ts'
import { type PartitionOffsets, readOffsetCheckpoint, writeOffsetCheckpoint } from './checkpoint-file.ts'
import { logErrors } from './errors.ts'
import { replaceFile } from './files.ts'
import { DELETE_DIR, parsePartitionDir } from './log-files.ts'

const CLEAN_SHUTDOWN = '.kafka_cleanshutdown'
const RECOVERY_POINTS = 'recovery-point-offset-checkpoint'
const START_OFFSETS = 'log-start-offset-checkpoint'
const HIGH_WATERMARKS = 'replication-offset-checkpoint'
const CLEANER_OFFSETS = 'cleaner-offset-checkpoint'

export interface CheckpointEntry {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface Checkpoints {
  readonly recoveryPoints: readonly CheckpointEntry[]
  /** Only of logs that begin beyond their first segment's base. */
  readonly startOffsets: readonly CheckpointEntry[]
  readonly highWatermarks: readonly CheckpointEntry[]
  readonly cleanerOffsets: readonly CheckpointEntry[]
}

/** One directory of `log.dirs`: the partitions in it and the checkpoint files beside them. */
export class LogDir {
  readonly path: string
  readonly #logger: Logger
  /** What each checkpoint file holds, so that it is only written when that changes. */
  readonly #written = new Map<string, string>()

  constructor(path: string, logger: Logger) {
    this.path = path
    this.#logger = logger
  }

  /** Makes the directory if need be, and lists it. Throws MR_LOG_DIR_UNUSABLE. */
  list(): { partitions: string[]; doomed: string[] } {
    try {
      makeDirs(this.path)
      const dirs = readdirSync(this.path, { withFileTypes: true }).filter(e => e.isDirectory())
      const names = dirs.map(e => e.name)
      return {
        partitions: names.filter(n => parsePartitionDir(n) !== null),
        doomed: names.filter(n => n.endsWith(DELETE_DIR)).map(n => join(this.path, n)),
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

  /** Writes the checkpoints that changed. */
  async write(c: Checkpoints): Promise<void> {
    await this.#write(RECOVERY_POINTS, c.recoveryPoints)
    await this.#write(START_OFFSETS, c.startOffsets)
    await this.#write(HIGH_WATERMARKS, c.highWatermarks)
    await this.#write(CLEANER_OFFSETS, c.cleanerOffsets)
  }

  async #write(name: string, entries: readonly CheckpointEntry[]): Promise<void> {
    const content = entries.map(e => `${e.topic} ${e.partition} ${e.offset}`).join('\n')
    if (this.#written.get(name) === content) return
    await writeOffsetCheckpoint(join(this.path, name), entries)
    this.#written.set(name, content)
  }

  /** A checkpoint only saves work: without it the logs are read. */
  #read(name: string): PartitionOffsets {
    try {
      return readOffsetCheckpoint(join(this.path, name))
    } catch (error) {
      this.#logger.warn(`${join(this.path, name)} is not used`, error)
      return new Map()
    }
  }
}
