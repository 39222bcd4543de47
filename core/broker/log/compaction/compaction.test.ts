import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RecordBatchBuilder } from '../../../protocol/records/batch-builder.ts'
import { buildEndTransactionMarker } from '../../../protocol/records/control-records.ts'
import type { PartitionLog } from '../partition-log.ts'
import { indexProblems } from '../test-support/check-indexes.ts'
import { fixtureFile } from '../test-support/kafka-fixture.ts'
import { append, openLog, readAll, removeDir, type TestRecord, tempDir, testEnv } from '../test-support/logs.ts'
import { OffsetMap } from './offset-map.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

const config = {
  cleanupPolicy: ['compact' as const],
  segmentBytes: 600,
  indexIntervalBytes: 200,
  minCleanableDirtyRatio: 0,
}
const MAP = { maxMapBytes: 1 << 20 }

const seen = async (log: PartitionLog) =>
  (await readAll(log)).map(r => `${r.offset} ${r.key}=${r.value === null ? 'null' : String(r.value).slice(0, 12)}`)

test('compaction keeps the latest record of every key at its offset, and does not change the last segment', async () => {
  const log = await openLog(dir, config)
  for (let i = 0; i < 30; i++) await append(log, [{ key: `k${i % 3}`, value: `${i}` }])
  const active = log.segmentOffsets.at(-1)!
  await log.compact(Date.now(), MAP)
  expect(log.cleanedTo).toBe(active)
  const kept = [active - 3, active - 2, active - 1]
  const rest = Array.from({ length: 30 - active }, (_, i) => active + i)
  expect(await seen(log)).toEqual([...kept, ...rest].map(i => `${i} k${i % 3}=${i}`))
  expect(log.segmentOffsets.at(-1)).toBe(active)
  expect([log.logStartOffset, log.logEndOffset]).toEqual([0, 30])
  await log.close()
  expect(indexProblems(dir)).toEqual([])
})

test('compaction writes the same bytes as Apache Kafka for the same records', async () => {
  const log = await openLog(dir, { ...config, segmentBytes: 1 << 20, segmentMs: 500 })
  for (let round = 0; round < 4; round++) {
    const at = (n: number) => 1700000000000 + 1000 * n
    const producer = { producerId: 0, epoch: 0, sequence: round * 21 }
    const builder = new RecordBatchBuilder(producer)
    for (let n = round * 40 + 19; n < round * 40 + 39; n++) {
      builder.append(Buffer.from(`k${n % 7}`), Buffer.from(`value ${n}`), at(n), [
        { key: 'h', value: Buffer.from(`x${n}`) },
      ])
    }
    await log.append(builder.build(), { origin: 'client', leaderEpoch: 0 })
    await append(log, [{ key: 'k1', value: null, timestamp: at(round * 40 + 39) }], {
      ...producer,
      sequence: round * 21 + 20,
    })
  }
  expect(log.segmentOffsets.at(-1)).toBe(83)
  await log.compact(Date.now(), MAP)
  await log.close()
  for (const type of ['log', 'index', 'timeindex']) {
    const name = `00000000000000000000.${type}`
    expect([type, readFileSync(join(dir, name))]).toEqual([type, fixtureFile(`comp-0/${name}`)])
  }
})

