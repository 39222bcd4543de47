// Floating-point numbers as Java prints them: `1.0`, `1.0E10`, `NaN`.

/** Between these numbers, Java writes no exponent. */
const PLAIN_MIN = 1e-3
const PLAIN_MAX = 1e7
/** Below this, floats have fewer digits than elsewhere. */
const FLOAT_MIN_NORMAL = 1.17549435e-38

/**
 * Returns Java's Double.toString: `1.0`, `1.0E10`, `NaN`, `-Infinity`. With the fewest digits, as
 * in JDK 19 and later.
 */
export function javaDouble(value: number): string {
  const magnitude = value < 0 ? -value : value
  if (magnitude >= PLAIN_MIN && magnitude < PLAIN_MAX) {
    return Number.isInteger(value) ? `${value}.0` : `${value}`
  }
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (!Number.isFinite(value)) return String(value)
  // Java prefers the nearest of two digits to the only one of one digit: 4.9E-324, not 5.0E-324.
  const two = value.toExponential(1)
  return javaExponent(Number(two) === value ? two : value.toExponential())
}

/** Returns Java's Float.toString, with the fewest digits that identify the float. */
export function javaFloat(value: number): string {
  const float = Math.fround(value)
  const magnitude = Math.abs(float)
  if (!Number.isFinite(float) || float === 0) return javaDouble(float)
  // Start with six digits: a number that needs fewer ends in zeros, which `parsed` drops.
  for (let digits = magnitude < FLOAT_MIN_NORMAL ? 2 : 6; digits <= 9; digits++) {
    const text = float.toPrecision(digits)
    const parsed = Number(text)
    if (Math.fround(parsed) !== float) continue
    if (magnitude >= PLAIN_MIN && magnitude < PLAIN_MAX) return javaDouble(parsed)
    return digits === 2 ? javaExponent(float.toExponential(1)) : javaExponent(parsed.toExponential())
  }
  return javaDouble(float)
}

/** Returns JavaScript's `1.5e+10` in Java's form, `1.5E10`. */
function javaExponent(text: string): string {
  const e = text.indexOf('e')
  const mantissa = text.slice(0, e)
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(text.slice(e + 1))}`
}
