import type { CompressionType } from '../../../protocol/compression/index.ts'
import * as header from '../../../protocol/records/batch-header.ts'
import { readVarint, readVarlongExactly, sizeOfVarint, writeVarint } from '../../../protocol/records/varint.ts'
import type { Stamp } from './rules.ts'

/** The maximum size of an int32 varint, in bytes. */
const VARINT_BYTES = 5

/**
 * Copies a batch, and replaces the records with `section`, whose records are already compressed.
 * Updates the codec, the timestamp, the length and the checksum in the header of the copy.
 */
export function withSection(batch: Buffer, section: Buffer, codec: CompressionType, stamp: Stamp): Buffer {
  const bytes = Buffer.allocUnsafeSlow(header.HEADER_SIZE + section.length)
  batch.copy(bytes, 0, 0, header.HEADER_SIZE)
  section.copy(bytes, header.HEADER_SIZE)
  bytes.writeInt32BE(bytes.length - header.LOG_OVERHEAD, header.BATCH_LENGTH)
  const attributes = header.attributes(bytes, 0) & ~header.COMPRESSION_MASK
  bytes.writeInt16BE(attributes | codec, header.ATTRIBUTES)
  header.setMaxTimestamp(bytes, 0, stamp.type, stamp.timestamp)
  return bytes
}

/**
 * Returns the records with correct length fields, and with the offset deltas 0, 1, 2 and so on.
 * `inspect` must have checked the records before.
 */
export function repaired(plain: Buffer, count: number): Buffer {
  const out = Buffer.allocUnsafeSlow(plain.length + count * VARINT_BYTES * 2)
  const cursor = { pos: 0 }
  let to = 0
  for (let i = 0; i < count; i++) {
    readVarint(plain, cursor, plain.length)
    const start = cursor.pos
    cursor.pos++
    readVarlongExactly(plain, cursor, plain.length)
    const offsetAt = cursor.pos
    readVarint(plain, cursor, plain.length)
    const rest = cursor.pos
    skipRest(plain, cursor)
    const length = offsetAt - start + sizeOfVarint(i) + cursor.pos - rest
    to = writeVarint(out, to, length)
    to += plain.copy(out, to, start, offsetAt)
    to = writeVarint(out, to, i)
    to += plain.copy(out, to, rest, cursor.pos)
  }
  return out.subarray(0, to)
}

function skipRest(plain: Buffer, cursor: { pos: number }): void {
  const skip = () => {
    const length = readVarint(plain, cursor, plain.length)
    if (length > 0) cursor.pos += length
  }
  skip()
  skip()
  const headers = readVarint(plain, cursor, plain.length)
  for (let i = 0; i < headers * 2; i++) skip()
}
