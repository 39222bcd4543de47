import { gunzipSync, gzipSync } from 'node:zlib'
import { chunkSize, guarded, tooLarge } from './failures.ts'

/** Compresses with zlib's default level, as Kafka does. */
export function gzip(data: Buffer): Buffer {
  return gzipSync(data, { chunkSize: Math.max(1024, data.length) })
}

/** Decompresses at most `maxBytes`; members that follow each other are read as one, as Java reads them. */
export function gunzip(data: Buffer, maxBytes: number): Buffer {
  // node:zlib wants at least 1.
  const limit = Math.max(1, maxBytes)
  const out = guarded('gzip', maxBytes, () =>
    gunzipSync(data, { maxOutputLength: limit, chunkSize: chunkSize(data.length, limit) }),
  )
  if (out.length > maxBytes) throw tooLarge(maxBytes)
  return out
}
