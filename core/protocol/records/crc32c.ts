import { crc32c as native } from '@node-rs/crc32'

/** The reflected Castagnoli polynomial (RFC 3720, B.4). */
const POLYNOMIAL = 0x82f63b78
/**
 * The minimum number of bytes for which native code is used. For fewer bytes, the call costs more
 * time than it saves.
 */
const NATIVE_FROM = 192

/**
 * Eight tables with 256 entries each. Entry `k * 256 + b` is the checksum of the byte `b` followed
 * by `k` zero bytes.
 */
const tables = new Int32Array(8 * 256)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  tables[byte] = crc
}
for (let i = 256; i < tables.length; i++) {
  const before = tables[i - 256]!
  tables[i] = (before >>> 8) ^ tables[before & 0xff]!
}

/** Returns the CRC-32C of a part of a buffer as an unsigned number. */
export function crc32c(buf: Buffer, start = 0, end = buf.length): number {
  if (end - start >= NATIVE_FROM) return native(start === 0 && end === buf.length ? buf : buf.subarray(start, end))
  return crc32cInScript(buf, start, end)
}

/** Like `crc32c`, but without native code. Processes eight bytes per step. */
export function crc32cInScript(buf: Buffer, start: number, end: number): number {
  const t = tables
  let crc = -1
  let at = start
  for (; at + 8 <= end; at += 8) {
    crc ^= buf[at]! | (buf[at + 1]! << 8) | (buf[at + 2]! << 16) | (buf[at + 3]! << 24)
    crc =
      t[1792 + (crc & 0xff)]! ^
      t[1536 + ((crc >>> 8) & 0xff)]! ^
      t[1280 + ((crc >>> 16) & 0xff)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + buf[at + 4]!]! ^
      t[512 + buf[at + 5]!]! ^
      t[256 + buf[at + 6]!]! ^
      t[buf[at + 7]!]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ t[(crc ^ buf[at]!) & 0xff]!
  return ~crc >>> 0
}
