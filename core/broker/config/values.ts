/** Java's Long.MAX_VALUE as a double. In Kafka's settings it means never, or no limit. */
export const LONG_MAX = 2 ** 63

/** Whether Java parses a string as an `int`. */
export function isInt32(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && Math.abs(Number(text)) < 2 ** 31
}

/**
 * Prints a value as Kafka does in a response: lists with commas, Long.MAX_VALUE with all digits.
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