test('a tombstone keeps its timestamp, and is removed delete.retention.ms after the first compaction that reads it', async () => {
  let now = 1_000_000
  const log = await openLog(dir, { ...config, deleteRetentionMs: 1000 }, { env: testEnv({ now: () => now }) })
  const write = (key: string, value: string | null) => append(log, [{ key, value, timestamp: 5000 + log.logEndOffset }])
  const fill = async () => {
    for (let i = 0; i < 12; i++) await write('filler', 'x'.repeat(40))
  }
  await write('a', '1')
  await write('a', null)
  await append(
    log,
    [
      { key: 'b', value: '2', timestamp: 77 },
      { key: 'c', value: null, timestamp: 99 },
    ],
    { compression: 'gzip' },
  )
  await fill()
  await log.compact(now, MAP)
  const first = (await readAll(log))
    .slice(0, 3)
    .map(r => [r.offset, String(r.key), r.value?.toString() ?? null, r.timestamp])
  expect(first).toEqual([
    [1, 'a', null, 5001],
    [2, 'b', '2', 77],
    [3, 'c', null, 99],
  ])
  now += 999
  await fill()
  await log.compact(now, MAP)
  expect((await readAll(log)).map(r => r.offset)).toEqual(expect.arrayContaining([1, 3]))
  now += 1
  await fill()
  await log.compact(now, MAP)
  expect((await readAll(log)).filter(r => r.value === null)).toEqual([])
  expect((await seen(log))[0]).toBe('2 b=2')
  await log.close()
  expect(indexProblems(dir)).toEqual([])
})

test('a tombstone whose key did not fit into the offset map is kept until older records of its key are removed', async () => {
  let now = 1_000_000
  const log = await openLog(
    dir,
    { ...config, segmentBytes: 10_000, deleteRetentionMs: 1000 },
    { env: testEnv({ now: () => now }) },
  )
  await append(log, [{ key: 'a', value: '1' }])
  for (let i = 0; i < 40; i++) await append(log, [{ key: `k${i}`, value: 'x' }])
  await append(log, [{ key: 'a', value: null }])
  for (let i = 0; log.segmentOffsets.length < 2; i++) await append(log, [{ key: `k${i}`, value: 'x'.repeat(2000) }])
  // The offset map of each compaction has space for twelve keys.
  for (let round = 0; round < 6; round++) {
    await log.compact(now, { maxMapBytes: 16 * 24 })
    const latest = new Map((await readAll(log)).map(r => [String(r.key), r.value]))
    expect([round, latest.get('a')?.toString() ?? null]).toEqual([round, null])
    now += 2000
  }
  expect((await readAll(log)).filter(r => String(r.key) === 'a')).toEqual([])
})

test('compaction removes aborted records, ignores their keys, and stops before an open transaction', async () => {
  const log = await openLog(dir, config)
  const transactional = (sequence: number) => ({ producerId: 3, epoch: 0, sequence, transactional: true })
  const end = (committed: boolean) =>
    log.append(buildEndTransactionMarker({ committed, coordinatorEpoch: 0 }, { id: 3, epoch: 0 }, Date.now()), {
      origin: 'coordinator',
      leaderEpoch: 0,
    })
  await append(log, [{ key: 'a', value: 'stays' }])
  await append(log, [{ key: 'a', value: 'aborted' }], transactional(0))
  await end(false)
  await append(log, [{ key: 'b', value: 'old' }])
  await append(log, [{ key: 'b', value: 'committed' }], transactional(1))
  await end(true)
  for (let i = 0; i < 10; i++) await append(log, [{ key: 'f', value: 'x'.repeat(40) }])
  const open = (await append(log, [{ key: 'a', value: 'open' }], transactional(2))).baseOffset
  for (let i = 0; i < 20; i++) await append(log, [{ key: 'f', value: 'x'.repeat(40) }])
  await log.compact(Date.now(), MAP)
  expect(log.cleanedTo).toBeLessThanOrEqual(open)
  expect(log.cleanedTo).toBeGreaterThan(6)
  const lines = await seen(log)
  expect(lines.filter(l => / [ab]=/.test(l))).toEqual(['0 a=stays', '4 b=committed', `${open} a=open`])
  expect(await log.abortedTransactions(0, 100)).toEqual([{ producerId: 3, firstOffset: 1 }])
  await log.close()
})

