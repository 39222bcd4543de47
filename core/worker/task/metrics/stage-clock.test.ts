import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SOURCE_STAGES } from '../../metrics/task-metrics.ts'
import { StageClock } from './stage-clock.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => vi.useRealTimers())

test('time is counted for the current stage, even before the stage ends', () => {
  const clock = new StageClock(SOURCE_STAGES)
  vi.advanceTimersByTime(1000)
  clock.enter('poll')
  vi.advanceTimersByTime(2000)
  expect(Object.fromEntries(clock.seconds())).toEqual({ poll: 2, transform: 0, convert: 0, produce: 0 })
  vi.advanceTimersByTime(500)
  clock.enter(null)
  vi.advanceTimersByTime(5000)
  clock.enter('produce')
  vi.advanceTimersByTime(250)
  expect(Object.fromEntries(clock.seconds())).toEqual({ poll: 2.5, transform: 0, convert: 0, produce: 0.25 })
})

test('the time of `process` is divided into transform and convert, in the ratio that was measured for the timed records', () => {
  const clock = new StageClock(SOURCE_STAGES)
  expect(Array.from({ length: 129 }, () => clock.shouldTime).filter(Boolean)).toHaveLength(3)
  clock.timed(3, 1)
  clock.enter('process')
  vi.advanceTimersByTime(4000)
  expect(Object.fromEntries(clock.seconds())).toEqual({ poll: 0, transform: 3, convert: 1, produce: 0 })
  // A later estimate must not change the time that has already been counted.
  clock.timed(0, 96)
  expect(Object.fromEntries(clock.seconds())).toEqual({ poll: 0, transform: 3, convert: 1, produce: 0 })
})

test('without transformations, the whole time of `process` counts as convert', () => {
  const clock = new StageClock(SOURCE_STAGES)
  clock.enter('process')
  vi.advanceTimersByTime(1000)
  clock.enter(null)
  expect(Object.fromEntries(clock.seconds())).toEqual({ poll: 0, transform: 0, convert: 1, produce: 0 })
})
