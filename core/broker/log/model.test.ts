import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readBatches } from '../../protocol/records/batch-reader.ts'
import type { PartitionLog } from './partition-log.ts'
import { indexProblems } from './test-support/check-indexes.ts'
import { append, configOf, openLog, readValues, removeDir, TO_END, tempDir, testEnv } from './test-support/logs.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('append' as const),
      sizes: fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('burst' as const), count: fc.integer({ min: 2, max: 12 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('read' as const),
      at: fc.nat(1000),
      maxBytes: fc.nat(3000),
      minOneBatch: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('deleteRecords' as const), at: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('retain' as const), bytes: fc.nat(4000) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('reopen' as const), clean: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('flush' as const) }) },
)

/**
 * The expected content of the log. `values[n]` is the value at offset n, and `start` is the log
 * start offset.
 */
interface Model {
  start: number
  values: string[]
}

test('after any sequence of appends, reads, rolls, deletions and restarts, the log contains the expected records', async () => {
  let run = 0
  const settings = fc.record({
    segmentBytes: fc.integer({ min: 1700, max: 4000 }),
    indexIntervalBytes: fc.constantFrom(0, 300, 4096),
    tailCacheBytesPerPartition: fc.constantFrom(0, 700, 100_000),
    maxOpenFiles: fc.constantFrom(1, 100),
    fsync: fc.constantFrom<'none' | 'group'>('none', 'group'),
  })
  await fc.assert(
    fc.asyncProperty(settings, fc.array(step, { minLength: 5, maxLength: 40 }), async (s, steps) => {
      const path = join(dir, `run-${run++}`)
      mkdirSync(path)
      const config = {
        segmentBytes: s.segmentBytes,
        indexIntervalBytes: s.indexIntervalBytes,
        fsync: s.fsync,
        retentionMs: -1,
      }
      const open = (o: { clean: boolean; logStartOffset: number }) => openLog(path, config, { env: testEnv(s), ...o })
      let log = await open({ clean: false, logStartOffset: 0 })
      const model: Model = { start: 0, values: [] }
      for (const x of steps) {
        if (x.op === 'append') await appendSizes(log, model, x.sizes)
        else if (x.op === 'burst') await burst(log, model, x.count)
        else if (x.op === 'read') await checkRead(log, model, x)
        else if (x.op === 'flush') await log.flush()
        else if (x.op === 'deleteRecords') {
          const target = x.at % (model.values.length + 1)
          model.start = Math.max(model.start, target)
          expect(await log.deleteRecordsBefore(target)).toBe(model.start)
        } else if (x.op === 'retain') {
          log.updateConfig(configOf({ ...config, retentionBytes: x.bytes }))
          await log.runRetention(Date.now())
          log.updateConfig(configOf(config))
          model.start = log.logStartOffset
        } else {
          await log.close()
          log = await open({ clean: x.clean, logStartOffset: model.start })
        }
        expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).toEqual([
          model.start,
          model.values.length,
          model.values.length,
        ])
      }
      expect(await readValues(log)).toEqual(model.values.slice(model.start))
      await log.close()
      expect(indexProblems(path)).toEqual([])
      removeDir(path)
    }),
    { numRuns: 40 },
  )
})

async function appendSizes(log: PartitionLog, model: Model, sizes: number[]): Promise<void> {
  const values = sizes.map((n, i) => `${model.values.length + i}:${'x'.repeat(n)}`)
  const timestamp = 1000 + model.values.length
  const { baseOffset, lastOffset } = await append(
    log,
    values.map(value => ({ value, timestamp })),
  )
  expect([baseOffset, lastOffset]).toEqual([model.values.length, model.values.length + values.length - 1])
  model.values.push(...values)
}

/** Appends records concurrently, and checks that they get offsets in the order of the calls. */
async function burst(log: PartitionLog, model: Model, count: number): Promise<void> {
  const values = Array.from({ length: count }, (_, i) => `${model.values.length + i}`)
  const results = await Promise.all(values.map(value => append(log, [value])))
  expect(results.map(r => r.baseOffset)).toEqual(values.map(Number))
  model.values.push(...values)
}

async function checkRead(
  log: PartitionLog,
  model: Model,
  x: { at: number; maxBytes: number; minOneBatch: boolean },
): Promise<void> {
  const held = model.values.length - model.start
  const offset = model.start + (held === 0 ? 0 : x.at % (held + 1))
  const { chunks, size } = await log.read(offset, x.maxBytes, { ...TO_END, minOneBatch: x.minOneBatch })
  expect(chunks.reduce((sum, c) => sum + c.length, 0)).toBe(size)
  const records = chunks.flatMap(c => [...readBatches(c, { checkCrc: true })].flatMap(b => b.records()))
  if (x.minOneBatch && offset < model.values.length) expect(records.length).toBeGreaterThan(0)
  const first = records[0]?.offset ?? offset
  expect(first).toBeLessThanOrEqual(offset)
  expect(records.map(r => [r.offset, String(r.value)])).toEqual(
    model.values.slice(first, first + records.length).map((v, i) => [first + i, v]),
  )
  const batches = chunks.flatMap(c => [...readBatches(c)])
  if (batches.length > 1) expect(size).toBeLessThanOrEqual(x.maxBytes)
  const next = first + records.length
  if (records.length > 0) expect(next).toBeGreaterThan(offset)
}
