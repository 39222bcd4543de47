import { messageOf } from '../../common/errors/error-table.ts'
import { type ProtocolError, protocolErrors } from '../errors.ts'

/** Data that is not what its codec says. */
export function damaged(codec: string, detail: string): ProtocolError {
  return protocolErrors.create('MR_PROTOCOL_COMPRESSION', { action: 'decompress', codec, detail })
}

/** Data that would be longer than the caller allows. */
export function tooLarge(limit: number): ProtocolError {
  return protocolErrors.create('MR_PROTOCOL_TOO_LARGE', { limit })
}

/** Runs a codec of node:zlib and turns what it throws into this room's errors. */
export function guarded(codec: string, limit: number, run: () => Buffer): Buffer {
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

/** node:zlib allocates once more when it has filled what it had exactly. */
const SLACK = 64

/**
 * How much node:zlib allocates at a time: the size announced in the data if plausible, otherwise a
 * few times the input, since most batches compress by less.
 */
export function chunkSize(input: number, limit: number, announced = 0): number {
  const most = Math.min(1 << 20, limit + 1)
  if (announced > 0 && announced <= input * 64 && announced < most) return Math.max(1024, announced + SLACK)
  return Math.max(1024, Math.min(input * 4, most))
}

/** Data of many parts must not cost much for each of them. */
const MOST_FOR_PART = 16 << 10

/**
 * How much node:zlib allocates at a time for one of the gzip members or zstd frames that follow
 * each other.
 */
export function chunkSizeOfPart(size: number): number {
  return Math.min(size, MOST_FOR_PART)
}

/** The same bytes, without the much larger memory that node:zlib allocated for a short part. */
export function compacted(part: Buffer): Buffer {
  return part.length < part.buffer.byteLength / 2 ? Buffer.from(part) : part
}
