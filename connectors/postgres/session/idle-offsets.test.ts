import { expect, test } from 'vitest'
import type { FlushMode } from '../stream/position.ts'
import { type Idle, IdleOffsets } from './idle-offsets.ts'

const idle = (more: Partial<Idle>): Idle => ({ read: 20, confirmable: 10, flushed: 10, now: 1000, ...more })

test.each<[string, FlushMode, Partial<Idle>, boolean, ReturnType<IdleOffsets['decide']>]>([
  ['an offset past WAL without captured changes is due', 'connector_and_driver', {}, false, 'advance'],
  ['no offset is due inside a transaction', 'connector_and_driver', { read: null }, true, null],
  ['no offset is due if nothing was read past the last record', 'connector_and_driver', { read: 10 }, false, null],
  ['no offset is due with lsn.flush.mode=connector', 'connector', {}, false, null],
  ['on request, an offset after the last transaction is due', 'connector', { flushed: 5 }, true, 'commit'],
  ['without a request, no offset after the last transaction is due', 'connector', { flushed: 5 }, false, null],
  ['on request, no offset is due if the slot is already confirmed', 'connector', {}, true, null],
  ['no offset is due with lsn.flush.mode=manual, even on request', 'manual', { flushed: 5 }, true, null],
])('%s', (_, mode, at, isRequested, expected) => {
  expect(new IdleOffsets(mode, 100).decide(idle(at), isRequested)).toBe(expected)
})

test('an offset without a record is due once per interval, or immediately on request', () => {
  const offsets = new IdleOffsets('connector_and_driver', 100)
  expect(offsets.wait(idle({}))).toBe(0)
  expect(offsets.decide(idle({}), false)).toBe('advance')
  expect(offsets.wait(idle({ now: 1030 }))).toBe(70)
  expect(offsets.decide(idle({ now: 1030 }), false)).toBeNull()
  expect(offsets.decide(idle({ now: 1030 }), true)).toBe('advance')
  expect(offsets.decide(idle({ now: 1130 }), false)).toBe('advance')
  expect(offsets.wait(idle({ read: 10 }))).toBe(Number.POSITIVE_INFINITY)
})

test('the commit of a position is requested only once', () => {
  const offsets = new IdleOffsets('connector', 100)
  const at = idle({ flushed: 5 })
  expect(offsets.decide(at, true)).toBe('commit')
  expect(offsets.decide(at, true)).toBeNull()
  expect(offsets.decide({ ...at, confirmable: 11 }, true)).toBe('commit')
})
