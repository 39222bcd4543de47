import type { LogConfig } from '../types.ts'

/** What the choice needs to know of a segment. */
export interface SegmentView {
  readonly baseOffset: number
  readonly endOffset: number
  readonly size: number
  readonly latestTimestamp: number
  readonly firstTimestamp: number
}

export interface CleanableState {
  readonly now: number
  /** Where the last cleaning ended; -1 when there was none. */
  readonly cleanedTo: number
  readonly logStartOffset: number
  /** Nothing from here on is decided, or replicated: the last stable offset. */
  readonly stableOffset: number
}

export interface Cleanable {
  /** The dirty part: records from here on have not been compared by key yet ... */
  readonly from: number
  /** ... up to here, which may be cleaned now. */
  readonly to: number
  /** Dirty bytes as a part of all that would be read. */
  readonly ratio: number
  /** `max.compaction.lag.ms` has passed for the first dirty segment. */
  readonly isOverdue: boolean
}

/**
 * Which part of a compacted log can be cleaned now; null when none. The last segment is never cleaned, nor are records
 * younger than `min.compaction.lag.ms` or behind an open transaction.
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

/** Whether it is worth the work now. */
export function isDue(part: Cleanable, config: LogConfig): boolean {
  return part.isOverdue || part.ratio >= config.minCleanableDirtyRatio
}

/**
 * Neighbouring segments that together fit into one: what is left of each after several cleanings is small. Returns runs of
 * segment numbers.
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
