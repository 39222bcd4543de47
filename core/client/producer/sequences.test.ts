import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProducerBatch } from './batch.ts'
import { nextSequence, type ProducerIdentity } from './sequence-numbers.ts'
import { Sequences } from './sequences.ts'

const FIRST: ProducerIdentity = { producerId: 1, epoch: 0 }

function batch(count: number): ProducerBatch {
  const b = new ProducerBatch({ topic: 't', partition: 0, compression: 'none', createdAt: 0 })
  const record = { key: null, value: Buffer.from('v') }
  for (let i = 0; i < count; i++) b.append(record, 1, 1, undefined, i)
  return b
}

/** Assigns a sequence and starts an attempt, as the sender of an idempotent producer does. */
function send(s: Sequences, b: ProducerBatch, identity = FIRST): ProducerBatch {
  expect(s.maySend(b, identity)).toBe(true)
  s.assign(b, identity)
  b.startAttempt()
  b.encode()
  return b
}

function acknowledge(s: Sequences, b: ProducerBatch): void {
  b.endAttempt()
  s.acknowledged(b)
}

function reject(s: Sequences, b: ProducerBatch): void {
  b.endAttempt()
  s.rejected(b)
}

function abandon(s: Sequences, b: ProducerBatch): void {
  b.endAttempt()
  s.abandoned(b)
}

test('sequences start at 0, increase by one per record, and wrap after 2^31 - 1', () => {
  const s = new Sequences()
  const a = send(s, batch(3))
  acknowledge(s, a)
  const b = send(s, batch(2))
  expect([a.sequence, b.sequence, s.next]).toEqual([0, 3, 5])
  expect(nextSequence(2 ** 31 - 1, 1)).toBe(0)
  expect(nextSequence(2 ** 31 - 2, 5)).toBe(3)
})

test('the first batch of an epoch is sent alone, and after its acknowledgement five batches may be in flight', () => {
  const s = new Sequences()
  const a = send(s, batch(1))
  expect(s.maySend(batch(1), FIRST)).toBe(false)
  acknowledge(s, a)
  for (let i = 0; i < 5; i++) send(s, batch(1))
  expect(s.maySend(batch(1), FIRST)).toBe(false)
})

test('batches are retried one at a time, starting with the oldest', () => {
  const s = new Sequences()
  acknowledge(s, send(s, batch(1)))
  const [a, b] = [send(s, batch(1)), send(s, batch(1))]
  a.endAttempt()
  expect(s.maySend(a, FIRST)).toBe(false)
  b.endAttempt()
  expect(s.maySend(b, FIRST)).toBe(false)
  expect(s.maySend(a, FIRST)).toBe(true)
})

test('later batches take over the sequences of a rejected batch', () => {
  const s = new Sequences()
  acknowledge(s, send(s, batch(2)))
  const [a, b] = [send(s, batch(3)), send(s, batch(4))]
  reject(s, a)
  expect([b.sequence, s.next, b.isRenumbered]).toEqual([2, 6, true])
  b.encode()
  expect(b.isRenumbered).toBe(false)
})

test('after an abandoned batch, no new batch is sent until a later batch is acknowledged or the epoch changes', () => {
  const s = new Sequences()
  acknowledge(s, send(s, batch(1)))
  const [a, b] = [send(s, batch(1)), send(s, batch(1))]
  abandon(s, a)
  expect(s.maySend(batch(1), FIRST)).toBe(false)
  expect(s.canReset).toBe(false)
  acknowledge(s, b)
  expect(s.maySend(batch(1), FIRST)).toBe(true)
  abandon(s, send(s, batch(1)))
  expect(s.canReset).toBe(true)
  s.reset({ producerId: 1, epoch: 1 })
  expect(send(s, batch(1), { producerId: 1, epoch: 1 }).sequence).toBe(0)
})

test('after a reset, pending batches have new sequences in the same order', () => {
  const s = new Sequences()
  acknowledge(s, send(s, batch(1)))
  const [a, b] = [send(s, batch(2)), send(s, batch(3))]
  s.requestReset()
  expect(s.canReset).toBe(false)
  a.endAttempt()
  b.endAttempt()
  expect(s.canReset).toBe(true)
  s.reset({ producerId: 1, epoch: 7 })
  expect([a, b].map(x => [x.identity.epoch, x.sequence])).toEqual([
    [7, 0],
    [7, 2],
  ])
  expect(s.next).toBe(5)
})

test('the acknowledgement of a batch under its old sequence requests a new epoch', () => {
  const s = new Sequences()
  acknowledge(s, send(s, batch(1)))
  const [a, b] = [send(s, batch(2)), send(s, batch(3))]
  reject(s, a)
  acknowledge(s, b)
  expect(s.needsReset).toBe(true)
})

test('the parts that replace a batch share its sequences', () => {
  const s = new Sequences()
  acknowledge(s, send(s, batch(1)))
  const [a, b] = [send(s, batch(5)), send(s, batch(1))]
  const parts = [batch(2), batch(3)]
  s.replace(a, parts)
  expect([...parts, b].map(x => x.sequence)).toEqual([1, 3, 6])
  expect(s.pending).toEqual([...parts, b])
})

test('the sequences of pending batches never have gaps', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('send' as const), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ kind: fc.constantFrom('acknowledge' as const, 'reject' as const), count: fc.constant(0) }),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), events => {
      const s = new Sequences()
      let settled = 0
      for (const e of events) {
        const first = s.pending[0]
        if (e.kind === 'send') {
          const b = batch(e.count)
          if (s.maySend(b, FIRST)) send(s, b)
        } else if (first) {
          first.encode()
          if (e.kind === 'acknowledge') {
            settled += first.count
            acknowledge(s, first)
          } else reject(s, first)
        }
        let expected = settled
        for (const b of s.pending) {
          expect(b.sequence).toBe(expected)
          expected += b.count
        }
        expect(s.next).toBe(expected)
      }
    }),
  )
})
