import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { chunkSize, guarded, tooLarge } from './failures.ts'

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
    const frame = decompressFrame(data.subarray(at), left, maxBytes)
    parts.push(frame.plain)
    left -= frame.plain.length
    at += frame.consumed
  } while (at < data.length)
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/** node:zlib stops at the end of the first frame, and tells where that was. */
function decompressFrame(data: Buffer, left: number, limit: number): { plain: Buffer; consumed: number } {
  let consumed = data.length
  const plain = guarded('zstd', limit, () => {
    const out: unknown = zstdDecompressSync(data, {
      // At least 1 is wanted.
      maxOutputLength: Math.max(1, left),
      chunkSize: chunkSize(data.length, left),
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
