import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { backoff, backoffMs } from './backoff.ts'
import { nextTurn } from './next-turn.ts'
import { orAbort, withAbortHandler } from './or-abort.ts'
import { Signal, waitUntil } from './signal.ts'
import { sleep, sleepOrAbort } from './sleep.ts'
import { cancellableLimit } from './time-limit.ts'
import { startTimer, timerMs } from './timer.ts'

const MAX_TIMER_MS = 2 ** 31 - 1
const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length
const never = new Promise<never>(() => undefined)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('timerMs returns delays that a timer accepts', () => {
  expect([0, -5, 0.2, 7.1, 2 ** 31, 2 ** 63, Number.POSITIVE_INFINITY].map(timerMs)).toEqual([
    1,
    1,
    1,
    8,
    MAX_TIMER_MS,
    MAX_TIMER_MS,
    MAX_TIMER_MS,
  ])
})

test('startTimer supports infinite delays, and delays longer than the maximum of a Node timer', () => {
  const fired = vi.fn()
  startTimer(MAX_TIMER_MS * 2.5, fired)
  startTimer(Number.POSITIVE_INFINITY, fired)
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(MAX_TIMER_MS * 2)
  expect(fired).not.toHaveBeenCalled()
  vi.advanceTimersByTime(MAX_TIMER_MS)
  expect(fired).toHaveBeenCalledTimes(1)
})

test('a sleep rejects with the abort reason, and removes its timer and listener', async () => {
  const stop = new AbortController()
  const sleeping = sleep(60_000, stop.signal)
  const short = sleep(10, stop.signal)
  vi.advanceTimersByTime(10)
  await short
  expect(listeners(stop.signal)).toBe(1)
  stop.abort(new Error('enough'))
  await expect(sleeping).rejects.toThrow('enough')
  await expect(sleep(1, stop.signal)).rejects.toThrow('enough')
  expect(vi.getTimerCount()).toBe(0)
})

test('sleepOrAbort resolves when its time passes and when its signal aborts', async () => {
  const stop = new AbortController()
  const short = sleepOrAbort(10, stop.signal)
  const long = sleepOrAbort(60_000, stop.signal)
  vi.advanceTimersByTime(10)
  await short
  expect(listeners(stop.signal)).toBe(1)
  stop.abort()
  await long
  await sleepOrAbort(60_000, stop.signal)
  expect(vi.getTimerCount()).toBe(0)
})

test('orAbort settles like its promise or rejects on abort, and removes its listener', async () => {
  const stop = new AbortController()
  await expect(orAbort(Promise.resolve(7), stop.signal)).resolves.toBe(7)
  await expect(orAbort(Promise.reject(new Error('bad')), stop.signal)).rejects.toThrow('bad')
  expect(listeners(stop.signal)).toBe(0)
  const waiting = orAbort(never, stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(orAbort(never, stop.signal)).rejects.toThrow('enough')
  await expect(orAbort(Promise.resolve(7), undefined)).resolves.toBe(7)
})

test('withAbortHandler calls its handler only if the signal aborts before the promise settles', async () => {
  const stop = new AbortController()
  const onAbort = vi.fn()
  await withAbortHandler(Promise.resolve(), stop.signal, onAbort)
  const work = Promise.withResolvers<string>()
  const result = withAbortHandler(work.promise, stop.signal, () => {
    onAbort()
    work.resolve('closed')
  })
  stop.abort()
  await expect(result).resolves.toBe('closed')
  expect(onAbort).toHaveBeenCalledTimes(1)
})

test('a time limit aborts after its time or with its parent, and can be cancelled', () => {
  const stop = new AbortController()
  const [late, cancelled, child] = [10, 10, 60_000].map(ms => cancellableLimit(ms, stop.signal))
  cancelled!.cancel()
  vi.advanceTimersByTime(10)
  expect([late, cancelled, child].map(limit => limit!.signal.aborted)).toEqual([true, false, false])
  stop.abort(new Error('enough'))
  expect(child!.signal.reason).toEqual(new Error('enough'))
  expect(cancelled!.signal.aborted).toBe(false)
})

test('a signal wakes every waiter once', async () => {
  const signal = new Signal()
  const woken: number[] = []
  const waits = [1, 2].map(n => signal.next().then(() => woken.push(n)))
  signal.notify()
  await Promise.all(waits)
  signal.notify()
  expect(woken).toEqual([1, 2])
})

test('a wait for a signal ends when its time passes, or when it is aborted', async () => {
  const stop = new AbortController()
  const signal = new Signal()
  const late = signal.next(10, stop.signal)
  vi.advanceTimersByTime(10)
  await late
  expect(listeners(stop.signal)).toBe(0)
  const aborted = signal.next(60_000, stop.signal)
  stop.abort()
  await aborted
  await signal.next(60_000, stop.signal)
  expect(vi.getTimerCount()).toBe(0)
})

test('waitUntil checks the condition after each signal', async () => {
  const changed = new Signal()
  const stop = new AbortController()
  let n = 0
  const reached = waitUntil(() => n === 2, changed)
  for (n = 1; n < 2; n++) {
    changed.notify()
    await Promise.resolve()
  }
  changed.notify()
  await expect(reached).resolves.toBe(true)
  const late = waitUntil(() => false, changed, 10)
  await vi.advanceTimersByTimeAsync(10)
  await expect(late).resolves.toBe(false)
  const aborted = waitUntil(() => false, changed, 60_000, stop.signal)
  stop.abort()
  await expect(aborted).resolves.toBe(false)
})

test('back-off delays double up to the maximum, and vary by up to 20%', () => {
  const steady = { initialMs: 100, maxMs: 1000, random: () => 0.5 }
  expect([0, 1, 2, 3, 9, 1e9].map(n => backoffMs(n, steady))).toEqual([100, 200, 400, 800, 1000, 1000])
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, random) => {
      const ms = backoffMs(n, { initialMs: 100, maxMs: 1000, random: () => random })
      const middle = Math.min(1000, 100 * 2 ** n)
      expect(ms).toBeGreaterThanOrEqual(middle * 0.8)
      expect(ms).toBeLessThanOrEqual(Math.min(1000, middle * 1.2))
      expect(Number.isInteger(ms)).toBe(true)
    }),
  )
})

test('a back-off whose first delay is not below the maximum is constant', () => {
  for (const [initialMs, maxMs] of [
    [1000, 100],
    [500, 500],
    [50, 0],
  ] as const) {
    expect([0, 1, 5].map(n => backoffMs(n, { initialMs, maxMs, random: () => 0 }))).toEqual([maxMs, maxMs, maxMs])
  }
})

test('a back-off counts its delays until it is reset', () => {
  const delays = backoff({ initialMs: 10, maxMs: 40, jitter: 0 })
  expect([delays.next(), delays.next(), delays.next(), delays.next(), delays.attempts]).toEqual([10, 20, 40, 40, 4])
  delays.reset()
  expect([delays.attempts, delays.next()]).toEqual([0, 10])
})

test('nextTurn resolves after pending timers and I/O callbacks', async () => {
  vi.useRealTimers()
  const order: string[] = []
  const turn = nextTurn().then(() => order.push('turn'))
  queueMicrotask(() => order.push('microtask'))
  await turn
  expect(order).toEqual(['microtask', 'turn'])
})
