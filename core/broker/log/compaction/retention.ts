import type { LogConfig } from '../types.ts'

/** The properties of a segment that determine whether retention removes it. */
export interface SegmentAge {
  readonly size: number
  /** The offset after the segment's last record. */
  readonly endOffset: number
  /**
   * The highest timestamp of the segment's records, or the time of the last write if the records
   * have no timestamps.
   */
  readonly latestTimestamp: number
}

export interface RetentionState {
  readonly now: number
  readonly highWatermark: number
  readonly logStartOffset: number
}

/**
 * Returns how many of the oldest segments may be removed. Segments below the log start offset are
 * always removed. With the `delete` cleanup policy, segments are also removed by age and size.
 * Segments that contain records above the high watermark are kept. An empty last segment is also
 * kept.
 */
export function expiredSegments(segments: readonly SegmentAge[], config: LogConfig, state: RetentionState): number {
  const deletes = config.cleanupPolicy.includes('delete')
  let excess = -1
  if (deletes && config.retentionBytes >= 0) {
    excess = segments.reduce((sum, s) => sum + s.size, 0) - config.retentionBytes
  }
  let expired = 0
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1
    if (segment.endOffset > state.highWatermark || (isLast && segment.size === 0)) break
    const belowStart = segment.endOffset <= state.logStartOffset && !isLast
    const tooOld = deletes && config.retentionMs >= 0 && state.now - segment.latestTimestamp > config.retentionMs
    const tooMuch = excess >= segment.size
    if (!belowStart && !tooOld && !tooMuch) break
    excess -= segment.size
    expired++
  }
  return expired
}
