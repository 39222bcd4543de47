import { crc32, gunzipSync, gzipSync, inflateRawSync } from 'node:zlib'
import { isProtocolError } from '../errors.ts'
import { chunkSize, chunkSizeOfPart, damaged, runCodec, tooLarge, trimmed } from './failures.ts'

/** Compresses with zlib's default level, as Kafka does. */
export function gzip(data: Buffer): Buffer {
  return gzipSync(data, { chunkSize: Math.max(1024, data.length) })
}

/**
 * Returns at most `maxBytes` of decompressed data. As in Java, consecutive members are decompressed
 * to one result, and trailing bytes that are not a member are ignored.
 */
export function gunzip(data: Buffer, maxBytes: number): Buffer {
  // node:zlib requires a limit of at least 1.
  const limit = Math.max(1, maxBytes)
  let out: Buffer
  try {
    out = runCodec('gzip', maxBytes, () =>
      gunzipSync(data, { maxOutputLength: limit, chunkSize: chunkSize(data.length, limit, lengthOf(data)) }),
    )
  } catch (error) {
    // node:zlib fails if the last member is followed by other bytes, so decompress each member
    // separately.
    if (isProtocolError(error) && error.code === 'MR_PROTOCOL_TOO_LARGE') throw error
    out = memberByMember(data, limit, error)
  }
  if (out.length > maxBytes) throw tooLarge(maxBytes)
  return out
}

/** Returns the length that the last member announces. This length may be wrong. */
function lengthOf(data: Buffer): number {
  return data.length < 4 ? 0 : data.readUInt32LE(data.length - 4)
}

function memberByMember(data: Buffer, maxBytes: number, failure: unknown): Buffer {
  const parts: Buffer[] = []
  let left = maxBytes
  for (let at = 0; at < data.length; ) {
    const start = endOfHeader(data, at)
    if (start < 0) {
      if (at === 0) throw failure
      break
    }
    let consumed = 0
    const part = runCodec('gzip', maxBytes, () => {
      const chunk = chunkSizeOfPart(chunkSize(data.length - start, left))
      const options = { maxOutputLength: Math.max(1, left), chunkSize: chunk, info: true }
      const result: unknown = inflateRawSync(data.subarray(start), options)
      const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } }
      consumed = engine.bytesWritten
      return buffer
    })
    at = start + consumed
    if (at + 8 > data.length) throw damaged('gzip', 'it is truncated')
    if (data.readUInt32LE(at) !== crc32(part) || data.readUInt32LE(at + 4) !== part.length)
      throw damaged('gzip', 'its checksum or length is wrong')
    at += 8
    left -= part.length
    if (left < 0) throw tooLarge(maxBytes)
    parts.push(trimmed(part))
  }
  return Buffer.concat(parts)
}

const EXTRA = 4
const NAME = 8
const COMMENT = 16
const HEADER_CRC = 2

/**
 * Returns the position after the header of a member (RFC 1952), or -1 if there is no complete
 * header.
 */
function endOfHeader(data: Buffer, start: number): number {
  if (data.length - start < 10 || data.readUInt16LE(start) !== 0x8b1f || data[start + 2] !== 8) return -1
  const flags = data[start + 3]!
  let at = start + 10
  if (flags & EXTRA) {
    if (at + 2 > data.length) return -1
    at += 2 + data.readUInt16LE(at)
  }
  for (const flag of [NAME, COMMENT]) {
    if ((flags & flag) === 0) continue
    const end = data.indexOf(0, at)
    if (end < 0) return -1
    at = end + 1
  }
  if (flags & HEADER_CRC) at += 2
  return at > data.length ? -1 : at
}
