import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import type { ConsumerRecord } from '../types.ts'
import { AssignedPartition, type FetchPosition } from './assigned-partition.ts'
import { Chunk, endOfWholeBatches } from './chunk.ts'

/** A record of the simulated log. A marker is a control record, which readers skip. */
interface Entry {
  readonly epoch: number
  readonly value: string
  readonly marker: boolean
}

/** The log of a partition's leader, with Kafka's response to OffsetForLeaderEpoch. */
class SimLeader {
  epoch = 0
  log: Entry[] = []
  #written = 0

  write(marker = false): void {
    this.log.push({ epoch: this.epoch, value: String(this.#written++), marker })
  }

  /** Elects a new leader, whose log lacks the last `lost` records. */
  fail(lost: number): void {
    this.log = this.log.slice(0, Math.max(0, this.log.length - lost))
    this.epoch++
  }

  endOf(epoch: number): { leaderEpoch: number; endOffset: number } {
    if (epoch === this.epoch) return { leaderEpoch: epoch, endOffset: this.log.length }
    const at = this.log.findIndex(e => e.epoch > epoch)
    const endOffset = at < 0 ? this.log.length : at
    return { leaderEpoch: endOffset === 0 ? epoch : this.log[endOffset - 1]!.epoch, endOffset }
  }

  fetch(offset: number, max: number): Buffer {
    const batches = this.log.slice(offset, offset + max).map(({ epoch, value, marker }, i) => {
      const control = { transactional: true, control: true, producerId: 1, epoch: 0 }
      const builder = new RecordBatchBuilder({
        baseOffset: offset + i,
        leaderEpoch: epoch,
        ...(marker ? control : {}),
      })
      if (marker) builder.append(Buffer.from([0, 0, 0, 1]), Buffer.alloc(6), 1)
      else builder.append(null, Buffer.from(value), 1)
      return builder.build()
    })
    return Buffer.concat(batches)
  }
}

/** A consumer of the simulated log. The test decides when the responses to its requests arrive. */
class SimConsumer {
  readonly partition = new AssignedPartition('t', 0)
  /** The records that `poll` has returned, by offset. */
  readonly read = new Map<number, Entry | undefined>()
  #known = 0
  #fetching: { round: number; offset: number; bytes: Buffer } | null = null
  #asked: { at: FetchPosition; answer: { leaderEpoch: number; endOffset: number } } | null = null
  readonly #leader: SimLeader

  constructor(leader: SimLeader) {
    this.#leader = leader
    this.partition.seek(0)
  }

  learnOfLeader(): void {
    this.#known = this.#leader.epoch
  }

  sendFetch(max: number): void {
    const p = this.partition
    p.leaderIs(this.#known)
    if (this.#fetching || p.position === null || !p.wantsMore || this.#known !== this.#leader.epoch) return
    this.#fetching = { round: p.round, offset: p.fetchOffset, bytes: this.#leader.fetch(p.fetchOffset, max) }
  }

  fetched(): void {
    const f = this.#fetching
    this.#fetching = null
    const p = this.partition
    if (!f || p.round !== f.round || p.fetchOffset !== f.offset || f.bytes.length === 0) return
    p.buffer(new Chunk('t', 0, f.bytes, null, true), endOfWholeBatches(f.bytes))
  }

  askToValidate(): void {
    const p = this.partition
    p.leaderIs(this.#known)
    const at = p.unvalidated
    if (this.#asked || at === null || at.leaderEpoch !== this.#leader.epoch) return
    this.#asked = { at, answer: this.#leader.endOf(at.offsetEpoch) }
  }

  answered(): void {
    const asked = this.#asked
    this.#asked = null
    if (!asked) return
    const outcome = this.partition.validated(asked.at, asked.answer)
    if (outcome.kind !== 'truncated') return
    // Check that the truncation is real. Within an epoch, each offset is written only once, so a
    // different epoch at this offset means a different record.
    expect(this.#leader.log[asked.at.offset - 1]?.epoch).not.toBe(asked.at.offsetEpoch)
    expect(outcome.end).not.toBeNull()
    this.partition.seek(outcome.end!.offset, outcome.end!.epoch, asked.at.leaderEpoch)
  }

  poll(max: number): number {
    this.partition.leaderIs(this.#known)
    const out: ConsumerRecord[] = []
    const from = this.partition.position?.offset
    this.partition.take(max, out)
    for (const r of out) {
      this.read.set(r.offset, { epoch: r.leaderEpoch, value: String(r.value), marker: false })
    }
    const to = this.partition.position?.offset
    for (let at = from ?? 0; at < (to ?? 0); at++) {
      if (!out.some(r => r.offset === at)) this.read.set(at, { epoch: -1, value: '', marker: true })
    }
    return out.length
  }
}

type Step = (leader: SimLeader, consumer: SimConsumer) => void

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>(l => l.write()) },
  { weight: 1, arbitrary: fc.constant<Step>(l => l.write(true)) },
  { weight: 1, arbitrary: fc.nat({ max: 3 }).map<Step>(lost => l => l.fail(lost)) },
  { weight: 2, arbitrary: fc.constant<Step>((_, c) => c.learnOfLeader()) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }).map<Step>(max => (_, c) => c.sendFetch(max)) },
  { weight: 3, arbitrary: fc.constant<Step>((_, c) => c.fetched()) },
  { weight: 2, arbitrary: fc.constant<Step>((_, c) => c.askToValidate()) },
  { weight: 2, arbitrary: fc.constant<Step>((_, c) => c.answered()) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }).map<Step>(max => (_, c) => c.poll(max) > 0) },
)

test('after any sequence of polls, responses and leader changes, the consumer reads all records of the last leader', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const leader = new SimLeader()
      const consumer = new SimConsumer(leader)
      for (const run of steps) run(leader, consumer)
      for (let i = 0; i < 2 * leader.log.length + 10; i++) {
        consumer.learnOfLeader()
        consumer.answered()
        consumer.askToValidate()
        consumer.answered()
        consumer.fetched()
        consumer.sendFetch(3)
        consumer.fetched()
        consumer.poll(10)
      }
      const position = consumer.partition.position?.offset
      expect(position).toBe(leader.log.length)
      const values = leader.log.map((_, offset) => consumer.read.get(offset))
      expect(values.map(e => (e?.marker ? 'marker' : e?.value))).toEqual(
        leader.log.map(e => (e.marker ? 'marker' : e.value)),
      )
    }),
    { numRuns: 3000 },
  )
})

