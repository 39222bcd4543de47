/**
 * A position in the write-ahead log, as a byte offset. Positions up to 9 PB are numbers, and
 * greater positions are bigints. Numbers and bigints can be compared with each other.
 */
export type Lsn = number | bigint

export const ZERO: Lsn = 0

/** Reads a position from a message, which contains it as two 32-bit halves. */
export function readLsn(buf: Buffer, at: number): Lsn {
  const high = buf.readUInt32BE(at)
  const low = buf.readUInt32BE(at + 4)
  return high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low)
}

export function writeLsn(buf: Buffer, lsn: Lsn, at: number): void {
  buf.writeBigUInt64BE(BigInt(lsn), at)
}

/** Parses a position such as `16/B374D848`. */
export function parseLsn(text: string): Lsn {
  const m = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text)
  if (!m) throw new SyntaxError(`'${text}' is not a log sequence number`)
  const high = Number.parseInt(m[1]!, 16)
  const low = Number.parseInt(m[2]!, 16)
  return high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low)
}

export function formatLsn(lsn: Lsn): string {
  const n = BigInt(lsn)
  return `${(n >> 32n).toString(16).toUpperCase()}/${(n & 0xffffffffn).toString(16).toUpperCase()}`
}

export const maxLsn = (a: Lsn, b: Lsn): Lsn => (a >= b ? a : b)

/** Parses a position in an offset: a number, a bigint or text; null for other values. */
export function lsnOf(value: unknown): Lsn | null {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (typeof value !== 'string' || !/^\d+$/.test(value)) return null
  const n = BigInt(value)
  return n <= 9007199254740991n ? Number(n) : n
}
