import type { LogConfig } from '../types.ts'

/** The facts about a segment that determine what can be compacted. */
export interface SegmentView {
  readonly baseOffset: number
  readonly endOffset: number
  readonly size: number
  readonly latestTimestamp: number
  readonly firstTimestamp: number
}

export interface CleanableState {
  readonly now: number
  /** Where the last compaction ended. -1 if there was none. */
  readonly cleanedTo: number
  readonly logStartOffset: number
  /** The last stable offset. Records from here on are undecided or not replicated. */
  readonly stableOffset: number
}

export interface Cleanable {
  /** The start of the dirty part: keys from here on have not been compared. */
  readonly from: number
  /** The end of the dirty part that may be compacted now. */
  readonly to: number
  /** Dirty bytes as a fraction of all bytes that compaction would read. */
  readonly ratio: number
  /** Whether `max.compaction.lag.ms` has passed for the first dirty segment. */
  readonly isOverdue: boolean
}

/**
 * Returns the part of a log that can be compacted now, or null. The last segment is never
 * compacted, nor are records that are younger than `min.compaction.lag.ms` or that follow the start
 * of an open transaction.
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

/** Whether compacting this part is due now. */
export function isDue(part: Cleanable, config: LogConfig): boolean {
  return part.isOverdue || part.ratio >= config.minCleanableDirtyRatio
}

/**
 * Groups neighbouring segments that fit into one segment, because segments become small after
 * several compactions. Returns ranges of segment indexes.
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
