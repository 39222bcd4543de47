import { messageOf } from '../../common/errors/error-table.ts'
import { type ProtocolError, protocolErrors } from '../errors.ts'

/** Returns the error for data that a codec cannot decompress. */
export function damaged(codec: string, detail: string): ProtocolError {
  return protocolErrors.create('MR_PROTOCOL_COMPRESSION', { action: 'decompress', codec, detail })
}

/** Returns the error for data that exceeds the caller's limit. */
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

/**
 * The number of bytes by which a chunk is larger than the expected data. If the data filled a chunk
 * exactly, node:zlib would allocate another chunk.
 */
const SLACK = 64

/**
 * Returns the size of node:zlib's output chunks. It is the size that the data announces, if that
 * size is plausible. Otherwise it is four times the input, because most batches have a lower
 * compression ratio.
 */
export function chunkSize(input: number, limit: number, announced = 0): number {
  const maximum = Math.min(1 << 20, limit + 1)
  if (announced > 0 && announced <= input * 64 && announced < maximum) return Math.max(1024, announced + SLACK)
  return Math.max(1024, Math.min(input * 4, maximum))
}

/** The maximum chunk size for data with many parts. It limits the memory that each part uses. */
const MAX_PART_CHUNK = 16 << 10

/** Returns the chunk size for one of several gzip members or zstd frames. */
export function chunkSizeOfPart(size: number): number {
  return Math.min(size, MAX_PART_CHUNK)
}

/**
 * Returns a decompressed part. Copies the part to a new buffer if node:zlib allocated much more
 * memory than the part needs.
 */
export function trimmed(part: Buffer): Buffer {
  return part.length < part.buffer.byteLength / 2 ? Buffer.from(part) : part
}
