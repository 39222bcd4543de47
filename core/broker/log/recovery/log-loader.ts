import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirs } from '../../../common/make-dirs.ts'
import { removeFile } from '../io/files.ts'
import { LeaderEpochs } from '../leader-epochs.ts'
import type { LogEnv } from '../log-env.ts'
import type { LoadedLog } from '../log-state.ts'
import { ProducerStates } from '../producers/producer-states.ts'
import { entriesInFile } from '../segment/index-file.ts'
import {
  DELETED,
  INDEX,
  LOG,
  offsetFileName,
  parseLogFileName,
  SNAPSHOT,
  TIME_INDEX,
  TXN_INDEX,
} from '../segment/log-files.ts'
import { OFFSET_ENTRY } from '../segment/offset-index.ts'
import { Segment } from '../segment/segment.ts'
import { TIME_ENTRY } from '../segment/time-index.ts'
import type { LogConfig } from '../types.ts'
import { cleanLeftovers } from './leftovers.ts'
import { rebuildSegment, replaySegments, scanTail } from './recovery.ts'
import { loadSnapshot, removeStraySnapshots } from './snapshots.ts'

export const EPOCH_CHECKPOINT = 'leader-epoch-checkpoint'

export interface LoadOptions {
  readonly dir: string
  readonly env: LogEnv
  readonly config: LogConfig
  /** Whether the log was closed cleanly. If so, its batches need not be checked. */
  readonly clean: boolean
  /** The recovery point from the checkpoint. All records below it were synced. */
  readonly recoveryPoint: number
  /**
   * The log start offset from the checkpoint. After DeleteRecords, it can be higher than the first
   * segment's base offset.
   */
  readonly logStartOffset: number
}

/**
 * Loads a log from a partition's directory, or creates the directory. After an unclean shutdown,
 * checks every batch from the recovery point on, truncates the log at the first invalid batch, and
 * rebuilds the indexes and the producer states.
 */
export async function loadLog(o: LoadOptions): Promise<LoadedLog> {
  makeDirs(o.dir)
  await cleanLeftovers(o.dir, o.env)
  let segments = listSegments(o)
  const epochs = loadEpochs(o)
  const producers = new ProducerStates()
  let end = await recover(o, segments, producers, epochs)
  if (segments.length > 0 && end < o.logStartOffset) {
    o.env.logger.warn(
      `${o.dir}: the log ends at offset ${end}, before its start offset ${o.logStartOffset}. New records start at ${o.logStartOffset}`,
    )
    dropSegments(o, segments)
    segments = []
  }
  if (segments.length === 0) {
    end = o.logStartOffset
    producers.clear()
    segments.push(Segment.create(o.env.fds, o.dir, end, o.env.now()))
  }
  const logStartOffset = Math.max(o.logStartOffset, segments[0]!.baseOffset)
  // After a clean shutdown, also keep an epoch that starts at the log end offset and has no records
  // yet.
  epochs.truncateFromEnd(o.clean ? end + 1 : end)
  epochs.truncateFromStart(logStartOffset)
  epochs.save()
  removeStraySnapshots(o.dir)
  const recoveryPoint = o.clean ? end : Math.min(o.recoveryPoint, end)
  return { segments, producers, epochs, logStartOffset, logEndOffset: end, recoveryPoint }
}

/** Returns a segment for each `.log` file. Removes index files that have no `.log` file. */
function listSegments(o: LoadOptions): Segment[] {
  const names = new Set(readdirSync(o.dir))
  const segments: Segment[] = []
  for (const name of [...names].sort()) {
    const file = parseLogFileName(name)
    if (file === null || file.state !== '') continue
    if (file.type === LOG) {
      const { size, birthtimeMs } = statSync(join(o.dir, name))
      const path = (suffix: string) => join(o.dir, offsetFileName(file.offset, suffix))
      segments.push(
        new Segment(o.env.fds, o.dir, file.offset, {
          size,
          indexEntries: size === 0 ? 0 : entriesInFile(path(INDEX), OFFSET_ENTRY),
          timeEntries: size === 0 ? 0 : entriesInFile(path(TIME_INDEX), TIME_ENTRY),
          hasTxns: names.has(offsetFileName(file.offset, TXN_INDEX)),
          createdAt: birthtimeMs,
        }),
      )
    } else if (file.type !== SNAPSHOT && !names.has(offsetFileName(file.offset, LOG))) removeFile(join(o.dir, name))
  }
  return segments
}

