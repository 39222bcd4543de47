import type { LagSample, TaskSnapshot } from '../task/host/messages-out.ts'

/** How far a task or a connector lags behind. Null means that the value is unknown. */
export interface Lag {
  readonly seconds: number | null
  readonly bytes: number | null
  readonly records: number | null
}

/**
 * The age at which a measured lag becomes outdated, ms. Tasks report every two seconds, and read
 * the end of their source or partitions at least every five seconds.
 */
const OUTDATED_MS = 20_000

/**
 * Returns the lag of a task at the time `now`; null if its plugin reports no lag. A source also
 * lags behind while its records are not acknowledged, so the seconds are at least the age of the
 * oldest of those records. The lag becomes outdated if the task has failed, hangs, or cannot reach
 * its source or the brokers. The seconds then continue to increase, and the bytes and records are
 * unknown.
 */
export function lagOf({ lag, activeSince }: Pick<TaskSnapshot, 'lag' | 'activeSince'>, now: number): Lag | null {
  if (lag === null) return null
  const seconds = secondsOf(lag, activeSince, now)
  if (isOutdated(lag, now)) return { seconds, bytes: null, records: null }
  return { seconds, bytes: lag.bytes, records: lag.records }
}

function secondsOf(lag: LagSample, activeSince: number | null, now: number): number | null {
  if (!lag.caughtUp && lag.since === null) return null
  const since = !lag.caughtUp ? lag.since! : isOutdated(lag, now) ? lag.measuredAt : now
  return Math.max(0, now - Math.min(since, activeSince ?? now)) / 1000
}

const isOutdated = ({ measuredAt }: LagSample, now: number): boolean => now - measuredAt > OUTDATED_MS

/**
 * Returns the lag of a connector. The seconds are those of the task that lags most. The bytes and
 * the records are the sums of all tasks. A value is null if it is null for one of the tasks.
 */
export function sumOf(lags: readonly Lag[]): Lag {
  const sum = (values: (number | null)[]) =>
    values.length === 0 || values.includes(null) ? null : values.reduce<number>((a, b) => a + b!, 0)
  const seconds = lags.map(l => l.seconds)
  return {
    seconds: seconds.length === 0 || seconds.includes(null) ? null : Math.max(...(seconds as number[])),
    bytes: sum(lags.map(l => l.bytes)),
    records: sum(lags.map(l => l.records)),
  }
}
