import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { indexProblems } from '../test-support/check-indexes.ts'
import { append, openLog, readValues, removeDir, tempDir, testEnv } from '../test-support/logs.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

const small = { segmentBytes: 500, indexIntervalBytes: 120 }

async function writeSome(path: string, count: number): Promise<string[]> {
  const log = await openLog(path, small)
  const values: string[] = []
  for (let i = 0; i < count; i++) {
    const batch = Array.from({ length: 1 + (i % 3) }, (_, n) => `${i}.${n}`)
    values.push(...batch)
    await append(
      log,
      batch.map((value, n) => ({ value, timestamp: 1000 + i * 7 - (n % 2) * 50 })),
      {
        producerId: 7,
        epoch: 0,
        sequence: values.length - batch.length,
      },
    )
  }
  await log.close()
  return values
}

const logFiles = (path: string) =>
  readdirSync(path)
    .filter(n => n.endsWith('.log'))
    .sort()

test('after any damage to the end of the log, all earlier records exist and new records can be appended', async () => {
  const source = join(dir, 'source')
  const values = await writeSome(source, 40)
  const damage = fc.record({
    fromEnd: fc.nat(900),
    kind: fc.constantFrom<'cut' | 'flip' | 'zero' | 'garbage' | 'append'>('cut', 'flip', 'zero', 'garbage', 'append'),
    dropIndexes: fc.boolean(),
    dropSnapshots: fc.boolean(),
  })
  let run = 0
  await fc.assert(
    fc.asyncProperty(damage, async ({ fromEnd, kind, dropIndexes, dropSnapshots }) => {
      const path = join(dir, `run-${run++}`)
      cpSync(source, path, { recursive: true })
      for (const name of readdirSync(path)) {
        if (dropIndexes && name.endsWith('index')) rmSync(join(path, name))
        if (dropSnapshots && name.endsWith('.snapshot')) rmSync(join(path, name))
      }
      const intact = damageEnd(path, fromEnd, kind)
      const log = await openLog(path, small)
      const found = await readValues(log)
      expect(found).toEqual(values.slice(0, found.length))
      // The checksum does not cover the offset of a batch. If a bit of the offset is flipped, the
      // last batch may have a higher offset.
      if (kind !== 'flip') expect(log.logEndOffset).toBe(found.length)
      const end = log.logEndOffset
      expect(found.length).toBeGreaterThanOrEqual(intact)
      const next = { producerId: 7, epoch: 0, sequence: found.length }
      expect((await append(log, ['next'], next)).baseOffset).toBe(end)
      await log.close()
      expect(indexProblems(path)).toEqual([])
      removeDir(path)
    }),
    {
      numRuns: 60,
      // In this example, the flipped bit moves a batch beyond the next segment's base offset.
      examples: [[{ fromEnd: 409, kind: 'flip', dropIndexes: false, dropSnapshots: false }]],
    },
  )
})

/**
 * Damages the log at `fromEnd` bytes before its end, counted over all segments. Returns the number
 * of records before the damage.
 */
function damageEnd(path: string, fromEnd: number, kind: 'cut' | 'flip' | 'zero' | 'garbage' | 'append'): number {
  const files = logFiles(path)
  let left = kind === 'append' ? 0 : fromEnd
  let n = files.length - 1
  while (n > 0 && left > statSync(join(path, files[n]!)).size) left -= statSync(join(path, files[n--]!)).size
  const file = join(path, files[n]!)
  const bytes = readFileSync(file)
  let at = Math.max(0, bytes.length - left)
  // A cut between two batches is not detected as damage if another segment follows, so cut within a
  // batch. The next test covers a cut between batches.
  if (kind === 'cut' && n < files.length - 1 && endsBatch(bytes, at)) at++
  if (kind === 'cut') truncateSync(file, at)
  else if (kind === 'append') writeFileSync(file, Buffer.concat([bytes, Buffer.alloc(fromEnd, 3)]))
  else {
    const damaged = Buffer.from(bytes)
    if (kind === 'flip' && at < damaged.length) damaged[at] = damaged[at]! ^ 0x40
    else damaged.fill(kind === 'zero' ? 0 : 0xa5, at)
    writeFileSync(file, damaged)
  }
  return recordsBefore(path, files, n, at)
}

function endsBatch(bytes: Buffer, end: number): boolean {
  let at = 0
  while (at < end) at += bytes.readInt32BE(at + 8) + 12
  return at === end
}

function recordsBefore(path: string, files: string[], n: number, end: number): number {
  const bytes = readFileSync(join(path, files[n]!))
  let next = Number(files[n]!.slice(0, 20))
  for (let at = 0; at + 61 <= end; ) {
    const size = bytes.readInt32BE(at + 8) + 12
    if (at + size > end) break
    next = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + 23) + 1
    at += size
  }
  return next
}

