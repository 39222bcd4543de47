import { expect, test } from 'vitest'
import { restartDelay, restartPolicy, traceWith, waitingTrace } from './restart-policy.ts'

const retriable = { retriable: true }
const fatal = { retriable: false }

test('by default, only retriable failures cause a restart, and the delay doubles up to one minute', () => {
  const policy = restartPolicy({})
  expect([0, 1, 5, 6, 60].map(n => restartDelay(policy, retriable, n, 0.5))).toEqual([1000, 2000, 32000, 60000, 60000])
  expect(restartDelay(policy, fatal, 0, 0)).toBe(null)
  expect([0, 1].map(random => restartDelay(policy, retriable, 0, random))).toEqual([800, 1200])
})

test('the policy uses the configuration, and replaces invalid values with the defaults', () => {
  expect(restartDelay(restartPolicy({ 'errors.restart.policy': 'all' }), fatal, 0, 0.5)).toBe(1000)
  expect(restartDelay(restartPolicy({ 'errors.restart.policy': 'none' }), retriable, 0, 0)).toBe(null)
  const two = restartPolicy({ 'errors.restart.max': '2', 'errors.restart.delay.ms': '7' })
  expect([0, 1, 2].map(n => restartDelay(two, retriable, n, 0.5))).toEqual([7, 14, null])
  expect(restartPolicy({ 'errors.restart.policy': ' none ' }).policy).toBe('none')
  expect(restartPolicy({ 'errors.restart.policy': '?', 'errors.restart.delay.ms': 'x' })).toEqual(restartPolicy({}))
})

test('the trace shows the time of the next restart', () => {
  const failure = { message: 'm', trace: 'Error: m\n at x', retriable: true }
  expect(traceWith(failure, null, 0)).toBe(failure.trace)
  expect(traceWith(failure, 0, 2)).toContain('restarts automatically at 1970-01-01T00:00:00.000Z, restart 3')
})

test('a retry time that is not a valid date is not shown', () => {
  const failure = { message: 'm', trace: 't', retriable: true }
  expect(traceWith(failure, 2 ** 63, 0)).toBe(failure.trace)
  expect(waitingTrace('m', Number.NaN)).toBe('m')
  expect(waitingTrace('m', 0)).toBe('m\n(retries automatically at 1970-01-01T00:00:00.000Z)')
})