test("a producer's last sequence number is kept after compaction removes the producer's records", async () => {
  const log = await openLog(dir, config)
  for (let i = 0; i < 5; i++) await append(log, [{ key: 'a', value: `${i}` }], { producerId: 8, epoch: 2, sequence: i })
  for (let i = 0; i < 20; i++) await append(log, [{ key: 'a', value: 'x'.repeat(50) }])
  await log.compact(Date.now(), MAP)
  await log.close()
  for (const name of readdirSync(dir)) if (name.endsWith('.snapshot')) rmSync(join(dir, name))
  const again = await openLog(dir, config)
  expect(await append(again, [{ key: 'a', value: '4' }], { producerId: 8, epoch: 2, sequence: 4 })).toMatchObject({
    duplicate: true,
  })
  await again.close()
})

test('compaction is not due for young records, or if cleanup.policy does not contain compact', async () => {
  const log = await openLog(dir, { ...config, minCompactionLagMs: 60_000 })
  for (let i = 0; i < 30; i++) await append(log, [{ key: 'k', value: `${i}`, timestamp: Date.now() }])
  expect(log.compactionDue(Date.now())).toBe(-1)
  expect(log.compactionDue(Date.now() + 61_000)).toBe(1)
  log.updateConfig({ ...log.config, cleanupPolicy: ['delete'] })
  expect(log.compactionDue(Date.now() + 61_000)).toBe(-1)
  await log.close()
})

const op = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('append' as const),
      keys: fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }),
      deletes: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('compact' as const), maxMapBytes: fc.constantFrom(1, 1 << 20) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('reopen' as const), clean: fc.boolean() }) },
)

test('after any appends, compactions and restarts, the log contains the latest value of every key, in order', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(op, { minLength: 10, maxLength: 60 }),
      fc.constantFrom('none', 'zstd', 'snappy'),
      async (ops, compression) => {
        const path = join(dir, `run-${run++}`)
        let now = 1e12
        const open = (clean: boolean, cleanedTo = -1) =>
          openLog(
            path,
            { ...config, deleteRetentionMs: 50 },
            { clean, cleanedTo, env: testEnv({ now: () => now, tailCacheBytes: 300 }) },
          )
        let log = await open(false)
        const written: TestRecord[] = []
        for (const x of ops) {
          now += 10
          if (x.op === 'append') {
            const records = x.keys.map((k, i) => ({
              key: `k${k}`,
              value: x.deletes && i === 0 ? null : `${written.length + i}`,
              timestamp: now - i,
            }))
            await append(log, records, { compression: compression as 'none' })
            written.push(...records)
          } else if (x.op === 'compact') await log.compact(now, x)
          else {
            const { cleanedTo } = log
            await log.close()
            log = await open(x.clean, cleanedTo)
          }
          await checkAgainst(log, written)
        }
        await log.close()
        expect(indexProblems(path)).toEqual([])
        removeDir(path)
      },
    ),
    { numRuns: 30 },
  )
})

async function checkAgainst(log: PartitionLog, written: readonly TestRecord[]): Promise<void> {
  expect(log.logEndOffset).toBe(written.length)
  const found = await readAll(log)
  let last = -1
  const latest = new Map<string, string | null>()
  for (const r of found) {
    expect(r.offset).toBeGreaterThan(last)
    last = r.offset
    expect([String(r.key), r.value?.toString() ?? null, r.timestamp]).toEqual([
      written[r.offset]!.key,
      written[r.offset]!.value,
      written[r.offset]!.timestamp,
    ])
    latest.set(String(r.key), r.value?.toString() ?? null)
  }
  const offsets = new Set(found.map(r => r.offset))
  for (let i = Math.max(0, log.segmentOffsets.at(-1)!); i < written.length; i++) expect(offsets.has(i)).toBe(true)
  const expected = new Map(written.map(r => [r.key!, r.value]))
  for (const [key, value] of expected) expect(latest.get(key) ?? null).toBe(value)
}

