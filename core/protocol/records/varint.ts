import { malformed } from '../errors.ts'

/** A place in a buffer that reading moves. Record fields are read with it, since records need no other state. */
export interface Cursor {
  pos: number
}

/** Up to here a number can be doubled, and one taken off, without rounding. */
const EXACT = 2 ** 52

/** The number of bytes of a zigzag varint of 32 bits. */
export function sizeOfVarint(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x200000 ? 3 : zigzag < 0x10000000 ? 4 : 5
}

/** The number of bytes of a zigzag varint of 64 bits; `value` is a whole number. */
export function sizeOfVarlong(value: number): number {
  if (value === value >> 0) return sizeOfVarint(value)
  if (value > EXACT || value < -EXACT) return sizeOfLarge(value)
  let zigzag = value >= 0 ? value * 2 : -value * 2 - 1
  let size = 1
  for (; zigzag >= 0x80; zigzag = Math.floor(zigzag / 0x80)) size++
  return size
}

/** Writes a zigzag varint of 32 bits and returns the position after it. */
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

/** Zigzag of a whole number of any size, clamped to 64 bits. */
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

/** Writes a zigzag varint of 64 bits and returns the position after it; what does not fit is clamped. */
export function writeVarlong(buf: Buffer, at: number, value: number): number {
  if (value === value >> 0) return writeVarint(buf, at, value)
  if (value > EXACT || value < -EXACT) return writeLarge(buf, at, value)
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  let pos = at
  while (rest > 0x7f) {
    buf[pos++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  buf[pos++] = rest
  return pos
}

/** Reads a zigzag varint of 32 bits that ends before `end`. */
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
    if (at >= end) throw malformed('record', `a varint runs past the end at byte ${at}`)
    const byte = buf[at++]!
    raw |= (byte & 0x7f) << shift
    // bits past the 32nd are dropped, as Java drops them
    if (byte < 0x80) {
      cursor.pos = at
      return (raw >>> 1) ^ -(raw & 1)
    }
  }
  throw malformed('record', `a varint exceeds 32 bits at byte ${at}`)
}

/** Reads a zigzag varint of 64 bits exactly. */
export function readVarlongExactly(buf: Buffer, cursor: Cursor, end: number): bigint {
  let at = cursor.pos
  let raw = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    if (at >= end) throw malformed('record', `a varint runs past the end at byte ${at}`)
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

/** A zigzag varint of 64 bits, exactly. */
export function varlongBytes(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

/** Reads a zigzag varint of 64 bits that ends before `end`. Beyond 2^53 the value is rounded. */
export function readVarlong(buf: Buffer, cursor: Cursor, end: number): number {
  let at = cursor.pos
  let low = 0
  let high = 0
  for (let shift = 0; shift < 70; shift += 7) {
    if (at >= end) throw malformed('record', `a varint runs past the end at byte ${at}`)
    const byte = buf[at++]!
    if (shift < 28) low |= (byte & 0x7f) << shift
    else high += (byte & 0x7f) * 2 ** (shift - 28)
    if (byte < 0x80) {
      cursor.pos = at
      // bits past the 64th are dropped, as Java drops them
      if (shift === 63 && byte > 1) high -= (byte & 0x7e) * 2 ** 35
      // The value has 28 low bits and the rest above; zigzag's sign is the lowest of all.
      const half = (low >>> 1) + high * 0x8000000
      const negative = (low & 1) === 1
      return negative ? -half - 1 : half
    }
  }
  throw malformed('record', `a varint exceeds 64 bits at byte ${at}`)
}
