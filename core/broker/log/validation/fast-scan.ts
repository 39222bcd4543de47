/** The result of `fastScan` if it cannot tell that all records are valid. */
export const LOOK_CLOSER = -2

/** Times up to here can be added without rounding. */
const MAX_BASE = 2 ** 52
/** Bytes of a varint that a number holds exactly, doubled by zigzag. */
const LONGEST_VARLONG = 7

export interface ScanLimits {
  readonly needsKeys: boolean
  readonly earliest: number
  readonly latest: number
}

/**
 * Scans the records of a batch and checks lengths, order of offsets, keys and timestamps, without
 * allocating. Returns the latest timestamp, -1 if there is none, or LOOK_CLOSER if anything is
 * wrong or too large to compare as numbers.
 */
export function fastScan(
  buf: Buffer,
  start: number,
  end: number,
  count: number,
  baseTimestamp: number,
  limits: ScanLimits,
): number {
  if (!(baseTimestamp >= -1 && baseTimestamp <= MAX_BASE) || end > buf.length) return LOOK_CLOSER
  const { needsKeys } = limits
  let at = start
  let low = 0
  let high = -Infinity
  for (let i = 0; i < count; i++) {
    let packed = shortVarint(buf, at)
    if (packed < 0 || packed & 8) return LOOK_CLOSER
    at += packed & 7
    const recordEnd = at + (packed >>> 4)
    if (recordEnd > end) return LOOK_CLOSER
    at++ // attributes
    packed = shortVarint(buf, at)
    if (packed >= 0) {
      at += packed & 7
      const delta = (packed >>> 4) ^ -((packed >>> 3) & 1)
      if (delta > high) high = delta
      if (delta < low) low = delta
    } else {
      const size = sizeOfVarlong(buf, at)
      if (size > LONGEST_VARLONG) return LOOK_CLOSER
      const delta = longVarint(buf, at, size)
      at += size
      if (delta > high) high = delta
      if (delta < low) low = delta
    }
    packed = shortVarint(buf, at)
    if (packed < 0 || packed >>> 3 !== i << 1) return LOOK_CLOSER
    at += packed & 7
    packed = shortVarint(buf, at)
    if (packed < 0) return LOOK_CLOSER
    at += packed & 7
    if ((packed & 8) === 0) at += packed >>> 4
    else if (needsKeys) return LOOK_CLOSER
    packed = shortVarint(buf, at)
    if (packed < 0) return LOOK_CLOSER
    at += packed & 7
    if ((packed & 8) === 0) at += packed >>> 4
    packed = shortVarint(buf, at)
    if (packed < 0 || packed & 8) return LOOK_CLOSER
    at += packed & 7
    if (packed > 7) at = skipHeaders(buf, at, recordEnd, packed >>> 4)
    if (at !== recordEnd) return LOOK_CLOSER
  }
  if (at !== end) return LOOK_CLOSER
  if (baseTimestamp + high > limits.latest || baseTimestamp + low < limits.earliest) return LOOK_CLOSER
  return Math.max(-1, baseTimestamp + high)
}

/** Where the headers of a record end; -1 if they are invalid. */
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
 * A varint of up to four bytes as one number, so that nothing is allocated: its size in the lowest
 * three bits, then the zigzag value. -1 when it is longer. Behind the buffer's end it is -1 or
 * something that ends no record.
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
  while (size <= LONGEST_VARLONG && buf[at + size - 1]! >= 0x80) size++
  return size
}

/** A zigzag varint of five to seven bytes: below 2^49, so exact. */
function longVarint(buf: Buffer, at: number, size: number): number {
  let raw = 0
  for (let i = size - 1; i >= 0; i--) raw = raw * 128 + (buf[at + i]! & 0x7f)
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
}
