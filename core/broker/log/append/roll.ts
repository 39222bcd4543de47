import { join } from 'node:path'
import { replaceFileSync } from '../io/files.ts'
import type { LogState } from '../log-state.ts'
import { encodeSnapshot } from '../producers/producer-snapshot.ts'
import { offsetFileName, SNAPSHOT } from '../segment/log-files.ts'
import { Segment } from '../segment/segment.ts'
import type { CheckedRecords } from './append-check.ts'

/**
 * Whether to start a new segment before these records. `pendingBytes` will be written before them.
 * A new segment is needed if the active one would become too large, if its first record is older
 * than theirs by `segment.ms` (or by `max.compaction.lag.ms`, if that is less and the log is
 * compacted), if an index is full, or if the offsets exceed int32.
 */
export function shouldRoll(log: LogState, pendingBytes: number, records: CheckedRecords, endOffset: number): boolean {
  const { active, config } = log
  const size = active.size + pendingBytes
  if (size === 0) return false
  if (size > config.segmentBytes - records.bytes.length) return true
  if (active.size > 0 && isOlderThanSegmentMs(log, records)) return true
  return active.isIndexFull(config.segmentIndexBytes) || !active.canHold(endOffset - 1)
}

/**
 * Compares the timestamps of the records, as in Kafka. Uses the clock only if the records have
 * none.
 */
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

/** A part of `segment.jitter.ms` that is constant for each segment. */
function jitter(log: LogState): number {
  const max = Math.min(log.config.segmentJitterMs, log.config.segmentMs)
  if (max <= 0) return 0
  return ((log.active.createdAt * 31 + log.partition * 7919) >>> 0) % max
}

/**
 * Starts a new segment at the end of the log, with a snapshot of the producers. The previous
 * segment is synced in the background, which then advances the recovery point.
 */
export function rollSegment(log: LogState): void {
  const { active, env, logEndOffset } = log
  if (active.baseOffset === logEndOffset) return
  active.seal()
  writeSnapshot(log)
  log.segments = [...log.segments, Segment.create(env.fds, log.dir, logEndOffset, env.now())]
  env.logger.debug(`${log.name}: new segment at offset ${logEndOffset}`)
  const synced = env.background.run(() => (log.status === 'open' ? syncUpTo(log, logEndOffset) : undefined))
  synced.catch((error: unknown) => env.logger.error(`${log.name}: cannot sync a completed segment`, error))
}

/** Syncs the segments from the recovery point to an offset, then advances the recovery point. */
export async function syncUpTo(log: LogState, offset: number): Promise<void> {
  const { segments, logEndOffset, recoveryPoint } = log
  for (const [i, segment] of segments.entries()) {
    const end = segments[i + 1]?.baseOffset ?? logEndOffset
    if (end > recoveryPoint && segment.baseOffset < offset) await segment.syncAll()
  }
  log.recoveryPoint = Math.max(log.recoveryPoint, offset)
  log.env.changed.add(log)
}

/** Writes the state of the producers at the end of the log to a file named after that offset. */
export function writeSnapshot(log: LogState): void {
  const file = join(log.dir, offsetFileName(log.logEndOffset, SNAPSHOT))
  replaceFileSync(file, encodeSnapshot(log.producers.entries()))
}
