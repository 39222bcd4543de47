/** File names of a partition's directory, as Apache Kafka has them (`LogFileUtils`, `UnifiedLog`). */

export const LOG = '.log'
export const INDEX = '.index'
export const TIME_INDEX = '.timeindex'
export const TXN_INDEX = '.txnindex'
export const SNAPSHOT = '.snapshot'
/** Renamed away, to be removed after `file.delete.delay.ms`. */
export const DELETED = '.deleted'
/** Compaction's output while it is being written. */
export const CLEANED = '.cleaned'
/** Compaction's finished output, about to take its place. */
export const SWAP = '.swap'
export const DELETE_DIR = '-delete'
export const STRAY_DIR = '-stray'

/** `00000000000000000017.log`: the base offset in 20 digits. */
export function offsetFileName(offset: number, suffix: string): string {
  return String(offset).padStart(20, '0') + suffix
}

export interface LogFileName {
  readonly offset: number
  /** `.log`, `.index` ... without any second suffix. */
  readonly type: string
  /** `.deleted`, `.cleaned`, `.swap` or nothing. */
  readonly state: string
}

/** Reads `<offset>.<type>[.<state>]`; null for any other file. */
export function parseLogFileName(name: string): LogFileName | null {
  const m = /^(\d{20})(\.[a-z]+)(\.[a-z]+)?$/.exec(name)
  if (m === null) return null
  const offset = Number(m[1])
  if (!Number.isSafeInteger(offset)) return null
  return { offset, type: m[2]!, state: m[3] ?? '' }
}

export interface PartitionDirName {
  readonly topic: string
  readonly partition: number
}

/** Reads `<topic>-<partition>`; null for anything else, also for `-delete`, `-stray` and `-future` directories. */
export function parsePartitionDir(name: string): PartitionDirName | null {
  const m = /^([a-zA-Z0-9._-]{1,249})-(\d{1,10})$/.exec(name)
  if (m === null) return null
  return { topic: m[1]!, partition: Number(m[2]) }
}

/** The directory's new name when its partition goes away: `<topic>-<partition>.<unique><suffix>`, at most 255 long. */
export function renamedPartitionDir(topic: string, partition: number, unique: string, suffix: string): string {
  const tail = `-${partition}.${unique}${suffix}`
  return topic.slice(0, 255 - tail.length) + tail
}
