import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProducerBatch } from './batch.ts'
import { nextSequence, type ProducerIdentity, Sequences } from './sequences.ts'

const FIRST: ProducerIdentity = { producerId: 1, epoch: 0 }

function batch(count: number): ProducerBatch {
  const b = new ProducerBatch('none', 0)
  for (let i = 0; i < count; i++) b.append(null, Buffer.from('v'), 1, undefined, 1, undefined, i)
  return b
}

/** Sends a batch: what the sender does with an idempotent producer. */
function send(s: Sequences, b: ProducerBatch, identity = FIRST): ProducerBatch {
  expect(s.maySend(b, identity)).toBe(true)
  s.assign(b, identity)
  b.onWire = true
  b.encode()
  return b
}

function ack(s: Sequences, b: ProducerBatch): void {
  b.onWire = false
  s.acked(b)
}

test('sequences start at 0, count records, and wrap after 2^31 - 1', () => {
  const s = new Sequences()
  const a = send(s, batch(3))
  ack(s, a)
  const b = send(s, batch(2))
  expect([a.sequence, b.sequence, s.next]).toEqual([0, 3, 5])
  expect(nextSequence(2 ** 31 - 1, 1)).toBe(0)
  expect(nextSequence(2 ** 31 - 2, 5)).toBe(3)
})

test('the first batch of an epoch goes alone; after its ack up to five may be on their way', () => {
  const s = new Sequences()
  const a = send(s, batch(1))
  expect(s.maySend(batch(1), FIRST)).toBe(false)
  ack(s, a)
  for (let i = 0; i < 5; i++) send(s, batch(1))
  expect(s.maySend(batch(1), FIRST)).toBe(false)
})

test('retries go one at a time, the oldest first', () => {
  const s = new Sequences()
  ack(s, send(s, batch(1)))
  const [a, b] = [send(s, batch(1)), send(s, batch(1))]
  a.onWire = false
  expect(s.maySend(a, FIRST)).toBe(false)
  b.onWire = false
  expect(s.maySend(b, FIRST)).toBe(false)
  expect(s.maySend(a, FIRST)).toBe(true)
})

test('a batch that was refused leaves no gap', () => {
  const s = new Sequences()
  ack(s, send(s, batch(2)))
  const [a, b] = [send(s, batch(3)), send(s, batch(4))]
  a.onWire = false
  s.refused(a)
  expect([b.sequence, s.next, b.renumbered]).toEqual([2, 6, true])
  b.encode()
  expect(b.renumbered).toBe(false)
})

test('a batch with an unknown fate stops new ones, until a later one is acknowledged or the epoch changes', () => {
  const s = new Sequences()
  ack(s, send(s, batch(1)))
  const [a, b] = [send(s, batch(1)), send(s, batch(1))]
  a.onWire = false
  s.abandoned(a)
  expect(s.maySend(batch(1), FIRST)).toBe(false)
  expect(s.awaitsReset).toBe(false)
  ack(s, b)
  expect(s.maySend(batch(1), FIRST)).toBe(true)
  const c = send(s, batch(1))
  c.onWire = false
  s.abandoned(c)
  expect(s.awaitsReset).toBe(true)
  s.reset({ producerId: 1, epoch: 1 })
  expect(send(s, batch(1), { producerId: 1, epoch: 1 }).sequence).toBe(0)
})

test('a reset numbers what is pending anew, in order', () => {
  const s = new Sequences()
  ack(s, send(s, batch(1)))
  const [a, b] = [send(s, batch(2)), send(s, batch(3))]
  s.mustReset = true
  expect(s.awaitsReset).toBe(false)
  a.onWire = false
  b.onWire = false
  expect(s.awaitsReset).toBe(true)
  s.reset({ producerId: 1, epoch: 7 })
  expect([a, b].map(x => [x.producerEpoch, x.sequence])).toEqual([
    [7, 0],
    [7, 2],
  ])
  expect(s.next).toBe(5)
})

test('an ack of a batch under a number that it has lost since calls for a new epoch', () => {
  const s = new Sequences()
  ack(s, send(s, batch(1)))
  const [a, b] = [send(s, batch(2)), send(s, batch(3))]
  a.onWire = false
  s.refused(a)
  ack(s, b)
  expect(s.mustReset).toBe(true)
})

test('in any history the pending batches are numbered without gaps from the one after the last that is settled', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('send' as const), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ kind: fc.constantFrom('ack' as const, 'refuse' as const), count: fc.constant(0) }),
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
          first.onWire = false
          first.encode()
          if (e.kind === 'ack') {
            settled += first.count
            s.acked(first)
          } else s.refused(first)
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
