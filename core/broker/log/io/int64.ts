const MAX = 2n ** 63n - 1n
const MIN = -(2n ** 63n)

/**
 * A producer id: a bigint if a number cannot represent the id exactly. A negative value means that
 * the batch has no producer id.
 */
export type ProducerId = number | bigint

/**
 * Reads an int64 as a number, without creating a bigint. Values up to 2^53 are exact. Larger values
 * are rounded, and the largest int64 is read as 2^63.
 */
export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4)
}

/** Writes an int64. Numbers beyond the range of an int64 are clamped. */
export function writeInt64(buffer: Buffer, value: number | bigint, at: number): void {
  if (typeof value === 'bigint') {
    buffer.writeBigInt64BE(value, at)
    return
  }
  if (value >= 2 ** 63 || value < -(2 ** 63)) {
    buffer.writeBigInt64BE(value > 0 ? MAX : MIN, at)
    return
  }
  const high = Math.floor(value / 0x1_0000_0000)
  buffer.writeInt32BE(high, at)
  buffer.writeUInt32BE(value - high * 0x1_0000_0000, at + 4)
}

/** Reads a producer id exactly. */
export function readProducerId(buffer: Buffer, at: number): ProducerId {
  const value = readInt64(buffer, at)
  return value <= Number.MAX_SAFE_INTEGER ? value : buffer.readBigInt64BE(at)
}
