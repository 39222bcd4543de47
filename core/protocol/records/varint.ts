import { malformed } from '../errors.ts'

/** A position in a buffer, which each read advances. */
export interface Cursor {
  pos: number
}

/** The largest number that can be doubled and decremented without rounding. */
const MAX_EXACT = 2 ** 52

/** Returns the number of bytes of a 32-bit zigzag varint. */
export function sizeOfVarint(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x200000 ? 3 : zigzag < 0x10000000 ? 4 : 5
}

/** Returns the number of bytes of a 64-bit zigzag varint. `value` must be an integer. */
export function sizeOfVarlong(value: number): number {
  if (value === value >> 0) return sizeOfVarint(value)
  if (value > MAX_EXACT || value < -MAX_EXACT) return sizeOfLarge(value)
  let zigzag = value >= 0 ? value * 2 : -value * 2 - 1
  let size = 1
  for (; zigzag >= 0x80; zigzag = Math.floor(zigzag / 0x80)) size++
  return size
}

/** Writes a 32-bit zigzag varint and returns the position after it. */
export function writeVarint(buf: Buffer, at: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  let pos = at
  while (rest > 0x7f) {
    buf[pos++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buf[pos++] = rest
  return pos
}

/** Returns the zigzag encoding of an integer of any size, clamped to 64 bits. */
function zigzagOfLarge(value: number): bigint {
  const clamped = value >= 2 ** 63 ? 2n ** 63n - 1n : value < -(2 ** 63) ? -(2n ** 63n) : BigInt(value)
  return BigInt.asUintN(64, (clamped << 1n) ^ (clamped >> 63n))
}

function sizeOfLarge(value: number): number {
  let size = 1
  for (let rest = zigzagOfLarge(value); rest > 0x7fn; rest >>= 7n) size++
  return size
}

function writeLarge(buf: Buffer, at: number, value: number): number {
  let rest = zigzagOfLarge(value)
  let pos = at
  for (; rest > 0x7fn; rest >>= 7n) buf[pos++] = Number(rest & 0x7fn) | 0x80
  buf[pos++] = Number(rest)
  return pos
}

/**
 * Writes a 64-bit zigzag varint and returns the position after it. Clamps values that do not fit
 * into 64 bits.
 */
export function writeVarlong(buf: Buffer, at: number, value: number): number {
  if (value === value >> 0) return writeVarint(buf, at, value)
  if (value > MAX_EXACT || value < -MAX_EXACT) return writeLarge(buf, at, value)
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  let pos = at
  while (rest > 0x7f) {
    buf[pos++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  buf[pos++] = rest
  return pos
}

/** Reads a 32-bit zigzag varint that ends before `end`. */
export function readVarint(buf: Buffer, cursor: Cursor, end: number): number {
  let at = cursor.pos
  if (at < end) {
    const first = buf[at]!
    if (first < 0x80) {
      cursor.pos = at + 1
      return (first >>> 1) ^ -(first & 1)
    }
  }
  let raw = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (at >= end) throw malformed('record', `a varint extends past the end at byte ${at}`)
    const byte = buf[at++]!
    raw |= (byte & 0x7f) << shift
    // As in Java, bits above the 32nd are dropped.
    if (byte < 0x80) {
      cursor.pos = at
      return (raw >>> 1) ^ -(raw & 1)
    }
  }
  throw malformed('record', `a varint exceeds 32 bits at byte ${at}`)
}

/** Reads a 64-bit zigzag varint without rounding. */
export function readVarlongExactly(buf: Buffer, cursor: Cursor, end: number): bigint {
  let at = cursor.pos
  let raw = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    if (at >= end) throw malformed('record', `a varint extends past the end at byte ${at}`)
    const byte = buf[at++]!
    raw |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) {
      cursor.pos = at
      raw = BigInt.asUintN(64, raw)
      return (raw >> 1n) ^ -(raw & 1n)
    }
  }
  throw malformed('record', `a varint exceeds 64 bits at byte ${at}`)
}

/** Returns the bytes of a 64-bit zigzag varint, without rounding. */
export function varlongBytes(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

/** Reads a 64-bit zigzag varint that ends before `end`. Values beyond 2^53 are rounded. */
export function readVarlong(buf: Buffer, cursor: Cursor, end: number): number {
  let at = cursor.pos
  let low = 0
  let high = 0
  for (let shift = 0; shift < 70; shift += 7) {
    if (at >= end) throw malformed('record', `a varint extends past the end at byte ${at}`)
    const byte = buf[at++]!
    if (shift < 28) low |= (byte & 0x7f) << shift
    else high += (byte & 0x7f) * 2 ** (shift - 28)
    if (byte < 0x80) {
      cursor.pos = at
      // As in Java, bits above the 64th are dropped.
      if (shift === 63 && byte > 1) high -= (byte & 0x7e) * 2 ** 35
      // The lower 28 bits are in `low` and the others in `high`. The lowest bit is the zigzag sign.
      const half = (low >>> 1) + high * 0x8000000
      const negative = (low & 1) === 1
      return negative ? -half - 1 : half
    }
  }
  throw malformed('record', `a varint exceeds 64 bits at byte ${at}`)
}
