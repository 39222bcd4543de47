import type { LogConfig } from '../types.ts'

/** The properties of a segment that determine whether it can be compacted. */
export interface SegmentView {
  readonly baseOffset: number
  readonly endOffset: number
  readonly size: number
  readonly latestTimestamp: number
  readonly firstTimestamp: number
}

export interface CleanableState {
  readonly now: number
  /** The offset at which the last compaction ended. -1 if the log was never compacted. */
  readonly cleanedTo: number
  readonly logStartOffset: number
  /**
   * The last stable offset. Records from this offset on may belong to an open transaction, or may
   * not be replicated yet.
   */
  readonly stableOffset: number
}

export interface Cleanable {
  /**
   * The offset at which the dirty part starts. Records from this offset on have not been compacted
   * yet.
   */
  readonly from: number
  /** The end offset of the dirty part that may be compacted now. */
  readonly to: number
  /** The size of the dirty part as a fraction of all bytes that compaction would read. */
  readonly ratio: number
  /** Whether `max.compaction.lag.ms` has passed for the first dirty segment. */
  readonly isOverdue: boolean
}

/**
 * Returns the part of a log that can be compacted now, or null. This part never contains the last
 * segment, records that are younger than `min.compaction.lag.ms`, or records after the start of an
 * open transaction.
 */
export function cleanablePart(
  segments: readonly SegmentView[],
  config: LogConfig,
  s: CleanableState,
): Cleanable | null {
  const from = s.cleanedTo < s.logStartOffset || s.cleanedTo > s.stableOffset ? s.logStartOffset : s.cleanedTo
  let to = from
  let cleanBytes = 0
  let dirtyBytes = 0
  let isOverdue = false
  for (const segment of segments.slice(0, -1)) {
    if (segment.endOffset <= from) {
      cleanBytes += segment.size
      continue
    }
    if (segment.endOffset > s.stableOffset) break
    if (config.minCompactionLagMs > 0 && segment.latestTimestamp > s.now - config.minCompactionLagMs) break
    if (dirtyBytes === 0 && segment.firstTimestamp >= 0) {
      isOverdue = s.now - segment.firstTimestamp > config.maxCompactionLagMs
    }
    dirtyBytes += segment.size
    to = segment.endOffset
  }
  if (dirtyBytes === 0) return null
  return { from, to, ratio: dirtyBytes / (cleanBytes + dirtyBytes), isOverdue }
}

/** Returns whether the part should be compacted now. */
export function isDue(part: Cleanable, config: LogConfig): boolean {
  return part.isOverdue || part.ratio >= config.minCleanableDirtyRatio
}

/**
 * Groups adjacent segments that together fit into one segment, because compaction makes segments
 * smaller. Returns the groups as ranges of indexes into `segments`.
 */
export function groupSegments(segments: readonly SegmentView[], config: LogConfig): [first: number, last: number][] {
  const groups: [number, number][] = []
  let size = 0
  for (const [i, segment] of segments.entries()) {
    const group = groups.at(-1)
    const fits = group !== undefined && size + segment.size <= config.segmentBytes
    if (fits && segment.endOffset - segments[group[0]]!.baseOffset <= 0x7fffffff) {
      group[1] = i
      size += segment.size
    } else {
      groups.push([i, i])
      size = segment.size
    }
  }
  return groups
}
