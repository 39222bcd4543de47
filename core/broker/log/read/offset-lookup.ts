import { isProtocolError } from '../../../protocol/errors.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import { readBatches } from '../../../protocol/records/batch-reader.ts'
import { isErrno } from '../io/files.ts'
import type { LogState } from '../log-state.ts'
import type { Segment } from '../segment/segment.ts'
import type { OffsetAndTimestamp } from '../types.ts'
import { readRange } from './log-reader.ts'

/**
 * The size of each read while searching for a batch. By default, the index has about one entry per
 * 4 KiB, so one read is usually enough.
 */
const STEP = 64 << 10

/** Retries a lookup if retention or compaction removed a segment during the lookup. */
export async function retryIfReplaced<T>(look: () => Promise<T>): Promise<T> {
  for (let left = 3; ; left--) {
    try {
      return await look()
    } catch (error) {
      if (left === 0 || !isErrno(error, 'ENOENT')) throw error
    }
  }
}

/**
 * Returns the first record with a timestamp of at least `timestamp`. Returns null if no such record
 * is between the log start and `maxOffset`.
 */
export async function findByTimestamp(
  log: LogState,
  timestamp: number,
  maxOffset: number,
): Promise<OffsetAndTimestamp | null> {
  for (const segment of log.segments) {
    if (segment.latest.timestamp < timestamp || segment.size === 0) continue
    const from = Math.max(segment.times.lookup(timestamp).offset, log.logStartOffset)
    const found = await findInSegment(log, segment, from, batch => {
      if (header.maxTimestamp(batch, 0) < timestamp) return null
      return firstRecord(batch, r => r.timestamp >= timestamp && r.offset >= log.logStartOffset)
    })
    if (found === null) continue
    return found.offset < maxOffset ? found : null
  }
  return null
}

/**
 * Returns the first record with the highest timestamp in the log. Returns null if the log has no
 * timestamps, or if this record is not below `maxOffset`.
 */
export async function findLatest(log: LogState, maxOffset: number): Promise<OffsetAndTimestamp | null> {
  let best: Segment | null = null
  for (const segment of log.segments) {
    if (segment.size > 0 && (best === null || segment.latest.timestamp > best.latest.timestamp)) best = segment
  }
  if (best === null || best.latest.timestamp < 0) return null
  const { timestamp, offset } = best.latest
  const found = await findInSegment(log, best, offset, batch => {
    if (header.maxTimestamp(batch, 0) < timestamp) return null
    // Compare record timestamps only with each other, because the header's timestamp may be rounded
    // differently if it is beyond 2^53.
    let latest = Number.NEGATIVE_INFINITY
    firstRecord(batch, r => {
      latest = Math.max(latest, r.timestamp)
      return false
    })
    return firstRecord(batch, r => r.timestamp === latest)
  })
  return found !== null && found.offset < maxOffset ? found : null
}

function firstRecord(
  batch: Buffer,
  wanted: (r: { timestamp: number; offset: number }) => boolean,
): OffsetAndTimestamp | null {
  const leaderEpoch = header.leaderEpoch(batch, 0)
  try {
    for (const decoded of readBatches(batch)) {
      for (const record of decoded.records()) {
        if (wanted(record)) return { offset: record.offset, timestamp: record.timestamp, leaderEpoch }
      }
    }
  } catch (error) {
    // Skip an unreadable batch, which can come from an older version, so that the lookup can find
    // other records.
    if (!isProtocolError(error)) throw error
  }
  return null
}

/**
 * Passes the batches of a segment to `look`, starting with the batch that contains `from`. Returns
 * the first result that is not null.
 */
async function findInSegment<T>(
  log: LogState,
  segment: Segment,
  from: number,
  look: (batch: Buffer) => T | null,
): Promise<T | null> {
  const end = segment.size
  let position = segment.positionFor(from)
  let want = STEP
  while (position < end) {
    const bytes = await readRange(log, segment, position, Math.min(want, end - position))
    want = STEP
    let at = 0
    while (at + header.HEADER_SIZE <= bytes.length) {
      const size = header.batchSize(bytes, at)
      if (at + size > bytes.length) {
        if (at === 0) want = size
        break
      }
      if (header.lastOffset(bytes, at) >= from) {
        const found = look(bytes.subarray(at, at + size))
        if (found !== null) return found
      }
      at += size
    }
    // No complete batch remains in the segment.
    if (at === 0 && (want === STEP || bytes.length >= want)) return null
    position += at
  }
  return null
}
