import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { chunkSize, chunkSizeOfPart, runCodec, tooLarge, trimmed } from './failures.ts'

/** Compresses with level 3, Kafka's default. */
export function zstdCompress(data: Buffer): Buffer {
  return zstdCompressSync(data, { chunkSize: Math.max(1024, data.length) })
}

/**
 * Returns at most `maxBytes` of decompressed data. As in Java, consecutive frames are decompressed
 * to one result. node:zlib rejects windows larger than 128 MiB.
 */
export function zstdDecompress(data: Buffer, maxBytes: number): Buffer {
  const parts: Buffer[] = []
  let left = maxBytes
  let at = 0
  do {
    const frame = decompressFrame(data.subarray(at), left, maxBytes, at === 0)
    parts.push(at === 0 ? frame.plain : trimmed(frame.plain))
    left -= frame.plain.length
    at += frame.consumed
  } while (at < data.length)
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/**
 * Decompresses the first frame, and returns the number of bytes that the frame occupies. node:zlib
 * ignores any further frames.
 */
function decompressFrame(
  data: Buffer,
  left: number,
  limit: number,
  isFirst: boolean,
): { plain: Buffer; consumed: number } {
  let consumed = data.length
  const chunk = chunkSize(data.length, left, contentSize(data))
  const plain = runCodec('zstd', limit, () => {
    const out: unknown = zstdDecompressSync(data, {
      // node:zlib requires a limit of at least 1.
      maxOutputLength: Math.max(1, left),
      chunkSize: isFirst ? chunk : chunkSizeOfPart(chunk),
      info: true,
    })
    const { buffer, engine } = out as { buffer: Buffer; engine: { bytesWritten: number } }
    consumed = engine.bytesWritten
    return buffer
  })
  if (plain.length > left) throw tooLarge(limit)
  // Consume at least one byte, so that the caller's loop ends.
  return { plain, consumed: Math.max(1, consumed) }
}

/**
 * Returns the content size in the header of a frame (RFC 8878, 3.1.1.1), or 0 if the header
 * contains no size.
 */
function contentSize(data: Buffer): number {
  if (data.length < 18) return 0
  const descriptor = data[4]!
  const isSingle = (descriptor & 0x20) !== 0
  const at = 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
  switch (descriptor >>> 6) {
    case 0:
      return isSingle ? data[at]! : 0
    case 1:
      return data.readUInt16LE(at) + 256
    case 2:
      return data.readUInt32LE(at)
    default:
      return Number(data.readBigUInt64LE(at))
  }
}
