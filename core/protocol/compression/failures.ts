import { messageOf } from '../../common/errors/error-table.ts'
import { type ProtocolError, protocolErrors } from '../errors.ts'

/** The error for data that its codec cannot read. */
export function damaged(codec: string, detail: string): ProtocolError {
  return protocolErrors.create('MR_PROTOCOL_COMPRESSION', { action: 'decompress', codec, detail })
}

/** The error for data that exceeds the caller's limit. */
export function tooLarge(limit: number): ProtocolError {
  return protocolErrors.create('MR_PROTOCOL_TOO_LARGE', { limit })
}

/** Runs a codec of node:zlib, and converts its errors to ProtocolErrors. */
export function runCodec(codec: string, limit: number, run: () => Buffer): Buffer {
  try {
    return run()
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit)
    throw protocolErrors.create(
      'MR_PROTOCOL_COMPRESSION',
      { action: 'decompress', codec, detail: messageOf(error) },
      { cause: error },
    )
  }
}

/** node:zlib allocates another chunk if the data fills the last one exactly. */
const SLACK = 64

/**
 * Returns the size of node:zlib's output chunks: the size that the data announces if it is
 * plausible, otherwise a few times the input, because most batches have a lower compression ratio.
 */
export function chunkSize(input: number, limit: number, announced = 0): number {
  const maximum = Math.min(1 << 20, limit + 1)
  if (announced > 0 && announced <= input * 64 && announced < maximum) return Math.max(1024, announced + SLACK)
  return Math.max(1024, Math.min(input * 4, maximum))
}

/** The largest chunk for data with many parts, so that each part uses little memory. */
const MAX_PART_CHUNK = 16 << 10

/** Returns the chunk size of node:zlib for one of several gzip members or zstd frames. */
export function chunkSizeOfPart(size: number): number {
  return Math.min(size, MAX_PART_CHUNK)
}

/**
 * Returns the same bytes, in a new buffer if node:zlib allocated much more memory than a short part
 * needs.
 */
export function trimmed(part: Buffer): Buffer {
  return part.length < part.buffer.byteLength / 2 ? Buffer.from(part) : part
}
