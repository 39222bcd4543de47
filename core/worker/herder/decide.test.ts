import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Actual, type Desired, decide, wakeAt } from './decide.ts'

const failure = { message: 'm', trace: 't', retriable: true }
const desired: fc.Arbitrary<Desired> = fc.record({
  run: fc.boolean(),
  paused: fc.boolean(),
  revision: fc.nat(2),
  restarts: fc.nat(1),
})
const phase = fc.constantFrom('queued', 'starting', 'running', 'paused', 'pausing', 'resuming', 'stopping')
const actual: fc.Arbitrary<Actual> = fc.oneof(
  fc.record({ phase, revision: fc.nat(2), restarts: fc.nat(1) }) as fc.Arbitrary<Actual>,
  fc.record({
    phase: fc.constant('down' as const),
    failed: fc.option(fc.record({ failure: fc.constant(failure), retryAt: fc.option(fc.nat(100)) })),
    revision: fc.nat(2),
    restarts: fc.nat(1),
  }),
)

test('a unit is started only if it is down, and is stopped, paused or resumed only if it is not down', () => {
  fc.assert(
    fc.property(desired, actual, fc.nat(100), (d, a, now) => {
      const step = decide(d, a, now)
      if (step === 'start') expect(a.phase).toBe('down')
      else if (step !== null) expect(['down', 'stopping']).not.toContain(a.phase)
      if (a.phase === 'stopping') expect(step).toBe(null)
    }),
  )
})

test('a unit that should not run is never started, and is stopped unless it is down or stopping', () => {
  fc.assert(
    fc.property(desired, actual, fc.nat(100), (d, a, now) => {
      const step = decide({ ...d, run: false }, a, now)
      expect(step).toBe(a.phase === 'down' || a.phase === 'stopping' ? null : 'stop')
    }),
  )
})

test('a failed unit restarts only at its retry time, after a new configuration or after a restart request', () => {
  fc.assert(
    fc.property(desired, fc.option(fc.nat(100)), fc.nat(100), (d, retryAt, now) => {
      const a: Actual = { phase: 'down', failed: { failure, retryAt }, revision: d.revision, restarts: d.restarts }
      const due = retryAt !== null && now >= retryAt
      expect(decide(d, a, now)).toBe(d.run && due ? 'start' : null)
      expect(wakeAt(d, a)).toBe(d.run ? retryAt : null)
      expect(decide({ ...d, run: true, revision: d.revision + 1 }, a, now)).toBe('start')
      expect(decide({ ...d, run: true, restarts: d.restarts + 1 }, a, now)).toBe('start')
    }),
  )
})

test('a unit that is running or paused with the current configuration is only paused or resumed', () => {
  fc.assert(
    fc.property(desired, fc.constantFrom('running', 'paused'), fc.nat(100), (d, at, now) => {
      const a = { phase: at, revision: d.revision, restarts: d.restarts } as Actual
      const step = decide({ ...d, run: true }, a, now)
      expect(step).toBe(at === 'running' ? (d.paused ? 'pause' : null) : d.paused ? null : 'resume')
    }),
  )
})
