import { open } from 'node:fs/promises'
import type { LeaderEpochs } from '../leader-epochs.ts'
import type { LogEnv } from '../log-env.ts'
import type { ProducerStates } from '../producers/producer-states.ts'
import { type OnBatch, type ScanResult, scanBatches } from '../segment/batch-scan.ts'
import type { Segment } from '../segment/segment.ts'
import type { LogConfig } from '../types.ts'

export interface Rebuilt {
  /** The offset after the last good batch. */
  readonly nextOffset: number
  /** What ended the good part; null when the whole file is good. */
  readonly problem: string | null
  readonly cutBytes: number
}

/**
 * Reads a segment from its begin with CRC checks, and makes its indexes anew; cuts the file behind the last good batch if
 * asked. Producers and epochs, where given, must stand at the segment's base offset and are brought to its end. `endOffset` is the next segment's base.
 */
export async function rebuildSegment(
  segment: Segment,
  o: { readonly config: LogConfig; readonly env: LogEnv },
  producers: ProducerStates | null,
  epochs: LeaderEpochs | null,
  cut: boolean,
  endOffset = Number.POSITIVE_INFINITY,
): Promise<Rebuilt> {
  const { size } = segment
  segment.clearIndexes(producers !== null)
  let nextOffset = segment.baseOffset
  const onBatch: OnBatch = (meta, position) => {
    segment.noteAppended(meta, position, o.config.indexIntervalBytes)
    nextOffset = meta.lastOffset + 1
    epochs?.assign(meta.leaderEpoch, meta.baseOffset)
    const aborted = producers?.replay(meta, o.env.now()) ?? null
    if (aborted !== null) segment.txns.append(aborted)
  }
  const scanned = await scan(segment, 0, { checkCrc: true, endOffset }, onBatch)
  if (cut && scanned.validBytes < size) segment.cutTo(scanned.validBytes)
  segment.seal()
  return { nextOffset, problem: scanned.problem, cutBytes: size - scanned.validBytes }
}

/** Applies the batches from one offset up to another to the producers, reading no more than it must. */
export async function replaySegments(
  segments: readonly Segment[],
  from: number,
  to: number,
  producers: ProducerStates,
  epochs: LeaderEpochs,
  now: number,
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

/** The offset after the last batch of a segment that was closed properly; null when it was not. */
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
    return await scanBatches(file, path, from, segment.size, { ...o, baseOffset: segment.baseOffset }, onBatch)
  } finally {
    await file.close()
  }
}
