import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as header from '../../../protocol/records/batch-header.ts'
import { MAX32, MIN32, type RawRecord, rawBatch } from '../../test-support/raw-batch.ts'
import { rulesFor } from '../append/append-check.ts'
import { configOf } from '../test-support/logs.ts'
import { fastScan, NEEDS_INSPECTION } from './fast-scan.ts'
import { inspect } from './inspect.ts'

const NOW = 1_750_000_000_000
const odd32 = fc.oneof(fc.integer({ min: -3, max: 300 }), fc.constantFrom(MIN32, MAX32))
const text = fc.option(fc.string({ maxLength: 20 }))
const record: fc.Arbitrary<RawRecord> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ key: text, value: text }) },
  { weight: 3, arbitrary: fc.record({ timestampDelta: fc.bigInt({ min: -(2n ** 42n), max: 2n ** 42n }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ headers: fc.array(fc.record({ key: fc.string(), value: text }), { maxLength: 70 }) }),
  },
  fc.record({ offsetDelta: odd32 }),
  fc.record({ length: odd32 }),
  fc.record({ keyLength: odd32 }),
  fc.record({ valueLength: odd32 }),
  fc.record({ headerCount: odd32 }),
  fc.record({ bytes: fc.uint8Array({ maxLength: 20 }).map(b => Buffer.from(b)) }),
)

test('the fast scan accepts only valid batches, and all of them except rare encodings and large timestamps', () => {
  const seen = { taken: 0, closer: 0 }
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 150 }),
      fc.constantFrom(0n, -1n, BigInt(NOW), 2n ** 53n + 1n),
      fc.boolean(),
      fc.integer({ min: -1, max: 1 }),
      (records, baseTimestamp, needsKeys, more) => {
        const count = Math.max(1, records.length + (records.length % 9 === 0 ? more : 0))
        const batch = rawBatch({ records, baseTimestamp, count }, 0n)
        const config = configOf({
          cleanupPolicy: needsKeys ? ['compact'] : ['delete'],
          messageTimestampAfterMaxMs: 1000,
        })
        const rules = rulesFor('t-0', config, NOW)
        const baseMs = header.baseTimestamp(batch, 0)
        const limits = {
          count,
          baseTimestamp: baseMs,
          needsKeys,
          earliest: Number.NEGATIVE_INFINITY,
          latest: NOW + 1000,
        }
        const plain = batch.subarray(header.HEADER_SIZE)
        // Append other bytes, as in a request, to check that the scan does not read beyond the
        // batch.
        const among = Buffer.concat([batch, Buffer.alloc(200, 1)])
        const latest = fastScan(among, header.HEADER_SIZE, batch.length, limits)
        const exact = inspect(batch, { plain, rules, ignoresLengths: false })
        const isRight = exact.kind === 'inspected' && !exact.hasWrongOffsets && !exact.hasWrongLengths
        if (latest !== NEEDS_INSPECTION) {
          seen.taken++
          expect(exact).toMatchObject({ hasWrongOffsets: false, hasWrongLengths: false, maxTimestamp: BigInt(latest) })
        } else {
          seen.closer++
          // A valid batch needs the exact inspection only if it contains overlong varints or large
          // timestamps.
          const isPlain = records.every(r => r.bytes === undefined) && baseTimestamp < 2n ** 52n
          if (isPlain) expect(isRight).toBe(false)
        }
      },
    ),
    { numRuns: 3000 },
  )
  expect(seen.taken).toBeGreaterThan(100)
  expect(seen.closer).toBeGreaterThan(100)
})
