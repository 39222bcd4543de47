/** The last time that a Date can hold, in milliseconds since 1970. */
const LAST_DATE = 8.64e15

/**
 * Returns a time (milliseconds since 1970) as ISO text. Returns null for null, and for a time that
 * a Date cannot hold, such as a retry after Java's maximum delay.
 */
export function isoInstant(at: number | null): string | null {
  return typeof at === 'number' && Math.abs(at) <= LAST_DATE ? new Date(at).toISOString() : null
}