test('records fetched before a leader change are not returned while the position is validated', () => {
  const leader = new SimLeader()
  const consumer = new SimConsumer(leader)
  for (let i = 0; i < 4; i++) leader.write()
  consumer.sendFetch(4)
  consumer.fetched()
  expect(consumer.poll(1)).toBe(1)
  leader.fail(0)
  consumer.learnOfLeader()
  consumer.askToValidate()
  expect(consumer.poll(10)).toBe(0)
  consumer.answered()
  expect(consumer.partition.position).toEqual({ offset: 1, offsetEpoch: 0, leaderEpoch: 1 })
})

test('a validation response is ignored if the position has changed', () => {
  const p = new AssignedPartition('t', 0)
  p.seekUnvalidated(10, 3, 4)
  const first = p.unvalidated!
  p.seekUnvalidated(20, 4, 5)
  expect(p.validated(first, { leaderEpoch: 3, endOffset: 5 })).toEqual({ kind: 'outdated' })
  expect(p.unvalidated).toEqual({ offset: 20, offsetEpoch: 4, leaderEpoch: 5 })
  expect(p.validated(p.unvalidated!, { leaderEpoch: 4, endOffset: 20 })).toEqual({ kind: 'valid' })
})

test('the log counts as truncated if the leader does not know the epoch of the position', () => {
  const p = new AssignedPartition('t', 0)
  p.seekUnvalidated(10, 3, 4)
  expect(p.validated(p.unvalidated!, { leaderEpoch: -1, endOffset: -1 })).toEqual({ kind: 'truncated', end: null })
  // Nothing is read until the caller decides where to continue.
  expect(p.position).toBeNull()
})
