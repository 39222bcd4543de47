/**
 * The names of the files in a partition's directory. Apache Kafka declares the same names in
 * `LogFileUtils` and `UnifiedLog`.
 */

export const LOG = '.log'
export const INDEX = '.index'
export const TIME_INDEX = '.timeindex'
export const TXN_INDEX = '.txnindex'
export const SNAPSHOT = '.snapshot'
/** The suffix of a file that will be removed after `file.delete.delay.ms`. */
export const DELETED = '.deleted'
/** The suffix of the output files of a running compaction. */
export const CLEANED = '.cleaned'
/**
 * The suffix of the completed output files of a compaction, which are about to replace the original
 * files.
 */
export const SWAP = '.swap'
export const DELETE_DIR = '-delete'
export const STRAY_DIR = '-stray'

/** Returns a file name such as `00000000000000000017.log`, with the offset in 20 digits. */
export function offsetFileName(offset: number, suffix: string): string {
  return String(offset).padStart(20, '0') + suffix
}

export interface LogFileName {
  readonly offset: number
  /** The first suffix: `.log`, `.index`, `.timeindex`, `.txnindex` or `.snapshot`. */
  readonly type: string
  /**
   * The second suffix: `.deleted`, `.cleaned` or `.swap`. Empty if the name has only one suffix.
   */
  readonly state: string
}

/** Parses a file name of the form `<offset>.<type>[.<state>]`. Returns null for any other name. */
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
 * Parses a directory name of the form `<topic>-<partition>`. Returns null for any other name, for
 * example for one that ends with `-delete`, `-stray` or `-future`.
 */
export function parsePartitionDir(name: string): PartitionDirName | null {
  const m = /^([a-zA-Z0-9._-]{1,249})-(\d{1,10})$/.exec(name)
  if (m === null) return null
  return { topic: m[1]!, partition: Number(m[2]) }
}

/**
 * Returns the name of a removed partition's directory: `<topic>-<partition>.<unique><suffix>`. The
 * topic is cut if the name would be longer than 255 characters.
 */
export function renamedPartitionDir(topic: string, partition: number, unique: string, suffix: string): string {
  const tail = `-${partition}.${unique}${suffix}`
  return topic.slice(0, 255 - tail.length) + tail
}
