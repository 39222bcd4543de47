import { open } from 'node:fs/promises'
import type { LeaderEpochs } from '../leader-epochs.ts'
import type { LogEnv } from '../log-env.ts'
import type { ProducerStates } from '../producers/producer-states.ts'
import { type OnBatch, type ScanResult, scanBatches } from '../segment/batch-scan.ts'
import type { Segment } from '../segment/segment.ts'
import type { LogConfig } from '../types.ts'

export interface Rebuilt {
  /** The offset after the last valid batch. */
  readonly nextOffset: number
  /** Why the batch after the valid part is invalid, or null if the whole file is valid. */
  readonly problem: string | null
  readonly truncatedBytes: number
}

interface RebuildOptions {
  readonly config: LogConfig
  readonly env: LogEnv
  /**
   * The producer states at the segment's base offset. They are updated to the end of the segment.
   */
  readonly producers?: ProducerStates
  /**
   * The leader epochs up to the segment's base offset. The epochs of the segment's batches are
   * added.
   */
  readonly epochs?: LeaderEpochs
  /** Whether to truncate the file after the last valid batch. */
  readonly truncates?: boolean
  /** The base offset of the next segment. */
  readonly endOffset?: number
}

/** Reads a whole segment, checks the CRC of each batch, and rebuilds the indexes. */
export async function rebuildSegment(segment: Segment, o: RebuildOptions): Promise<Rebuilt> {
  const { producers, epochs, truncates = false, endOffset = Number.POSITIVE_INFINITY } = o
  const { size } = segment
  segment.clearIndexes(producers !== undefined)
  let nextOffset = segment.baseOffset
  const onBatch: OnBatch = (meta, position) => {
    segment.addToIndexes(meta, position, o.config.indexIntervalBytes)
    nextOffset = meta.lastOffset + 1
    epochs?.assign(meta.leaderEpoch, meta.baseOffset)
    const aborted = producers?.replay(meta, o.env.now()) ?? null
    if (aborted !== null) segment.txns.append(aborted)
  }
  const scanned = await scan(segment, 0, { checkCrc: true, endOffset }, onBatch)
  if (truncates && scanned.validBytes < size) segment.truncateTo(scanned.validBytes)
  segment.seal()
  return { nextOffset, problem: scanned.problem, truncatedBytes: size - scanned.validBytes }
}

interface ReplayOptions {
  readonly from: number
  readonly to: number
  readonly producers: ProducerStates
  readonly epochs: LeaderEpochs
  readonly now: number
}

/**
 * Updates the producer states and leader epochs with the batches from `from` to `to`. Reads only
 * the necessary parts of the segments.
 */
export async function replaySegments(
  segments: readonly Segment[],
  { from, to, producers, epochs, now }: ReplayOptions,
): Promise<void> {
  for (const [i, segment] of segments.entries()) {
    const end = segments[i + 1]?.baseOffset ?? Number.POSITIVE_INFINITY
    if (end <= from || segment.baseOffset >= to || from >= to || segment.size === 0) continue
    const start = from > segment.baseOffset ? segment.offsets.lookup(from) : 0
    await scan(segment, start, { checkCrc: false }, meta => {
      if (meta.baseOffset >= to) return false
      if (meta.lastOffset < from) return true
      epochs.assign(meta.leaderEpoch, meta.baseOffset)
      producers.replay(meta, now)
      return true
    })
  }
}

/**
 * Returns the offset after the last batch of a segment, or null if the segment does not end with a
 * complete batch.
 */
export async function scanTail(segment: Segment): Promise<number | null> {
  if (segment.size === 0) return segment.baseOffset
  const last = segment.offsets.last()
  let end = segment.baseOffset
  const { problem } = await scan(segment, last?.position ?? 0, { checkCrc: false }, meta => {
    end = meta.lastOffset + 1
    return true
  })
  return problem === null ? end : null
}

async function scan(
  segment: Segment,
  from: number,
  o: { readonly checkCrc: boolean; readonly endOffset?: number },
  onBatch: OnBatch,
): Promise<ScanResult> {
  const { path } = segment.log
  const file = await open(path, 'r')
  try {
    return await scanBatches(file, { ...o, path, from, size: segment.size, baseOffset: segment.baseOffset }, onBatch)
  } finally {
    await file.close()
  }
}
