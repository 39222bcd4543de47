import type { Decimal } from 'millrace/connect'

// Narrows numbers to integers and floats as Java does.

export type Bits = 8 | 16 | 32 | 64

const SAFE = BigInt(Number.MAX_SAFE_INTEGER)

const small = (n: bigint): number | bigint => (n <= SAFE && n >= -SAFE ? Number(n) : n)

/** Returns the lowest bits of an integer: 300 becomes 44 as an int8. */
export function narrowInteger(value: number | bigint, bits: Bits): number | bigint {
  if (typeof value === 'number' && value === (value | 0) && bits >= 32) return value | 0
  return small(BigInt.asIntN(bits, BigInt(value)))
}

/**
 * Narrows a floating-point number: removes the fraction, limits the number to the range of an int
 * or long, and keeps the lowest bits. 1e10 becomes 2147483647 as an int32.
 */
export function narrowFloating(value: number, bits: Bits): number | bigint {
  const whole = Math.trunc(value)
  if (whole === (whole | 0)) return narrowInteger(whole | 0, bits)
  if (Number.isNaN(whole)) return 0
  const limit = bits === 64 ? 2n ** 63n : 2n ** 31n
  if (whole >= Number(limit)) return narrowInteger(limit - 1n, bits)
  return narrowInteger(whole <= -Number(limit) ? -limit : BigInt(whole), bits)
}

/** Returns the lowest 64 bits of the whole part of a decimal. */
export function wholePart(value: Decimal): bigint {
  const { unscaled, scale } = value
  // All 64 bits are zero if the number is a multiple of 10^64, or less than one.
  if (scale <= -64 || scale > unscaled.toString().length) return 0n
  return BigInt.asIntN(64, scale > 0 ? unscaled / 10n ** BigInt(scale) : unscaled * 10n ** BigInt(-scale))
}

/** The number of bits that are kept: more than a float has, but few enough for an exact double. */
const KEPT_BITS = 40

/** Returns the float nearest to an integer. A conversion through a double would round twice. */
export function floatOfBig(value: bigint): number {
  const magnitude = value < 0n ? -value : value
  const shift = magnitude.toString(2).length - KEPT_BITS
  if (shift <= 0) return Math.fround(Number(value))
  const top = magnitude >> BigInt(shift)
  // The last kept bit is set if any dropped bit is set, so that rounding is correct.
  const lost = top << BigInt(shift) === magnitude ? 0n : 1n
  const float = Math.fround(Number(top | lost) * 2 ** shift)
  return value < 0n ? -float : float
}
