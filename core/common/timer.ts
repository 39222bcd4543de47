/** The longest time that Node's timers can wait, in milliseconds: beyond it they fire at once. Kafka's settings may be far longer. */
const LONGEST = 2 ** 31 - 1

/** A time that a timer can wait. Who waits longer looks again then. */
export function timerMs(ms: number): number {
  return ms > LONGEST ? LONGEST : ms > 1 ? Math.ceil(ms) : 1
}

/** The last time that a Date can hold, ms since 1970. */
const LAST_DATE = 8.64e15

/** A time (ms since 1970) as ISO text; null for what is none, such as the sum of now and Java's longest wait. */
export function isoTime(at: number | null): string | null {
  return typeof at === 'number' && Math.abs(at) <= LAST_DATE ? new Date(at).toISOString() : null
}
