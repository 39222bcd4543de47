import { join } from 'node:path'
import { replaceFileSync } from '../io/files.ts'
import type { LogState } from '../log-state.ts'
import { encodeSnapshot } from '../producers/producer-snapshot.ts'
import { offsetFileName, SNAPSHOT } from '../segment/log-files.ts'
import { Segment } from '../segment/segment.ts'
import type { CheckedRecords } from './append-check.ts'

/**
 * Returns whether these records need a new segment. `pendingBytes` is the size of the records that
 * will be written to the active segment before them. A new segment is needed if the active segment
 * would become too large, if an index is full, or if an offset relative to the segment's base
 * offset exceeds int32. It is also needed if the records are newer than the first record of the
 * active segment by more than `segment.ms` or, in a compacted log, by more than
 * `max.compaction.lag.ms`.
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
 * Returns whether the records are too new for the active segment. Compares record timestamps, as
 * Kafka does. Uses the clock only if the segment's first record has no timestamp.
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

/**
 * Returns the jitter that is subtracted from `segment.ms`: less than `segment.jitter.ms`, and
 * constant for each segment.
 */
function jitter(log: LogState): number {
  const max = Math.min(log.config.segmentJitterMs, log.config.segmentMs)
  if (max <= 0) return 0
  return ((log.active.createdAt * 31 + log.partition * 7919) >>> 0) % max
}

/**
 * Starts a new segment at the end of the log, and writes a snapshot of the producers. Syncs the
 * previous segment in the background, and then advances the recovery point.
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

/** Writes the states of the producers to a snapshot file that is named after the log end offset. */
export function writeSnapshot(log: LogState): void {
  const file = join(log.dir, offsetFileName(log.logEndOffset, SNAPSHOT))
  replaceFileSync(file, encodeSnapshot(log.producers.entries()))
}
