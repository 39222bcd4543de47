/**
 * Java's Long.MAX_VALUE, rounded to a number. In Kafka's settings, this value means "never" or "no
 * limit".
 */
export const LONG_MAX = 2 ** 63

/** Returns whether Java can parse a string as an `int`. */
export function isInt32(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && Math.abs(Number(text)) < 2 ** 31
}

/**
 * Returns a value as the text that Kafka sends in a response. The items of a list are separated by
 * commas, and Long.MAX_VALUE has all digits.
 */
export function configText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'number') {
    if (value >= LONG_MAX) return '9223372036854775807'
    if (value === Number.MAX_VALUE) return '1.7976931348623157E308'
  }
  return String(value)
}
