import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import type { ConsumerRecord } from '../types.ts'
import { Chunk, endOfWholeBatches } from './chunk.ts'

interface Spec {
  readonly offset: number
  readonly values: readonly string[]
  readonly producerId?: number
  readonly transactional?: boolean
  /** If present, the batch is a control batch, which ends a transaction. */
  readonly marker?: 'abort' | 'commit'
  readonly compression?: 'none' | 'gzip'
  readonly epoch?: number
}

function batch(s: Spec): Buffer {
  const control = s.marker !== undefined
  const builder = new RecordBatchBuilder({
    baseOffset: s.offset,
    producerId: s.producerId ?? -1,
    epoch: 0,
    transactional: s.transactional ?? control,
    control,
    leaderEpoch: s.epoch ?? 4,
    compression: s.compression ?? 'none',
  })
  if (control) builder.append(Buffer.from([0, 0, 0, s.marker === 'abort' ? 0 : 1]), Buffer.alloc(6), 1)
  for (const v of s.values) builder.append(null, Buffer.from(v), 1)
  return builder.build()
}

function drain(chunk: Chunk, position: number, max = 1000): { values: string[]; position: number } {
  const out: ConsumerRecord[] = []
  let at = position
  for (let more = true; more; ) ({ position: at, more } = chunk.take(at, max, out))
  return { values: out.map(r => String(r.value)), position: at }
}

test('take skips the records before the position, and returns the position after the last batch', () => {
  const bytes = Buffer.concat([batch({ offset: 10, values: ['a', 'b', 'c'] }), batch({ offset: 13, values: ['d'] })])
  expect(drain(new Chunk('t', 0, bytes, null, true), 11)).toEqual({ values: ['b', 'c', 'd'], position: 14 })
})

test('take returns the epoch of the last batch, even if that batch is skipped', () => {
  const marker = batch({ offset: 12, values: [], marker: 'commit', epoch: 7 })
  const bytes = Buffer.concat([batch({ offset: 10, values: ['a', 'b'] }), marker])
  const chunk = new Chunk('t', 0, bytes, null, true)
  const out: ConsumerRecord[] = []
  expect(chunk.take(10, 2, out)).toMatchObject({ position: 12, epoch: 4 })
  expect(chunk.take(12, 2, out)).toMatchObject({ position: 13, epoch: 7 })
})

test('take returns at most the requested number of records, and the next call continues after them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 7 }),
      (sizes, max) => {
        let offset = 0
        const values: string[] = []
        const batches = sizes.map(n => {
          const mine = Array.from({ length: n }, (_, i) => String(offset + i))
          values.push(...mine)
          offset += n
          return batch({ offset: offset - n, values: mine, compression: 'gzip' })
        })
        const chunk = new Chunk('t', 0, Buffer.concat(batches), null, true)
        const got: string[] = []
        let position = 0
        for (let more = true; more; ) {
          const out: ConsumerRecord[] = []
          ;({ position, more } = chunk.take(position, max, out))
          expect(out.length).toBeLessThanOrEqual(max)
          if (out.length > 0) expect(position).toBeGreaterThanOrEqual(out.at(-1)!.offset + 1)
          got.push(...out.map(r => String(r.value)))
        }
        expect(got).toEqual(values)
        expect(position).toBe(offset)
      },
    ),
  )
})

test('an incomplete last batch is ignored', () => {
  const whole = batch({ offset: 0, values: ['a'] })
  const cut = batch({ offset: 1, values: ['b'] }).subarray(0, -1)
  expect(endOfWholeBatches(Buffer.concat([whole, cut]))).toBe(1)
  expect(endOfWholeBatches(cut.subarray(0, 40))).toBe(-1)
  expect(drain(new Chunk('t', 0, Buffer.concat([whole, cut]), null, true), 0)).toEqual({ values: ['a'], position: 1 })
})

test('with read_committed, the batches of aborted transactions and all control batches are skipped', () => {
  const log = [
    { offset: 0, values: ['a1'], producerId: 1, transactional: true },
    { offset: 1, values: ['b1'], producerId: 2, transactional: true },
    { offset: 2, values: [], producerId: 1, marker: 'abort' },
    { offset: 3, values: ['a2'], producerId: 1, transactional: true },
    { offset: 4, values: ['b2'], producerId: 2, transactional: true },
    { offset: 5, values: [], producerId: 2, marker: 'abort' },
    { offset: 6, values: [], producerId: 1, marker: 'commit' },
    { offset: 7, values: ['plain'] },
    { offset: 8, values: ['a3'], producerId: 1, transactional: true },
    { offset: 9, values: [], producerId: 1, marker: 'abort' },
  ] satisfies Spec[]
  const bytes = Buffer.concat(log.map(batch))
  const aborted = [
    { producerId: 1, firstOffset: 8 },
    { producerId: 2, firstOffset: 1 },
    { producerId: 1, firstOffset: 0 },
  ]
  expect(drain(new Chunk('t', 0, bytes, aborted, true), 0)).toEqual({ values: ['a2', 'plain'], position: 10 })
  expect(drain(new Chunk('t', 0, bytes, null, true), 0).values).toEqual(['a1', 'b1', 'a2', 'b2', 'plain', 'a3'])
})

test('take moves the position past a range without records', () => {
  const bytes = batch({ offset: 5, values: [], producerId: 1, marker: 'commit' })
  expect(drain(new Chunk('t', 0, bytes, [], true), 5)).toEqual({ values: [], position: 6 })
})

test('take throws for a damaged batch if checksums are checked', () => {
  const bytes = batch({ offset: 0, values: ['abcdef'] })
  bytes[70]! ^= 1
  expect(() => drain(new Chunk('t', 0, bytes, null, true), 0)).toThrow(/checksum/)
})

test('a record contains its topic, partition, offset and leader epoch', () => {
  const out: ConsumerRecord[] = []
  new Chunk('t', 3, batch({ offset: 9, values: ['x'] }), null, true).take(9, 1, out)
  expect(out[0]).toMatchObject({
    topic: 't',
    partition: 3,
    offset: 9,
    timestamp: 1,
    timestampType: 0,
    leaderEpoch: 4,
    key: null,
    headers: [],
  })
})

test('take returns the records before an invalid batch, then throws without moving the position', () => {
  const broken = batch({ offset: 13, values: ['d'] })
  broken[broken.length - 1]! ^= 0xff
  const bytes = Buffer.concat([
    batch({ offset: 10, values: ['a', 'b'] }),
    batch({ offset: 12, values: [], marker: 'commit' }),
    broken,
    batch({ offset: 14, values: ['e'] }),
  ])
  const chunk = new Chunk('t', 0, bytes, null, true)
  const out: ConsumerRecord[] = []
  expect(chunk.take(10, 100, out)).toEqual({ position: 13, epoch: 4, more: true })
  expect(out.map(r => String(r.value))).toEqual(['a', 'b'])
  for (let i = 0; i < 2; i++) expect(() => chunk.take(13, 100, out)).toThrow()
  expect(out).toHaveLength(2)
  expect(() => new Chunk('t', 0, broken, null, true).take(13, 100, out)).toThrow()
})