test('as in Kafka, whole batches that are missing at the end of a segment leave a gap, and later records remain', async () => {
  const values = await writeSome(dir, 40)
  const files = logFiles(dir)
  const middle = files.length - 3
  truncateSync(join(dir, files[middle]!), 0)
  const [from, to] = [files[middle], files[middle + 1]].map(name => Number(name!.slice(0, 20)))
  const log = await openLog(dir, small)
  expect(await readValues(log)).toEqual([...values.slice(0, from), ...values.slice(to)])
  expect(log.logEndOffset).toBe(values.length)
  await append(log, ['next'])
  await log.close()
  expect(indexProblems(dir)).toEqual([])
})

test('recovery does not check records before the recovery point', async () => {
  const values = await writeSome(dir, 40)
  const first = join(dir, logFiles(dir)[0]!)
  const bytes = readFileSync(first)
  bytes[100] = bytes[100]! ^ 1
  writeFileSync(first, bytes)
  const kept = await openLog(dir, small, { recoveryPoint: values.length })
  expect(kept.logEndOffset).toBe(values.length)
  await kept.close()
  const checked = await openLog(dir, small, { recoveryPoint: 0 })
  expect(checked.logEndOffset).toBe(1)
  await checked.close()
})

test('missing and malformed indexes are rebuilt, even after a clean shutdown', async () => {
  const values = await writeSome(dir, 40)
  const indexes = readdirSync(dir)
    .filter(n => n.endsWith('index'))
    .sort()
  rmSync(join(dir, indexes[0]!))
  truncateSync(join(dir, indexes.at(-3)!), 3)
  const log = await openLog(dir, small, { clean: true })
  expect(await readValues(log)).toEqual(values)
  await log.close()
  expect(indexProblems(dir)).toEqual([])
})

test('files that a crash left behind, such as .deleted and .cleaned files, are removed when the log is opened', async () => {
  const values = await writeSome(dir, 20)
  const files = logFiles(dir)
  const base = files[1]!.slice(0, 20)
  writeFileSync(join(dir, `${base}.log.deleted`), 'x')
  writeFileSync(join(dir, `${base}.index.cleaned`), 'x')
  writeFileSync(join(dir, 'leader-epoch-checkpoint.tmp'), 'x')
  writeFileSync(join(dir, '00000000000000009999.index'), '')
  const log = await openLog(dir, small)
  expect(await readValues(log)).toEqual(values)
  expect(readdirSync(dir).filter(n => /deleted|cleaned|tmp|9999/.test(n))).toEqual([])
  await log.close()
})

test('a compacted .swap segment replaces its original segments when the log is opened', async () => {
  const values = await writeSome(dir, 20)
  const [first, second, third] = logFiles(dir)
  // The compacted segment contains the records of the first two segments.
  const joined = Buffer.concat([readFileSync(join(dir, first!)), readFileSync(join(dir, second!))])
  writeFileSync(join(dir, `${first}.swap`), joined)
  const log = await openLog(dir, small)
  expect(log.segmentOffsets.slice(0, 2)).toEqual([0, Number(third!.slice(0, 20))])
  expect(await readValues(log)).toEqual(values)
  await log.close()
  expect(indexProblems(dir)).toEqual([])
})

test('a log whose checkpointed start offset is after its last record is empty and continues at that offset', async () => {
  await writeSome(dir, 10)
  const log = await openLog(dir, small, { logStartOffset: 500, env: testEnv() })
  expect([log.logStartOffset, log.logEndOffset]).toEqual([500, 500])
  expect((await append(log, ['x'])).baseOffset).toBe(500)
  await log.close()
})

test('a segment in a format from before Kafka 0.11 is rejected, and never truncated', async () => {
  // The fields of a v1 message: offset, size, CRC-32, magic, attributes, timestamp, null key, and a
  // value of 20 bytes.
  const message = Buffer.alloc(8 + 4 + 4 + 1 + 1 + 8 + 4 + 4 + 20)
  message.writeInt32BE(message.length - 12, 8)
  message[16] = 1
  message.writeInt32BE(-1, 26)
  message.writeInt32BE(20, 30)
  message.writeUInt32BE(crc32(message.subarray(16)), 12)
  const two = Buffer.concat([message, message])
  writeFileSync(join(dir, '00000000000000000000.log'), two)
  await expect(openLog(dir, small)).rejects.toMatchObject({ code: 'MR_LOG_OLD_FORMAT' })
  expect(readFileSync(join(dir, '00000000000000000000.log'))).toEqual(two)
})
