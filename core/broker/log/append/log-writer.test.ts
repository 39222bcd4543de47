import { closeSync, openSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import { type CachedFile, FdCache } from '../io/fd-cache.ts'
import { indexProblems } from '../test-support/check-indexes.ts'
import { append, openLog, readValues, recordingLogger, removeDir, tempDir, testEnv } from '../test-support/logs.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

const storageError = { kafkaCode: ErrorCode.KAFKA_STORAGE_ERROR }

/**
 * While `broken` is true, all writes go to a device that rejects them. /dev/full, for example,
 * returns ENOSPC.
 */
class BreakableFds extends FdCache {
  broken = false
  readonly #bad: number

  constructor(device: string, flags: 'r' | 'r+') {
    super()
    this.#bad = openSync(device, flags)
  }

  override fd(file: CachedFile, flags?: 'r' | 'r+' | 'w+'): number {
    return this.broken ? this.#bad : super.fd(file, flags)
  }

  done(): void {
    closeSync(this.#bad)
  }
}

for (const fsync of ['none', 'group'] as const) {
  test(`appends fail without side effects while the disk is full, and succeed once there is space (fsync=${fsync})`, async () => {
    const fds = new BreakableFds('/dev/full', 'r+')
    const logger = recordingLogger()
    const env = { ...testEnv({ logger }), fds }
    const log = await openLog(dir, { fsync }, { env })
    const producer = (sequence: number) => ({ producerId: 1, epoch: 0, sequence })
    await append(log, ['a'], producer(0))
    fds.broken = true
    const failed = await Promise.allSettled([append(log, ['b'], producer(1)), append(log, ['c'], producer(2))])
    for (const f of failed) expect(f).toMatchObject({ status: 'rejected', reason: storageError })
    await expect(append(log, ['b'], producer(1))).rejects.toMatchObject(storageError)
    expect([log.logEndOffset, log.highWatermark, log.producerStates()[0]?.lastSequence]).toEqual([1, 1, 0])
    fds.broken = false
    expect(await append(log, ['b'], producer(1))).toMatchObject({ baseOffset: 1, duplicate: false })
    expect(await readValues(log)).toEqual(['a', 'b'])
    expect(logger.lines.filter(l => l.startsWith('ERROR') && l.includes('Producers receive')).length).toBe(1)
    expect(logger.lines.some(l => l.includes('writing succeeds again'))).toBe(true)
    await log.close()
    fds.done()
    expect(indexProblems(dir)).toEqual([])
  })
}

test('a failed write in the thread pool, which writes large groups, is undone', async () => {
  const fds = new BreakableFds('/dev/full', 'r+')
  const log = await openLog(dir, { maxMessageBytes: 4 << 20 }, { env: { ...testEnv(), fds } })
  const large = 'x'.repeat(2 << 20)
  await append(log, [large])
  fds.broken = true
  await expect(append(log, [large])).rejects.toMatchObject(storageError)
  fds.broken = false
  expect((await append(log, [large])).baseOffset).toBe(1)
  expect((await readValues(log)).map(v => v.length)).toEqual([2 << 20, 2 << 20])
  await log.close()
  fds.done()
})

test('if a new segment cannot be created, the append fails and the log remains usable', async () => {
  const log = await openLog(dir, { segmentBytes: 100 })
  await append(log, ['a'])
  // A directory with the name of the new segment's file prevents its creation.
  const { mkdirSync, rmdirSync } = await import('node:fs')
  const obstacle = join(dir, '00000000000000000001.log')
  mkdirSync(obstacle)
  await expect(append(log, ['b'])).rejects.toMatchObject(storageError)
  rmdirSync(obstacle)
  expect((await append(log, ['b'])).baseOffset).toBe(1)
  expect(await readValues(log)).toEqual(['a', 'b'])
  await log.close()
  expect(indexProblems(dir)).toEqual([])
})

test('a closed log completes its pending appends, then rejects appends and reads', async () => {
  const log = await openLog(dir)
  const last = append(log, ['last'])
  const closed = log.close()
  await expect(append(log, ['late'])).rejects.toMatchObject(storageError)
  expect((await last).baseOffset).toBe(0)
  await closed
  await expect(Promise.resolve(log.read(0, 100, { upTo: 'logEnd', minOneBatch: true }))).rejects.toMatchObject(
    storageError,
  )
  expect(
    readdirSync(dir)
      .filter(n => n.endsWith('.log'))
      .map(n => statSync(join(dir, n)).size),
  ).not.toContain(0)
})

test('concurrent appends are written in the order of the calls, across segments', async () => {
  const log = await openLog(dir, { segmentBytes: 300 })
  const values = Array.from({ length: 30 }, (_, i) => `${i}`)
  const results = await Promise.all(values.map(v => append(log, [v])))
  expect(results.map(r => r.baseOffset)).toEqual(values.map(Number))
  expect(log.segmentOffsets.length).toBeGreaterThan(5)
  expect(await readValues(log)).toEqual(values)
  await log.close()
})

test('a log that syncs after every flush.messages records returns all its records', async () => {
  const log = await openLog(dir, { flushMessages: 3 })
  for (let i = 0; i < 7; i++) await append(log, [`${i}`])
  expect(await readValues(log)).toHaveLength(7)
  await log.close()
})
