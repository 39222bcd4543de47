import type { Decimal } from 'millrace/connect'

// How Java narrows numbers to integers and floats.

export type Bits = 8 | 16 | 32 | 64

const SAFE = BigInt(Number.MAX_SAFE_INTEGER)

const small = (n: bigint): number | bigint => (n <= SAFE && n >= -SAFE ? Number(n) : n)

/** An integer keeps its lowest bits: 300 is 44 as an int8. */
export function narrowInteger(value: number | bigint, bits: Bits): number | bigint {
  if (typeof value === 'number' && value === (value | 0) && bits >= 32) return value | 0
  return small(BigInt.asIntN(bits, BigInt(value)))
}

/**
 * A floating-point number loses its fraction, is clamped to int or long, and keeps the lowest bits:
 * 1e10 is 2147483647.
 */
export function narrowFloating(value: number, bits: Bits): number | bigint {
  const whole = Math.trunc(value)
  if (whole === (whole | 0)) return narrowInteger(whole | 0, bits)
  if (Number.isNaN(whole)) return 0
  const limit = bits === 64 ? 2n ** 63n : 2n ** 31n
  if (whole >= Number(limit)) return narrowInteger(limit - 1n, bits)
  return narrowInteger(whole <= -Number(limit) ? -limit : BigInt(whole), bits)
}

/** The lowest 64 bits of the whole part of a decimal. */
export function wholePart(value: Decimal): bigint {
  const { unscaled, scale } = value
  // these bits are all zero if it contains that many powers of ten, or if it is less than one
  if (scale <= -64 || scale > unscaled.toString().length) return 0n
  return BigInt.asIntN(64, scale > 0 ? unscaled / 10n ** BigInt(scale) : unscaled * 10n ** BigInt(-scale))
}

/** More bits than a float has, but few enough to be exact in a double. */
const KEPT_BITS = 40

/** The float nearest to an integer. Going through a double would round twice. */
export function floatOfBig(value: bigint): number {
  const magnitude = value < 0n ? -value : value
  const shift = magnitude.toString(2).length - KEPT_BITS
  if (shift <= 0) return Math.fround(Number(value))
  const top = magnitude >> BigInt(shift)
  // the last kept bit says whether any dropped bit was set
  const lost = top << BigInt(shift) === magnitude ? 0n : 1n
  const float = Math.fround(Number(top | lost) * 2 ** shift)
  return value < 0n ? -float : float
}
