/** The file names in a partition's directory, as in Apache Kafka (`LogFileUtils`, `UnifiedLog`). */

export const LOG = '.log'
export const INDEX = '.index'
export const TIME_INDEX = '.timeindex'
export const TXN_INDEX = '.txnindex'
export const SNAPSHOT = '.snapshot'
/** A file that will be removed after `file.delete.delay.ms`. */
export const DELETED = '.deleted'
/** Output of a running compaction. */
export const CLEANED = '.cleaned'
/** Completed output of compaction that is about to replace its segments. */
export const SWAP = '.swap'
export const DELETE_DIR = '-delete'
export const STRAY_DIR = '-stray'

/** `00000000000000000017.log`: the base offset in 20 digits. */
export function offsetFileName(offset: number, suffix: string): string {
  return String(offset).padStart(20, '0') + suffix
}

export interface LogFileName {
  readonly offset: number
  /** `.log`, `.index` and so on, without a second suffix. */
  readonly type: string
  /** `.deleted`, `.cleaned`, `.swap` or empty. */
  readonly state: string
}

/** Parses `<offset>.<type>[.<state>]`. Returns null for any other file name. */
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

/**
 * Parses `<topic>-<partition>`. Returns null for other names, including `-delete`, `-stray` and
 * `-future` directories.
 */
export function parsePartitionDir(name: string): PartitionDirName | null {
  const m = /^([a-zA-Z0-9._-]{1,249})-(\d{1,10})$/.exec(name)
  if (m === null) return null
  return { topic: m[1]!, partition: Number(m[2]) }
}

/**
 * The name of a removed partition's directory: `<topic>-<partition>.<unique><suffix>`, at most 255
 * characters.
 */
export function renamedPartitionDir(topic: string, partition: number, unique: string, suffix: string): string {
  const tail = `-${partition}.${unique}${suffix}`
  return topic.slice(0, 255 - tail.length) + tail
}
