import * as header from '../../../protocol/records/batch-header.ts'
import type { LogState } from '../log-state.ts'
import { readRange } from '../read/log-reader.ts'
import type { Segment } from '../segment/segment.ts'

/**
 * The size of a read. It is small, so that processing the batches of one read does not block the
 * event loop for long.
 */
const STEP = 256 << 10

/**
 * Yields the batches of a segment. Each array contains the batches of one read. Throws if reading
 * fails.
 */
export async function* batchesOf(log: LogState, segment: Segment): AsyncGenerator<Buffer[]> {
  const end = segment.size
  let position = 0
  let want = STEP
  while (position < end) {
    const bytes = await readRange(log, segment, position, Math.min(want, end - position))
    want = STEP
    const batches: Buffer[] = []
    let at = 0
    while (at + header.HEADER_SIZE <= bytes.length) {
      const size = header.batchSize(bytes, at)
      if (size < header.HEADER_SIZE || header.magic(bytes, at) !== header.MAGIC_V2) {
        throw new Error(`${segment.log.path} has no batch at byte ${position + at}`)
      }
      if (at + size > bytes.length) {
        if (at === 0) want = size
        break
      }
      batches.push(bytes.subarray(at, at + size))
      at += size
    }
    if (at === 0 && want === STEP) throw new Error(`${segment.log.path} ends within the batch at byte ${position}`)
    if (at === 0 && bytes.length >= want)
      throw new Error(`${segment.log.path} has an invalid batch length at byte ${position}`)
    position += at
    if (batches.length > 0) yield batches
  }
}
