const MAX = 2n ** 63n - 1n
const MIN = -(2n ** 63n)

/**
 * An exact producer id: a bigint if a number cannot represent it. A negative value means no
 * producer.
 */
export type ProducerId = number | bigint

/**
 * Reads an int64 as a number, without creating a bigint. The result is exact up to 2^53 and rounded
 * beyond. The largest value is read as 2^63.
 */
export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4)
}

/** Writes an integer. Values beyond 64 bits are clamped. */
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
