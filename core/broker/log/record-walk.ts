import { HEADER_SIZE } from '../../protocol/records/batch-header.ts'

/**
 * Counts the records of an uncompressed batch by stepping over their lengths; -1 when they do not fill the batch exactly.
 * So a batch that readers could not decode is refused without being decoded.
 */
export function countRecords(buf: Buffer, batchAt: number, size: number): number {
  const end = batchAt + size
  let at = batchAt + HEADER_SIZE
  let count = 0
  while (at < end) {
    let shift = 0
    let zigzag = 0
    let byte: number
    do {
      if (at >= end || shift > 28) return -1
      byte = buf[at++]!
      zigzag |= (byte & 0x7f) << shift
      shift += 7
    } while (byte & 0x80)
    const length = (zigzag >>> 1) ^ -(zigzag & 1)
    // the least record: attributes, two deltas, two lengths, a header count
    if (length < 6) return -1
    at += length
    count++
  }
  return at === end ? count : -1
}