test('after a crash while compacted segments replace the originals, the latest record of every key exists', async () => {
  const before = join(dir, 'before')
  const log = await openLog(before, config)
  for (let i = 0; i < 40; i++) await append(log, [{ key: `k${i % 4}`, value: `${i}` }])
  await log.close()
  const after = join(dir, 'after')
  cpSync(before, after, { recursive: true })
  const compacted = await openLog(after, { ...config, segmentBytes: 300 }, { clean: true })
  compacted.updateConfig({ ...compacted.config, segmentBytes: 500 })
  await compacted.compact(Date.now(), MAP)
  await compacted.close()
  const isFinal = (n: string) => /^\d{20}\.(log|index|timeindex)$/.test(n)
  const changed = readdirSync(after).filter(
    n => isFinal(n) && !readFileSync(join(after, n)).equals(readFileSync(join(before, n))),
  )
  expect(changed.length).toBeGreaterThan(2)
  const stages: ((path: string) => void)[] = [
    path => {
      for (const n of changed) copyFileSync(join(after, n), join(path, `${n}.cleaned`))
    },
    path => {
      for (const n of changed)
        copyFileSync(join(after, n), join(path, n.endsWith('.log') ? `${n}.cleaned` : `${n}.swap`))
    },
    path => {
      for (const n of changed) copyFileSync(join(after, n), join(path, `${n}.swap`))
    },
    path => {
      for (const n of changed) renameSync(join(path, n), join(path, `${n}.deleted`))
      for (const n of changed) copyFileSync(join(after, n), join(path, `${n}.swap`))
    },
    path => {
      for (const n of changed) rmSync(join(path, n))
      for (const n of changed) copyFileSync(join(after, n), join(path, n.endsWith('.log') ? `${n}.swap` : n))
    },
  ]
  for (const [i, stage] of stages.entries()) {
    const path = join(dir, `stage-${i}`)
    mkdirSync(path)
    cpSync(before, path, { recursive: true })
    stage(path)
    const again = await openLog(path, config)
    const records = await readAll(again)
    const latest = new Map(records.map(r => [String(r.key), String(r.value)]))
    expect([i, Object.fromEntries(latest)]).toEqual([i, { k0: '36', k1: '37', k2: '38', k3: '39' }])
    await again.close()
    expect(indexProblems(path)).toEqual([])
    expect(readdirSync(path).filter(n => /cleaned|swap|deleted/.test(n))).toEqual([])
  }
})

test('the offset map returns the latest offset of every key, and is full at 75% of its slots', () => {
  const map = new OffsetMap(1000, 1 << 20)
  const key = (i: number) => Buffer.from(`key ${i}`)
  for (let i = 0; i < 1000; i++) map.put(key(i), i)
  for (let i = 0; i < 1000; i += 2) map.put(key(i), i + 5000)
  expect(map.size).toBe(1000)
  for (let i = 0; i < 1000; i++) expect(map.get(key(i))).toBe(i % 2 === 0 ? i + 5000 : i)
  expect(map.get(Buffer.from('other'))).toBe(-1)
  const small = new OffsetMap(1000, 24 * 100)
  let put = 0
  while (!small.isFull) small.put(key(put), put++)
  expect(put).toBe(75)
})

test('a reader in the middle of a segment can continue to read while the segment is compacted', async () => {
  const log = await openLog(dir, config, { env: testEnv({ tailCacheBytes: 0, maxOpenFiles: 1 }) })
  for (let i = 0; i < 40; i++) await append(log, [{ key: `k${i % 2}`, value: `${i}`.padStart(30, '.') }])
  let failures = 0
  let reading = true
  const readers = [0, 5, 9].map(async from => {
    while (reading) {
      const { chunks } = await log.read(from, 250, { upTo: 'logEnd', minOneBatch: true })
      for (const chunk of chunks) {
        const size = chunk.readInt32BE(8) + 12
        if (chunk.length < size || Number(chunk.readBigInt64BE(0)) + chunk.readInt32BE(23) < from) failures++
      }
    }
  })
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 20; i++) await append(log, [{ key: `k${i % 2}`, value: `${round}.${i}`.padStart(30, '.') }])
    await log.compact(Date.now(), MAP)
  }
  reading = false
  await Promise.all(readers)
  expect(failures).toBe(0)
  await log.close()
})