/**
 * Checks and repairs segments where this is necessary, and updates the producer states to the end
 * of the log. Returns the log end offset.
 */
async function recover(
  o: LoadOptions,
  segments: Segment[],
  producers: ProducerStates,
  epochs: LeaderEpochs,
): Promise<number> {
  const last = segments.length - 1
  if (last < 0) return 0
  const endOf = (i: number) => segments[i + 1]?.baseOffset ?? Number.POSITIVE_INFINITY
  let first = segments.findIndex((s, i) => !o.clean && endOf(i) > o.recoveryPoint && s.size > 0)
  if (first < 0) first = segments.length
  for (let i = 0; i < first; i++) {
    const segment = segments[i]!
    if (isSane(segment)) continue
    o.env.logger.warn(`${segment.log.path}: its indexes are missing or malformed, and are rebuilt`)
    await rebuildSegment(segment, { config: o.config, env: o.env })
  }
  if (first < segments.length) return recoverFrom(o, segments, first, producers, epochs)
  const end = await scanTail(segments[last]!)
  if (end === null) return recoverFrom(o, segments, last, producers, epochs)
  const from = loadSnapshot(o, end, producers)
  await replaySegments(segments, { from, to: end, producers, epochs, now: o.env.now() })
  return end
}

async function recoverFrom(
  o: LoadOptions,
  segments: Segment[],
  first: number,
  producers: ProducerStates,
  epochs: LeaderEpochs,
): Promise<number> {
  const start = segments[first]!.baseOffset
  const from = loadSnapshot(o, start, producers)
  await replaySegments(segments, { from, to: start, producers, epochs, now: o.env.now() })
  let end = start
  for (let i = first; i < segments.length; i++) {
    const segment = segments[i]!
    const endOffset = segments[i + 1]?.baseOffset ?? Number.POSITIVE_INFINITY
    const rebuilt = await rebuildSegment(segment, {
      config: o.config,
      env: o.env,
      producers,
      epochs,
      truncates: true,
      endOffset,
    })
    const { nextOffset, problem, truncatedBytes } = rebuilt
    end = nextOffset
    if (problem === null) continue
    o.env.logger.warn(`${segment.log.path}: truncated at offset ${end}, ${truncatedBytes} bytes dropped: ${problem}`)
    dropSegments(o, segments.splice(i + 1))
    break
  }
  return end
}

function isSane(segment: Segment): boolean {
  const { offsets, times } = segment
  if (offsets.count < 0 || times.count < 0) return false
  const last = offsets.count > 0 ? offsets.last() : null
  if (last !== null && (last.offset < segment.baseOffset || last.position >= segment.size || last.position <= 0))
    return false
  const time = times.last()
  return time.offset >= segment.baseOffset && (times.count === 0 || time.timestamp >= 0)
}

function dropSegments(o: LoadOptions, segments: readonly Segment[]): void {
  for (const segment of segments) {
    const renamed = segment.markDeleted()
    o.env.logger.warn(
      `${segment.log.path}: removed, because it is after the end of the log. It keeps the suffix ${DELETED} until file.delete.delay.ms has passed`,
    )
    o.env.trash.add(renamed, o.config.fileDeleteDelayMs)
  }
}

function loadEpochs(o: LoadOptions): LeaderEpochs {
  const file = join(o.dir, EPOCH_CHECKPOINT)
  try {
    return LeaderEpochs.load(file)
  } catch (error) {
    o.env.logger.warn(
      `${file} is unreadable. The leader epochs are restored from the records that recovery reads`,
      error,
    )
    return new LeaderEpochs(file, [])
  }
}
