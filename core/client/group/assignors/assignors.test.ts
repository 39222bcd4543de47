import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inHashOrder, javaStringHash } from '../../../common/java-hash-map.ts'
import type { AssignorName, TopicPartition } from '../../types.ts'
import type { GroupAssignment, MemberSubscription } from './assignor.ts'
import { assignors } from './index.ts'
import { decodeStickyUserData, encodeStickyUserData } from './sticky-user-data.ts'

function member(topics: readonly string[], more: Partial<MemberSubscription> = {}): MemberSubscription {
  return { topics, userData: null, ownedPartitions: [], generationId: -1, rackId: null, groupInstanceId: null, ...more }
}
const show = (a: GroupAssignment) =>
  Object.fromEntries([...a].map(([id, list]) => [id, list.map(p => p.topic + p.partition).join(' ')]))
const counts = (c: Record<string, number>) => new Map(Object.entries(c))

test('range divides every topic into ranges, and the first members get one partition more (the example in the Javadoc of RangeAssignor)', () => {
  const members = new Map([
    ['C1', member(['t', 'u'])],
    ['C0', member(['t', 'u'])],
  ])
  expect(show(assignors.range.assign(counts({ t: 3, u: 3 }), members))).toEqual({ C0: 't0 t1 u0 u1', C1: 't2 u2' })
})

test('range assigns partitions to static members first, in the order of their instance ids', () => {
  const members = new Map([
    ['a', member(['t'])],
    ['z', member(['t'], { groupInstanceId: 'i2' })],
    ['y', member(['t'], { groupInstanceId: 'i1' })],
  ])
  expect(show(assignors.range.assign(counts({ t: 3 }), members))).toEqual({ y: 't0', z: 't1', a: 't2' })
})

test('roundrobin assigns partitions in rotation, and skips members that have not subscribed to the topic', () => {
  const members = new Map([
    ['C0', member(['t0'])],
    ['C1', member(['t0', 't1'])],
    ['C2', member(['t0', 't1', 't2'])],
  ])
  const assigned = assignors.roundrobin.assign(counts({ t0: 1, t1: 2, t2: 3 }), members)
  expect(show(assigned)).toEqual({ C0: 't00', C1: 't10', C2: 't11 t20 t21 t22' })
})

test('cooperative-sticky revokes a partition in one rebalance and assigns it in the next', () => {
  const all = [0, 1, 2, 3].map(partition => ({ topic: 't', partition }))
  const round1 = assignors['cooperative-sticky'].assign(
    counts({ t: 4 }),
    new Map([
      ['a', member(['t'], { ownedPartitions: all, generationId: 1 })],
      ['b', member(['t'])],
    ]),
  )
  expect(show(round1)).toEqual({ a: 't0 t1', b: '' })
  const round2 = assignors['cooperative-sticky'].assign(
    counts({ t: 4 }),
    new Map([
      ['a', member(['t'], { ownedPartitions: round1.get('a')!, generationId: 2 })],
      ['b', member(['t'], { generationId: 2 })],
    ]),
  )
  expect(show(round2)).toEqual({ a: 't0 t1', b: 't2 t3' })
})

const group = fc.record({
  counts: fc.dictionary(fc.constantFrom('t', 'u', 'v', 'w'), fc.integer({ min: 1, max: 8 }), { minKeys: 1 }),
  members: fc.uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 4 }),
      topics: fc.uniqueArray(fc.constantFrom('t', 'u', 'v', 'w', 'missing'), { minLength: 1 }),
    }),
    { minLength: 1, maxLength: 10, selector: m => m.id },
  ),
})

test.for<AssignorName>(['range', 'roundrobin', 'sticky', 'cooperative-sticky'])(
  '%s assigns every partition to exactly one member that has subscribed to the topic',
  name => {
    fc.assert(
      fc.property(group, g => {
        const members = new Map(g.members.map(m => [m.id, member(m.topics)]))
        const assigned = assignors[name].assign(counts(g.counts), members)
        expect([...assigned.keys()].sort()).toEqual([...members.keys()].sort())
        const given: string[] = []
        for (const [id, list] of assigned) {
          for (const p of list) {
            expect(members.get(id)!.topics.some(t => t === p.topic)).toBe(true)
            given.push(p.topic + p.partition)
          }
        }
        const wanted = Object.entries(g.counts).filter(([t]) => g.members.some(m => m.topics.some(x => x === t)))
        const all = wanted.flatMap(([t, n]) => Array.from({ length: n }, (_, i) => t + i))
        expect(given.sort()).toEqual(all.sort())
      }),
    )
  },
)

test('sticky keeps the partitions of the remaining members when a member leaves, and the assignment is balanced', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 2, max: 6 }), (partitions, size) => {
      const ids = Array.from({ length: size }, (_, i) => `m${i}`)
      const before = assignors.sticky.assign(counts({ t: partitions }), new Map(ids.map(id => [id, member(['t'])])))
      const remember = (id: string) =>
        member(['t'], { userData: encodeStickyUserData(before.get(id)!, 1), generationId: 1 })
      const after = assignors.sticky.assign(
        counts({ t: partitions }),
        new Map(ids.slice(1).map(id => [id, remember(id)])),
      )
      for (const id of ids.slice(1)) {
        const now = new Set(after.get(id)!.map(p => p.partition))
        for (const p of before.get(id)!) expect(now.has(p.partition)).toBe(true)
      }
      const sizes = [...after.values()].map(l => l.length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
  )
})

test('the user data of sticky contains no version number, and decoding invalid user data does not fail', () => {
  const owned: TopicPartition[] = [
    { topic: 'tä', partition: 1 },
    { topic: 'tä', partition: 3 },
    { topic: 'u', partition: 0 },
  ]
  expect(decodeStickyUserData(encodeStickyUserData(owned, 7))).toEqual({ partitions: owned, generation: 7 })
  expect(encodeStickyUserData([{ topic: 't', partition: 2 }], 5).toString('hex')).toBe(
    '000000010001740000000100000002' + '00000005',
  )
  expect(decodeStickyUserData(null)).toEqual({ partitions: [], generation: null })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
      const { partitions } = decodeStickyUserData(Buffer.from(bytes))
      expect(Array.isArray(partitions)).toBe(true)
    }),
  )
})

test("inHashOrder returns keys in the order of Java's HashMap", () => {
  expect(javaStringHash('hello')).toBe(99162322)
  // The expected order is that of `new HashSet<>(List.of("banana", "apple", "cherry", "date",
  // "elderberry"))`.
  expect(inHashOrder(['banana', 'apple', 'cherry', 'date', 'elderberry'], javaStringHash)).toEqual([
    'banana',
    'date',
    'apple',
    'cherry',
    'elderberry',
  ])
})
