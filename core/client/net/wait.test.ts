import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffMs, orAbort, Signal, timerMs, wait } from './wait.ts'

test('the back-off doubles up to its end, give or take a fifth', () => {
  expect([0, 1, 2, 3, 9].map(n => backoffMs(n, 100, 1000, () => 0.5))).toEqual([100, 200, 400, 800, 1000])
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, r) => {
      const ms = backoffMs(n, 100, 1000, () => r)
      expect(ms).toBeGreaterThanOrEqual(80)
      expect(ms).toBeLessThanOrEqual(1000)
    }),
  )
})

test('a time beyond what timers can wait does not become no time at all', () => {
  expect([timerMs(9e18), timerMs(Number.POSITIVE_INFINITY), timerMs(0), timerMs(-5), timerMs(1.2)]).toEqual([
    2 ** 31 - 1,
    2 ** 31 - 1,
    1,
    1,
    2,
  ])
})

test('waiting ends with the signal', async () => {
  const stop = new AbortController()
  const waiting = wait(60_000, stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(wait(1, stop.signal)).rejects.toThrow('enough')
  await expect(orAbort(new Promise(() => undefined), stop.signal)).rejects.toThrow('enough')
})

test('a signal wakes all that wait, and nobody twice', async () => {
  const signal = new Signal()
  const woken: number[] = []
  const waits = [1, 2].map(n => signal.next(60_000).then(() => woken.push(n)))
  signal.notify()
  await Promise.all(waits)
  signal.notify()
  expect(woken).toEqual([1, 2])
  await signal.next(1)
})
