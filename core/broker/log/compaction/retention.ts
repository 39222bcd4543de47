import type { LogConfig } from '../types.ts'

/** What retention needs to know of a segment. */
export interface SegmentAge {
  readonly size: number
  /** The offset after its last record. */
  readonly endOffset: number
  /** The time of its latest record, or of its last write when its records have no time. */
  readonly latestTimestamp: number
}

export interface RetentionState {
  readonly now: number
  readonly highWatermark: number
  readonly logStartOffset: number
}

/**
 * How many segments, the oldest first, may go: those below the log's start in any case; by age and by size where
 * `cleanup.policy` has `delete`. A segment that is not wholly below the high watermark stays, and so does an empty last one.
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
