import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { nextTurn } from '../../../common/async/next-turn.ts'
import { append, openLog, readValues, removeDir, tempDir, testEnv } from '../test-support/logs.ts'
import { SlowOperations, slowOperations, threadPoolSize } from './slow-operations.ts'

/**
 * While `fifo` is set, each fdatasync first opens this FIFO for reading. This blocks a thread of
 * the pool until the test opens the FIFO for writing.
 */
const held = vi.hoisted(() => ({ fifo: '', outstanding: 0, most: 0, finished: 0 }))
vi.mock('node:fs', async original => {
  const fs = await original<typeof import('node:fs')>()
  const fdatasync = (fd: number, done: (error: Error | null) => void) => {
    held.most = Math.max(held.most, ++held.outstanding)
    const sync = () =>
      fs.fdatasync(fd, error => {
        held.outstanding--
        held.finished++
        done(error)
      })
    if (held.fifo === '') sync()
    else fs.open(held.fifo, 'r', sync)
  }
  return { ...fs, fdatasync, default: { ...fs, fdatasync } }
})

let dir: string
let writer: number | null
beforeEach(() => {
  dir = tempDir()
  held.fifo = join(dir, 'fifo')
  execFileSync('mkfifo', [held.fifo])
  writer = null
})
afterEach(() => {
  release()
  if (writer !== null) closeSync(writer)
  removeDir(dir)
})

function release(): void {
  if (held.fifo === '') return
  writer = openSync(held.fifo, 'r+')
  held.fifo = ''
}

test('reads from disk proceed while many partitions sync, and each write is acknowledged after its sync', async () => {
  const env = testEnv({ tailCacheBytes: 0 })
  const cold = await openLog(join(dir, 'cold'), {}, { env })
  await append(cold, ['a', 'b'])
  const logs = await Promise.all(
    Array.from({ length: 8 }, (_, i) => openLog(join(dir, `busy-${i}`), { fsync: 'group' }, { env })),
  )
  const acknowledged: number[] = []
  const finishedBefore = held.finished
  const appends = logs.map(async (log, i) => {
    await append(log, ['x'])
    acknowledged.push(i)
    expect(held.finished - finishedBefore).toBeGreaterThanOrEqual(acknowledged.length)
  })
  while (held.outstanding < slowOperations.limit) await nextTurn()
  // Every read uses a thread of the pool. The reads would hang if all threads were blocked in a
  // sync.
  for (let i = 0; i < 20; i++) expect(await readValues(cold)).toEqual(['a', 'b'])
  expect(held.outstanding).toBe(slowOperations.limit)
  expect(slowOperations.limit).toBeLessThan(threadPoolSize(process.env['UV_THREADPOOL_SIZE']))
  expect(acknowledged).toEqual([])
  release()
  await Promise.all(appends)
  expect(acknowledged.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(held.most).toBe(slowOperations.limit)
  expect(held.outstanding).toBe(0)
  for (const log of [cold, ...logs]) await log.close()
})

test('records that are appended while their partition waits for a slot are synced together', async () => {
  const env = testEnv({})
  const open = (name: string) => openLog(join(dir, name), { fsync: 'group' }, { env })
  const others = await Promise.all(Array.from({ length: slowOperations.limit }, (_, i) => open(`other-${i}`)))
  const log = await open('log')
  const blocked = others.map(other => append(other, ['x']))
  while (held.outstanding < slowOperations.limit) await nextTurn()
  const appends = []
  for (const value of ['a', 'b', 'c', 'd']) {
    appends.push(append(log, [value]))
    await nextTurn()
    await nextTurn()
  }
  const before = held.finished
  release()
  await Promise.all([...blocked, ...appends])
  expect(held.finished - before).toBe(slowOperations.limit + 1)
  expect(await readValues(log)).toEqual(['a', 'b', 'c', 'd'])
  for (const l of [log, ...others]) await l.close()
})

test('slots are granted in order of arrival, and never exceed the limit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.record({ turns: fc.nat({ max: 4 }), fails: fc.boolean() }), { maxLength: 30 }),
      async (poolSize, jobs) => {
        const operations = new SlowOperations(poolSize)
        const started: number[] = []
        const running = jobs.map(({ turns, fails }, i) =>
          operations.run(async () => {
            started.push(i)
            expect(operations.running).toBeLessThanOrEqual(operations.limit)
            for (let n = 0; n < turns; n++) await Promise.resolve()
            if (fails) throw new Error(String(i))
            return i
          }),
        )
        const results = await Promise.allSettled(running)
        expect(started).toEqual(jobs.map((_, i) => i))
        expect(results.map(r => r.status)).toEqual(jobs.map(j => (j.fails ? 'rejected' : 'fulfilled')))
        expect(operations.running).toBe(0)
      },
    ),
  )
})

test('threadPoolSize follows UV_THREADPOOL_SIZE from 1 to 1024, and is 4 if the variable is not a number', () => {
  const sizes = [undefined, '', 'many', '0', '1', '16', '5000'].map(threadPoolSize)
  expect(sizes).toEqual([4, 4, 4, 1, 1, 16, 1024])
})
