import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SourceRecord } from '../../../connect/record.ts'
import { SubmittedRecords } from './submitted-records.ts'

function record(partition: string, n: number): SourceRecord {
  return {
    sourcePartition: { p: partition },
    sourceOffset: { n },
    topic: 't',
    partition: null,
    keySchema: null,
    key: null,
    valueSchema: null,
    value: n,
    timestamp: null,
    headers: [],
  }
}

test('an offset can be committed only when all earlier records of its partition are done', () => {
  const submitted = new SubmittedRecords(16)
  const a = submitted.add(record('x', 1))
  const b = submitted.add(record('x', 2))
  const c = submitted.add(record('y', 7))
  submitted.done(b, null)
  submitted.done(c, null)
  expect(submitted.takeCommittable()).toEqual([[{ p: 'y' }, { n: 7 }]])
  submitted.done(a, null)
  expect(submitted.takeCommittable()).toEqual([[{ p: 'x' }, { n: 2 }]])
  expect(submitted.takeCommittable()).toEqual([])
  expect(submitted.outstanding).toBe(0)
})

test('after a failed commit, the next commit contains the newest offset of the partition', () => {
  const submitted = new SubmittedRecords(16)
  submitted.done(submitted.add(record('x', 1)), null)
  const taken = submitted.takeCommittable()
  submitted.done(submitted.add(record('x', 2)), null)
  submitted.restore(taken)
  expect(submitted.takeCommittable()).toEqual([[{ p: 'x' }, { n: 2 }]])
})

test('a source partition is removed when its offset is taken, and is added again if the commit fails', () => {
  const submitted = new SubmittedRecords(16)
  for (let n = 0; n < 1000; n++) {
    submitted.done(submitted.add(record(`file ${n}`, 1)), null)
    submitted.removeLast(submitted.add(record(`rejected ${n}`, 1)))
    expect(submitted.takeCommittable()).toHaveLength(1)
  }
  expect(submitted.partitions).toBe(0)
  const held = submitted.add(record('x', 1))
  submitted.done(submitted.add(record('y', 1)), null)
  const taken = submitted.takeCommittable()
  expect(submitted.partitions).toBe(1)
  submitted.restore(taken)
  submitted.done(held, null)
  const again = submitted.takeCommittable()
  expect(again).toHaveLength(2)
  expect(again).toContainEqual([{ p: 'x' }, { n: 1 }])
  expect(again).toContainEqual([{ p: 'y' }, { n: 1 }])
  const newer = submitted.add(record('y', 2))
  submitted.restore(again)
  submitted.done(newer, null)
  expect(submitted.takeCommittable()).toContainEqual([{ p: 'y' }, { n: 2 }])
  expect(submitted.partitions).toBe(0)
})

test('a record that was removed does not affect later offsets', () => {
  const submitted = new SubmittedRecords(4)
  submitted.done(submitted.add(record('x', 1)), null)
  submitted.removeLast(submitted.add(record('x', 2)))
  submitted.done(submitted.add(record('x', 3)), null)
  expect(submitted.takeCommittable()).toEqual([[{ p: 'x' }, { n: 3 }]])
})

test('each partition stays in order when the ring wraps around many times', () => {
  const submitted = new SubmittedRecords(4)
  let expected = -1
  for (let n = 0; n < 100; n++) {
    const a = submitted.add(record('x', 2 * n))
    const other = submitted.add(record('y', n))
    const b = submitted.add(record('x', 2 * n + 1))
    submitted.done(b, null)
    submitted.done(other, null)
    expect(submitted.takeCommittable()).toEqual([[{ p: 'y' }, { n }]])
    submitted.done(a, null)
    expect(submitted.takeCommittable()).toEqual([[{ p: 'x' }, { n: 2 * n + 1 }]])
    const completed = submitted.takeCompleted().records.filter(r => r.sourcePartition?.['p'] === 'x')
    for (const { value } of completed) expect(value).toBe(++expected)
  }
  expect(submitted.outstanding).toBe(0)
  expect(submitted.full).toBe(false)
})

test('the ring is full when it contains `capacity` records, even if only the oldest is unfinished', () => {
  const submitted = new SubmittedRecords(4)
  const first = submitted.add(record('x', 0))
  for (let n = 1; n < 4; n++) submitted.done(submitted.add(record('y', n)), null)
  expect(submitted.full).toBe(true)
  submitted.done(first, null)
  expect(submitted.full).toBe(false)
})

test('in any order of acknowledgements, all offsets are committed in order and never pass an unacknowledged record', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ partition: fc.constantFrom('a', 'b', 'c'), priority: fc.nat(1000) }), { maxLength: 80 }),
      fc.nat(5),
      (plan, commitEvery) => {
        const submitted = new SubmittedRecords(128)
        const tokens = plan.map((step, n) => ({ ...step, n, token: submitted.add(record(step.partition, n)) }))
        const acked = new Set<number>()
        const committed = new Map<string, number>()
        const completed: SourceRecord[] = []
        const check = () => {
          for (const [partition, offset] of submitted.takeCommittable()) {
            const p = String(partition['p'])
            const n = Number(offset['n'])
            for (const t of tokens) if (t.partition === p && t.n <= n) expect(acked.has(t.n)).toBe(true)
            expect(n).toBeGreaterThan(committed.get(p) ?? -1)
            committed.set(p, n)
          }
          completed.push(...submitted.takeCompleted().records)
        }
        const order = [...tokens].sort((a, b) => a.priority - b.priority)
        order.forEach(({ token, n }, i) => {
          acked.add(n)
          submitted.done(token, null)
          if (commitEvery > 0 && i % commitEvery === 0) check()
        })
        check()
        for (const p of ['a', 'b', 'c']) {
          const own = tokens.filter(t => t.partition === p)
          expect(committed.get(p) ?? -1).toBe(own.at(-1)?.n ?? -1)
          expect(completed.filter(r => r.sourcePartition?.['p'] === p).map(r => r.value)).toEqual(own.map(t => t.n))
        }
      },
    ),
  )
})
