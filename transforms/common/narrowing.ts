import type { Decimal } from '../../core/connect/index.ts'

// How Java makes integers and floats of wider numbers.

export type Bits = 8 | 16 | 32 | 64

const SAFE = BigInt(Number.MAX_SAFE_INTEGER)

const small = (n: bigint): number | bigint => (n <= SAFE && n >= -SAFE ? Number(n) : n)

/** An integer keeps its lowest bits: 300 is 44 as an int8. */
export function narrowInteger(value: number | bigint, bits: Bits): number | bigint {
  if (typeof value === 'number' && value === (value | 0) && bits >= 32) return value | 0
  return small(BigInt.asIntN(bits, BigInt(value)))
}

/** A floating number loses its fraction and is held within int or long, whose lowest bits then count: 1e10 is 2147483647. */
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
  // all of these bits are zero where so many powers of ten are in it, or it is less than one
  if (scale <= -64 || scale > unscaled.toString().length) return 0n
  return BigInt.asIntN(64, scale > 0 ? unscaled / 10n ** BigInt(scale) : unscaled * 10n ** BigInt(-scale))
}

/** More bits than a float has, few enough for a double to be exact. */
const KEPT_BITS = 40

/** The float next to an integer. By way of the next double it would be rounded twice. */
export function floatOfBig(value: bigint): number {
  const magnitude = value < 0n ? -value : value
  const shift = magnitude.toString(2).length - KEPT_BITS
  if (shift <= 0) return Math.fround(Number(value))
  const top = magnitude >> BigInt(shift)
  // the last of the bits that are kept says whether anything follows
  const lost = top << BigInt(shift) === magnitude ? 0n : 1n
  const float = Math.fround(Number(top | lost) * 2 ** shift)
  return value < 0n ? -float : float
}
