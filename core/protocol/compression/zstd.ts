import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { chunkSize, guarded, tooLarge } from './failures.ts'

/** Compresses with level 3, Kafka's default. */
export function zstdCompress(data: Buffer): Buffer {
  return zstdCompressSync(data, { chunkSize: Math.max(1024, data.length) })
}

/** Decompresses at most `maxBytes`. The library itself refuses windows over 128 MiB. */
export function zstdDecompress(data: Buffer, maxBytes: number): Buffer {
  const limit = Math.max(1, maxBytes)
  const out = guarded('zstd', maxBytes, () =>
    zstdDecompressSync(data, { maxOutputLength: limit, chunkSize: chunkSize(data.length, limit) }),
  )
  if (out.length > maxBytes) throw tooLarge(maxBytes)
  return out
}
