import { join } from 'node:path'
import { replaceFileSync } from '../files.ts'
import type { LogState } from '../log-state.ts'
import { encodeSnapshot } from '../producers/producer-snapshot.ts'
import { offsetFileName, SNAPSHOT } from '../segment/log-files.ts'
import { Segment } from '../segment/segment.ts'
import type { CheckedRecords } from './append-check.ts'

/**
 * Whether the active segment must end before these records, behind `pendingBytes` that are about to be written: it would
 * grow too large, its first record is `segment.ms` older than theirs (`max.compaction.lag.ms` if that is less, with compaction), an index is full, or
 * the offsets outgrow int32.
 */
export function shouldRoll(log: LogState, pendingBytes: number, records: CheckedRecords, endOffset: number): boolean {
  const { active, config } = log
  const size = active.size + pendingBytes
  if (size === 0) return false
  if (size > config.segmentBytes - records.bytes.length) return true
  if (active.size > 0 && isOlderThanSegmentMs(log, records)) return true
  return active.isIndexFull(config.segmentIndexBytes) || !active.canHold(endOffset - 1)
}

/** By the records' own time, as Kafka does: by the clock only when they have none. */
function isOlderThanSegmentMs(log: LogState, records: CheckedRecords): boolean {
  const { active, config, env } = log
  const { segmentMs, maxCompactionLagMs } = config
  const limit =
    (config.cleanupPolicy.includes('compact') ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs) - jitter(log)
  const first = active.firstTimestamp()
  if (first < 0) return env.now() - active.createdAt > limit
  let latest = -1
  for (const b of records.batches) latest = Math.max(latest, b.maxTimestamp)
  return latest - first > limit
}

/** A part of `segment.jitter.ms` that stays the same for one segment. */
function jitter(log: LogState): number {
  const max = Math.min(log.config.segmentJitterMs, log.config.segmentMs)
  if (max <= 0) return 0
  return ((log.active.createdAt * 31 + log.partition * 7919) >>> 0) % max
}

/**
 * Ends the active segment and begins the next at the log's end, with a snapshot of the producers there. The old segment is
 * synced in the background, which moves the recovery point.
 */
export function rollSegment(log: LogState): void {
  const { active, env, logEndOffset } = log
  if (active.baseOffset === logEndOffset) return
  active.seal()
  writeSnapshot(log)
  log.segments = [...log.segments, Segment.create(env.fds, log.dir, logEndOffset, env.now())]
  env.logger.debug(`${log.name}: new segment at offset ${logEndOffset}`)
  const synced = env.background.run(() => (log.status === 'open' ? syncUpTo(log, logEndOffset) : undefined))
  synced.catch((error: unknown) => env.logger.error(`${log.name}: a rolled segment cannot be synced`, error))
}

/** Syncs the segments between the recovery point and an offset, then moves the point there. */
export async function syncUpTo(log: LogState, offset: number): Promise<void> {
  const { segments, logEndOffset, recoveryPoint } = log
  for (const [i, segment] of segments.entries()) {
    const end = segments[i + 1]?.baseOffset ?? logEndOffset
    if (end > recoveryPoint && segment.baseOffset < offset) await segment.syncAll()
  }
  log.recoveryPoint = Math.max(log.recoveryPoint, offset)
  log.env.changed.add(log)
}

/** The state of the producers at the log's end, in a file named after that offset. */
export function writeSnapshot(log: LogState): void {
  const file = join(log.dir, offsetFileName(log.logEndOffset, SNAPSHOT))
  replaceFileSync(file, encodeSnapshot(log.producers.entries()))
}
