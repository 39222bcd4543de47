// The functions in this file print floating-point numbers as Java does: `1.0`, `1.0E10`, `NaN`.

/** Java writes numbers between `PLAIN_MIN` and `PLAIN_MAX` without an exponent. */
const PLAIN_MIN = 1e-3
const PLAIN_MAX = 1e7
/** The smallest normal float. Smaller floats have fewer significant digits. */
const FLOAT_MIN_NORMAL = 1.17549435e-38

/**
 * Returns the text of Java's Double.toString: `1.0`, `1.0E10`, `NaN`, `-Infinity`. It has the
 * fewest digits that identify the double, as in JDK 19 and later.
 */
export function javaDouble(value: number): string {
  const magnitude = value < 0 ? -value : value
  if (magnitude >= PLAIN_MIN && magnitude < PLAIN_MAX) {
    return Number.isInteger(value) ? `${value}.0` : `${value}`
  }
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (!Number.isFinite(value)) return String(value)
  // Java prints at least two digits. It prints the two digits that are nearest to the value:
  // 4.9E-324, not 5.0E-324.
  const two = value.toExponential(1)
  return javaExponent(Number(two) === value ? two : value.toExponential())
}

/** Returns the text of Java's Float.toString, with the fewest digits that identify the float. */
export function javaFloat(value: number): string {
  const float = Math.fround(value)
  const magnitude = Math.abs(float)
  if (!Number.isFinite(float) || float === 0) return javaDouble(float)
  // Start with six digits. If fewer are enough, the text ends in zeros, which `parsed` drops.
  for (let digits = magnitude < FLOAT_MIN_NORMAL ? 2 : 6; digits <= 9; digits++) {
    const text = float.toPrecision(digits)
    const parsed = Number(text)
    if (Math.fround(parsed) !== float) continue
    if (magnitude >= PLAIN_MIN && magnitude < PLAIN_MAX) return javaDouble(parsed)
    return digits === 2 ? javaExponent(float.toExponential(1)) : javaExponent(parsed.toExponential())
  }
  return javaDouble(float)
}

/** Returns a number such as `1.5e+10`, as JavaScript prints it, in Java's form: `1.5E10`. */
function javaExponent(text: string): string {
  const e = text.indexOf('e')
  const mantissa = text.slice(0, e)
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(text.slice(e + 1))}`
}
