/** The result of `fastScan` if it cannot confirm that all records are valid. */
export const NEEDS_INSPECTION = -2

/** The maximum base timestamp. Sums of timestamps and deltas up to this value are not rounded. */
const MAX_EXACT_TIMESTAMP = 2 ** 52
/** The size of the longest varint whose value a number represents exactly, in bytes. */
const MAX_VARLONG_BYTES = 7

/** The values from the batch header and from the topic's rules that the records must match. */
export interface RecordLimits {
  readonly count: number
  readonly baseTimestamp: number
  readonly needsKeys: boolean
  readonly earliest: number
  readonly latest: number
}

/**
 * Checks the lengths, offsets, keys and timestamps of the records of a batch without allocating
 * memory. Returns the highest timestamp, or -1 if no record has one. Returns NEEDS_INSPECTION if
 * any value is invalid, or is too large to compare as a number.
 */
export function fastScan(buf: Buffer, start: number, end: number, limits: RecordLimits): number {
  const { count, baseTimestamp, needsKeys } = limits
  if (!(baseTimestamp >= -1 && baseTimestamp <= MAX_EXACT_TIMESTAMP) || end > buf.length) return NEEDS_INSPECTION
  let at = start
  let low = 0
  let high = -Infinity
  for (let i = 0; i < count; i++) {
    let packed = shortVarint(buf, at)
    if (packed < 0 || packed & 8) return NEEDS_INSPECTION
    at += packed & 7
    const recordEnd = at + (packed >>> 4)
    if (recordEnd > end) return NEEDS_INSPECTION
    at++ // attributes
    packed = shortVarint(buf, at)
    if (packed >= 0) {
      at += packed & 7
      const delta = (packed >>> 4) ^ -((packed >>> 3) & 1)
      if (delta > high) high = delta
      if (delta < low) low = delta
    } else {
      const size = sizeOfVarlong(buf, at)
      if (size > MAX_VARLONG_BYTES) return NEEDS_INSPECTION
      const delta = longVarint(buf, at, size)
      at += size
      if (delta > high) high = delta
      if (delta < low) low = delta
    }
    packed = shortVarint(buf, at)
    if (packed < 0 || packed >>> 3 !== i << 1) return NEEDS_INSPECTION
    at += packed & 7
    packed = shortVarint(buf, at)
    if (packed < 0) return NEEDS_INSPECTION
    at += packed & 7
    if ((packed & 8) === 0) at += packed >>> 4
    else if (needsKeys) return NEEDS_INSPECTION
    packed = shortVarint(buf, at)
    if (packed < 0) return NEEDS_INSPECTION
    at += packed & 7
    if ((packed & 8) === 0) at += packed >>> 4
    packed = shortVarint(buf, at)
    if (packed < 0 || packed & 8) return NEEDS_INSPECTION
    at += packed & 7
    if (packed > 7) at = skipHeaders(buf, at, recordEnd, packed >>> 4)
    if (at !== recordEnd) return NEEDS_INSPECTION
  }
  if (at !== end) return NEEDS_INSPECTION
  if (baseTimestamp + high > limits.latest || baseTimestamp + low < limits.earliest) return NEEDS_INSPECTION
  return Math.max(-1, baseTimestamp + high)
}

/** Returns the position after the headers of a record, or -1 if the headers are invalid. */
function skipHeaders(buf: Buffer, start: number, end: number, count: number): number {
  let at = start
  for (let i = 0; i < count; i++) {
    let packed = shortVarint(buf, at)
    if (packed < 0 || packed & 8) return -1
    at += (packed & 7) + (packed >>> 4)
    if (at > end) return -1
    packed = shortVarint(buf, at)
    if (packed < 0) return -1
    at += packed & 7
    if ((packed & 8) === 0) at += packed >>> 4
    if (at > end) return -1
  }
  return at
}

/**
 * Reads a varint of up to four bytes. Returns its size and value in one number, so that nothing is
 * allocated. The lowest three bits are the size, and the other bits are the zigzag value. Returns
 * -1 for a longer varint. If the varint extends beyond the end of the buffer, returns -1 or a value
 * that makes the record invalid.
 */
function shortVarint(buf: Buffer, at: number): number {
  let byte = buf[at]!
  if (byte < 0x80) return (byte << 3) | 1
  let raw = byte & 0x7f
  byte = buf[at + 1]!
  if (byte < 0x80) return ((raw | (byte << 7)) << 3) | 2
  raw |= (byte & 0x7f) << 7
  byte = buf[at + 2]!
  if (byte < 0x80) return ((raw | (byte << 14)) << 3) | 3
  raw |= (byte & 0x7f) << 14
  byte = buf[at + 3]!
  if (byte < 0x80) return ((raw | (byte << 21)) << 3) | 4
  return -1
}

function sizeOfVarlong(buf: Buffer, at: number): number {
  let size = 1
  while (size <= MAX_VARLONG_BYTES && buf[at + size - 1]! >= 0x80) size++
  return size
}

/**
 * Reads a zigzag varint of five to seven bytes. The value is below 2^49, so the result is exact.
 */
function longVarint(buf: Buffer, at: number, size: number): number {
  let raw = 0
  for (let i = size - 1; i >= 0; i--) raw = raw * 128 + (buf[at + i]! & 0x7f)
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
}
