import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { chunkSize, chunkSizeOfPart, compacted, guarded, tooLarge } from './failures.ts'

/** Compresses with level 3, Kafka's default. */
export function zstdCompress(data: Buffer): Buffer {
  return zstdCompressSync(data, { chunkSize: Math.max(1024, data.length) })
}

/**
 * Decompresses at most `maxBytes`; frames that follow each other are read as one, as Java reads them. The library
 * itself refuses windows over 128 MiB.
 */
export function zstdDecompress(data: Buffer, maxBytes: number): Buffer {
  const parts: Buffer[] = []
  let left = maxBytes
  let at = 0
  do {
    const frame = decompressFrame(data.subarray(at), left, maxBytes, at === 0)
    parts.push(at === 0 ? frame.plain : compacted(frame.plain))
    left -= frame.plain.length
    at += frame.consumed
  } while (at < data.length)
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/** node:zlib stops at the end of the first frame, and tells where that was. */
function decompressFrame(
  data: Buffer,
  left: number,
  limit: number,
  isFirst: boolean,
): { plain: Buffer; consumed: number } {
  let consumed = data.length
  const chunk = chunkSize(data.length, left, contentSize(data))
  const plain = guarded('zstd', limit, () => {
    const out: unknown = zstdDecompressSync(data, {
      // At least 1 is wanted.
      maxOutputLength: Math.max(1, left),
      chunkSize: isFirst ? chunk : chunkSizeOfPart(chunk),
      info: true,
    })
    const { buffer, engine } = out as { buffer: Buffer; engine: { bytesWritten: number } }
    consumed = engine.bytesWritten
    return buffer
  })
  if (plain.length > left) throw tooLarge(limit)
  // Without progress there would be no end.
  return { plain, consumed: Math.max(1, consumed) }
}

/** The content size from a frame's header (RFC 8878, 3.1.1.1); 0 if it is not given. */
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
