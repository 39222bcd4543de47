import { expect, test } from 'vitest'
import { lagOf, sumOf } from './lag.ts'

const NOW = 1_000_000
const sample = { bytes: 10, records: null, caughtUp: false, since: NOW - 5000, measuredAt: NOW - 1000, partitions: [] }

test('a task that has read everything is 0 seconds behind, unless some records are not acknowledged', () => {
  const caughtUp = { ...sample, bytes: 0, caughtUp: true, since: null }
  expect(lagOf({ lag: caughtUp, activeSince: null }, NOW)).toEqual({ seconds: 0, bytes: 0, records: null })
  expect(lagOf({ lag: caughtUp, activeSince: NOW - 3000 }, NOW)?.seconds).toBe(3)
})

test('a task that has not read everything is behind by the age of the last record that it handled', () => {
  expect(lagOf({ lag: sample, activeSince: null }, NOW)?.seconds).toBe(5)
  expect(lagOf({ lag: sample, activeSince: NOW - 9000 }, NOW)?.seconds).toBe(9)
  expect(lagOf({ lag: { ...sample, since: NOW + 1000 }, activeSince: null }, NOW)?.seconds).toBe(0)
})

test("a task's lag is unknown if the plugin reports no lag or no time", () => {
  expect(lagOf({ lag: null, activeSince: NOW }, NOW)).toBeNull()
  expect(lagOf({ lag: { ...sample, since: null }, activeSince: NOW }, NOW)?.seconds).toBeNull()
})

test('the seconds of a connector are those of the task that lags most, and the bytes and records are sums of all tasks', () => {
  const a = { seconds: 1, bytes: 10, records: 3 }
  expect(sumOf([a, { seconds: 4, bytes: 5, records: 1 }])).toEqual({ seconds: 4, bytes: 15, records: 4 })
  expect(sumOf([a, { seconds: null, bytes: null, records: 1 }])).toEqual({ seconds: null, bytes: null, records: 4 })
})

test('the lag of a task that no longer reports grows, and its bytes and records become unknown', () => {
  const outdated = { ...sample, bytes: 0, records: 0, caughtUp: true, since: null, measuredAt: NOW - 30_000 }
  expect(lagOf({ lag: outdated, activeSince: null }, NOW)).toEqual({ seconds: 30, bytes: null, records: null })
  expect(lagOf({ lag: outdated, activeSince: NOW - 40_000 }, NOW)?.seconds).toBe(40)
  const behind = { ...sample, measuredAt: NOW - 30_000, since: NOW - 50_000 }
  expect(lagOf({ lag: behind, activeSince: null }, NOW)).toEqual({ seconds: 50, bytes: null, records: null })
})
